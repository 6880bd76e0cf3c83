import { dirname, join } from 'node:path/posix';
import {
  importsOf,
  isScript,
  isTest,
  isTesting,
  packageOf,
  type Offence,
  type Rule,
  type SourceFile,
} from '../source-file.ts';

const SCOPE = '@mesos-elasticsearch/';

/** What each package may import of ours (ARCHITECTURE.md). */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'mesos-v1': [],
  contract: [],
  coordination: ['contract'],
  'dvdcli-bridge': ['contract'],
  executor: ['mesos-v1', 'contract', 'coordination', 'dvdcli-bridge'],
  scheduler: ['mesos-v1', 'contract', 'coordination'],
  local: ['mesos-v1'],
  ui: [],
  cli: [
    'mesos-v1',
    'contract',
    'coordination',
    'dvdcli-bridge',
    'executor',
    'scheduler',
    'local',
    'ui',
    'cli',
  ],
};

/** Packages know only those below them, and of those only the index (tests also the doubles, the simulation the cores, the fuzzer the parsers). */
export const importDirection: Rule = (files) =>
  files.filter(isScript).flatMap((file) => {
    const from = packageOf(file.path);
    return importsOf(file).flatMap((specifier) => [
      ...(from === undefined ? [] : offencesOfPackage(file, from, specifier)),
      ...deepImport(file, specifier),
    ]);
  });

function offencesOfPackage(file: SourceFile, from: string, specifier: string): Offence[] {
  const allowed = ALLOWED[from];
  if (allowed === undefined) {
    return [{ path: file.path, message: `package ${from} is not in the table of allowed imports` }];
  }
  if (specifier.startsWith('.')) {
    const target = join(dirname(file.path), specifier);
    // Data that lies beside the packages has no direction.
    const data = target.endsWith('.json') && !target.startsWith('packages/');
    return data || target.startsWith(`packages/${from}/`)
      ? []
      : [{ path: file.path, message: `${specifier} leaves the package` }];
  }
  if (!specifier.startsWith(SCOPE)) return [];
  const to = specifier.slice(SCOPE.length).split('/')[0] ?? '';
  return allowed.includes(to) ? [] : [{ path: file.path, message: `${from} must not import ${to}` }];
}

function deepImport(file: SourceFile, specifier: string): Offence[] {
  if (!specifier.startsWith(SCOPE)) {
    const deep = packageOf(file.path) === undefined && /packages\/[^/]+\/src\//.test(specifier);
    return deep ? [{ path: file.path, message: `${specifier} reaches past a package's index` }] : [];
  }
  const [, ...inside] = specifier.slice(SCOPE.length).split('/');
  const rest = inside.join('/');
  if (rest === '' || (rest === 'testing' && (isTest(file.path) || isTesting(file.path)))) return [];
  if (rest === 'core' && file.path.startsWith('test/sim/')) return [];
  if (rest === 'parsers' && file.path.startsWith('test/fuzz/')) return [];
  const message =
    rest === 'testing' ? `${specifier} is for tests only` : `${specifier} reaches past a package's index`;
  return [{ path: file.path, message }];
}
