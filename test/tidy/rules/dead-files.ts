import { dirname, join } from 'node:path/posix';
import {
  importsOf,
  isScript,
  isTest,
  isTesting,
  packageOf,
  type Rule,
  type SourceFile,
} from '../source-file.ts';

/**
 * A source file that no entry leads to is dead, even if a test still imports it. Entries: a package's index and its core's,
 * what the scripts bundle or run, and what another process is started from (named in `entryPoints`).
 * Doubles may also be led to by tests.
 */
export const deadFiles: Rule = (files) => {
  const sources = files.filter((file) => isScript(file) && packageOf(file.path) !== undefined);
  const byPath = new Map(sources.map((file) => [file.path, file]));
  const entries = sources.filter((file) => isEntry(file.path, files));
  const alive = reached(entries, byPath);
  const aliveInTests = reached([...entries, ...files.filter((file) => isTest(file.path))], byPath);
  return sources
    .filter(({ path }) => !isTest(path) && !path.endsWith('.d.ts') && !path.includes('/gen/'))
    .filter(({ path }) => !(isTesting(path) ? aliveInTests : alive).has(path))
    .map(({ path }) => ({ path, message: 'no entry leads to this file' }));
};

function isEntry(path: string, files: readonly SourceFile[]): boolean {
  if (/^packages\/[^/]+\/src\/(?:(?:testing|core)\/)?index\.ts$/.test(path)) return true;
  return files.some((file) => {
    if (file.path.startsWith('scripts/')) return file.text.includes(path);
    if (!file.text.includes('entryPoints')) return false;
    return (
      file.text.includes(`${path.slice(path.lastIndexOf('/') + 1)}'`) &&
      packageOf(file.path) === packageOf(path)
    );
  });
}

function reached(entries: readonly SourceFile[], byPath: ReadonlyMap<string, SourceFile>): Set<string> {
  const seen = new Set(entries.map(({ path }) => path));
  const left = [...entries];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    for (const specifier of importsOf(file).filter((each) => each.startsWith('.'))) {
      const target = byPath.get(join(dirname(file.path), specifier));
      if (target === undefined || seen.has(target.path)) continue;
      seen.add(target.path);
      left.push(target);
    }
  }
  return seen;
}
