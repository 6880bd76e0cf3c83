/** The capability table as text, as Markdown and as plain data. */
import { DRIVER_NAMES, DRIVERS, knownDriver, type DriverCapabilities, type KnownDriver } from './drivers.ts';
import type { Fact } from './fact.ts';
import { PATH_NAMES, PATHS, type PathCapabilities, type PathName } from './paths.ts';

const PATH_ROWS: readonly (readonly [keyof PathCapabilities, string])[] = [
  ['mountedBy', 'who mounts'],
  ['runtimes', 'runtimes'],
  ['attachment', 'a node is given'],
  ['takesOptions', 'options reach the driver'],
  ['optionsForbid', 'characters in options'],
  ['equalsInValues', '"=" in a value'],
  ['managedPlugins', 'vendor/name:tag'],
  ['volumeNames', 'volume names'],
  ['readOnly', 'read-only'],
  ['sharing', 'two users on one host'],
  ['countsConsumers', 'the driver is told who mounts'],
  ['size', 'size'],
  ['creation', 'a missing volume'],
  ['verifies', 'verified'],
  ['unmountProven', 'the end of a task proves the unmount'],
  ['mountLimitMs', 'limit of a mount'],
];

const DRIVER_ROWS: readonly (readonly [keyof DriverCapabilities, string])[] = [
  ['reachedBy', 'reached by'],
  ['scope', 'scope'],
  ['revokes', 'takes a volume from its old host'],
  ['isMount', 'a volume is a mount'],
  ['counts', 'counts mounts'],
  ['size', 'size'],
  ['options', 'options'],
  ['caseSensitiveNames', 'names differ by case'],
  ['removesMounted', 'removes what is mounted'],
  ['keepsFsynced', 'keeps what was fsynced when a host dies'],
];

interface Block {
  readonly title: string;
  readonly rows: readonly (readonly [string, Fact<unknown>])[];
}

function pathBlock(path: PathName): Block {
  return { title: path, rows: PATH_ROWS.map(([key, label]) => [label, PATHS[path][key]]) };
}

function driverBlock(driver: KnownDriver): Block {
  return { title: driver, rows: DRIVER_ROWS.map(([key, label]) => [label, DRIVERS[driver][key]]) };
}

/** One block per path and driver; only that driver, and the paths that reach it, when one is named. */
export function capabilitiesText(driver?: string): string {
  const { paths, drivers } = chosen(driver);
  const unknown =
    driver !== undefined && drivers.length === 0
      ? [
          `driver ${driver}\n  nothing is known of it beforehand: mesos-elasticsearch doctor --driver ${driver} tries it\n`,
        ]
      : [];
  return [
    ...drivers.map((name) => blockText('driver', driverBlock(name))),
    ...unknown,
    ...paths.map((name) => blockText('path', pathBlock(name))),
  ].join('\n');
}

function chosen(driver: string | undefined): { paths: readonly PathName[]; drivers: readonly KnownDriver[] } {
  if (driver === undefined) return { paths: PATH_NAMES, drivers: DRIVER_NAMES };
  const known = knownDriver(driver);
  if (known === undefined) return { paths: PATH_NAMES, drivers: [] };
  return { paths: DRIVERS[known].reachedBy.value ?? PATH_NAMES, drivers: [known] };
}

function blockText(kind: string, { title, rows }: Block): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, { says }]) => `  ${label.padEnd(width)}  ${says}`);
  return [`${kind} ${title}`, ...lines, ''].join('\n');
}

/** Both tables for docs/volumes.md, each cell's source in a list below. */
export function capabilitiesMarkdown(): string {
  return [
    '### By path',
    '',
    ...markdownTable(PATH_NAMES.map(pathBlock)),
    '',
    '### By driver',
    '',
    ...markdownTable(DRIVER_NAMES.map(driverBlock)),
    '',
    '### How we know',
    '',
    ...[...PATH_NAMES.map(pathBlock), ...DRIVER_NAMES.map(driverBlock)].flatMap(sourceLines),
    '',
  ].join('\n');
}

function markdownTable(blocks: readonly Block[]): string[] {
  const labels = blocks[0]?.rows.map(([label]) => label) ?? [];
  const cells = labels.map((label, row) => [label, ...blocks.map(({ rows }) => rows[row]?.[1].says ?? '')]);
  return [
    ['', ...blocks.map(({ title }) => `\`${title}\``)],
    blocks.map(() => '---').concat('---'),
    ...cells,
  ].map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
}

/** Cells with one source stand together. */
function sourceLines({ title, rows }: Block): string[] {
  const bySource = new Map<string, string[]>();
  for (const [label, { source }] of rows) bySource.set(source, [...(bySource.get(source) ?? []), label]);
  return [...bySource].map(([source, labels]) => `- \`${title}\`, ${labels.join(', ')}: ${source}.`);
}

/** For programs: every fact with its value, words and source; patterns as their text. */
export function capabilitiesData(driver?: string): unknown {
  const { paths, drivers } = chosen(driver);
  const data = {
    drivers: Object.fromEntries(drivers.map((name) => [name, DRIVERS[name]])),
    paths: Object.fromEntries(paths.map((name) => [name, PATHS[name]])),
  };
  return JSON.parse(
    JSON.stringify(data, (_, value: unknown) => (value instanceof RegExp ? value.source : (value ?? null))),
  );
}
