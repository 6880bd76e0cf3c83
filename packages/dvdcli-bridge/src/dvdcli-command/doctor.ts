import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMountPoint, readMountTable, type MountEntry } from '../mount-table.ts';
import { monotonicMs } from '../monotonic.ts';
import { isDriverName } from '../names.ts';
import type { Outcome } from '../outcome.ts';
import type { VolumePlugin } from '../plugin/client.ts';
import type { CommandLine } from './command-line.ts';

/** One thing looked at. Nothing here changes anything at the driver. */
export interface Finding {
  readonly about: string;
  readonly state: 'fine' | 'note' | 'bad';
  readonly says: string;
  readonly tookMs?: number;
}

type Reach = (driver: string, limitMs: number) => VolumePlugin;

/** Looks for drivers, asks each (or the one named) for its volumes, and for the one volume that is named. */
export async function diagnose(
  line: CommandLine,
  directories: readonly string[],
  reach: Reach,
): Promise<{ text: string; healthy: boolean }> {
  const found = directories.map(lookInto);
  const findings: Finding[] = found.map(({ finding }) => finding);
  const there = [...new Set(found.flatMap(({ drivers }) => drivers))].sort();
  const drivers = line.driver === '' ? there : [line.driver];
  if (drivers.length === 0)
    findings.push({ about: 'drivers', state: 'bad', says: 'no volume driver is installed; start one' });
  const limitMs = Math.min(line.timeLimitMs, 10_000);
  const asked = await Promise.all(
    drivers.map((driver) => askDriver(driver, line.volume, reach(driver, limitMs))),
  );
  findings.push(...asked.flat());
  const text = line.json ? `${JSON.stringify({ findings })}\n` : findings.map(lineOf).join('');
  return { text, healthy: findings.every(({ state }) => state !== 'bad') };
}

function lineOf({ state, about, says, tookMs }: Finding): string {
  const took = tookMs === undefined ? '' : ` (${tookMs} ms)`;
  return `${state.padEnd(4)}  ${about}: ${says.replaceAll('\n', ' ')}${took}\n`;
}

function lookInto(directory: string): { finding: Finding; drivers: string[] } {
  const about = `plugin directory ${directory}`;
  try {
    const drivers = readdirSync(directory).flatMap((name) => driverOf(directory, name) ?? []);
    const says = drivers.length === 0 ? 'empty' : drivers.join(', ');
    return { finding: { about, state: 'fine', says }, drivers };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const next = code === 'EACCES' ? '; run as a user who may' : '';
    const finding: Finding =
      code === 'ENOENT'
        ? { about, state: 'note', says: 'not there' }
        : { about, state: 'bad', says: `cannot be read (${code ?? String(error)})${next}` };
    return { finding, drivers: [] };
  }
}

/** The driver that findPlugin would find by this entry of a plugin directory; managed plugins have none of their own. */
function driverOf(directory: string, entry: string): string | undefined {
  const [ending = ''] = /\.(sock|spec|json)$/.exec(entry) ?? [];
  const name = ending === '' ? entry : entry.slice(0, -ending.length);
  if (!isDriverName(name) || /^[0-9a-f]{64}$/.test(name)) return undefined;
  const files =
    ending === ''
      ? ['.sock', '.spec', '.json'].map((each) => join(directory, name, `${name}${each}`))
      : [join(directory, entry)];
  return files.some(isPluginFile) ? name : undefined;
}

function isPluginFile(path: string): boolean {
  try {
    const found = statSync(path);
    return path.endsWith('.sock') ? found.isSocket() : found.isFile();
  } catch (error) {
    // Whoever asks the driver is told so.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

async function askDriver(driver: string, volume: string, plugin: VolumePlugin): Promise<Finding[]> {
  const about = `driver ${driver}`;
  const listed = await timed(about, plugin.list(), (volumes) => `answers; ${volumes.length} volumes`);
  if (volume === '' || listed.state === 'bad') return [listed];
  const place = `volume ${volume} of driver ${driver}`;
  const got = await timed(place, plugin.get(volume), (answer) =>
    answer.kind === 'present' ? 'is there' : 'is not there',
  );
  const path = await timed(place, plugin.path(volume), describePath);
  return [listed, got, { ...path, state: path.state === 'bad' ? 'note' : path.state }];
}

function describePath(path: string): string {
  if (path === '') return 'is not mounted';
  let table: readonly MountEntry[];
  try {
    table = readMountTable();
  } catch (error) {
    return `has the path ${path}; the mount table cannot be read: ${(error as Error).message}`;
  }
  return isMountPoint(table, path)
    ? `is mounted at ${path}`
    : `has the path ${path}, where nothing is mounted (fine for a driver of plain directories)`;
}

async function timed<T>(
  about: string,
  asked: Promise<Outcome<T>>,
  describe: (value: T) => string,
): Promise<Finding> {
  const started = monotonicMs();
  const outcome = await asked;
  const tookMs = Math.round(monotonicMs() - started);
  if (outcome.kind === 'done') return { about, state: 'fine', says: describe(outcome.value), tookMs };
  // A driver need not know List; that it says so is an answer.
  const state = outcome.error.code === 'unsupported' ? 'note' : 'bad';
  return { about, state, says: outcome.error.message, tookMs };
}
