import { isBuiltin } from 'node:module';
import {
  importsOf,
  isScript,
  isTest,
  isTesting,
  packageOf,
  type Offence,
  type Rule,
} from '../source-file.ts';

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** package.json says what is imported: nothing more, nothing less. Tests may also use the root's tools. */
export const dependencies: Rule = (files) => {
  const text = files.find(({ path }) => path === 'package.json')?.text ?? '{}';
  const tools = Object.keys((JSON.parse(text) as Manifest).devDependencies ?? {});
  return files
    .filter(({ path }) => /^packages\/[^/]+\/package\.json$/.test(path))
    .flatMap((manifest) => {
      const folder = manifest.path.split('/')[1] ?? '';
      const { name, dependencies: given = {} } = JSON.parse(manifest.text) as Manifest;
      const sources = files.filter((file) => isScript(file) && packageOf(file.path) === folder);
      const used = new Set<string>();
      const missing: Offence[] = [];
      for (const file of sources) {
        for (const module of modulesOf(importsOf(file))) {
          used.add(module);
          const known = module === name || module in given;
          const tool = (isTest(file.path) || isTesting(file.path)) && tools.includes(module);
          if (!known && !tool)
            missing.push({ path: file.path, message: `${module} is not a dependency of ${folder}` });
        }
      }
      const idle = Object.keys(given).filter((module) => !used.has(module));
      return [
        ...missing,
        ...idle.map((module) => ({ path: manifest.path, message: `${module} is never imported` })),
      ];
    });
};

/** `@scope/name/deep` → `@scope/name`; Node's own and relative ones are left out. */
function modulesOf(specifiers: readonly string[]): string[] {
  return specifiers
    .filter((each) => !each.startsWith('.') && !isBuiltin(each))
    .map((each) =>
      each
        .split('/')
        .slice(0, each.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

/** Node's modules by their full name, so that nobody takes one for a package. */
export const builtinPrefix: Rule = (files) =>
  files.filter(isScript).flatMap((file) =>
    importsOf(file)
      .filter((each) => isBuiltin(each) && !each.startsWith('node:'))
      .map((each) => ({ path: file.path, message: `write node:${each}` })),
  );
