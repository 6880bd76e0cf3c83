/** Files on a volume, touched only by small programs that run where Elasticsearch runs, and have a time limit. */
import { COPY_MARKER_FILE, MARKER_FILE } from '@mesos-elasticsearch/contract';
import type { VolumeFinding } from '../core/marker.ts';
import type { CommandResult, CommandRunner } from '../ports.ts';

const PROBE_FILE = '.mesos-elasticsearch-probe';

export class VolumeFilesError extends Error {
  override readonly name = 'VolumeFilesError';
}

/** Marker and listing of a volume's root. Read as administrator: a foreign volume may be closed to our user. */
export async function inspectVolume(commands: CommandRunner, mountpoint: string): Promise<VolumeFinding> {
  const listing = await expectSuccess(commands, ['ls', '-A', '-1', mountpoint], 'administrator');
  const entries = listing.stdout
    .toString('utf8')
    .split('\n')
    .filter((name) => name !== '');
  const textOf = async (name: string) => {
    if (!entries.includes(name)) return undefined;
    const file = await expectSuccess(commands, ['cat', `${mountpoint}/${name}`], 'administrator');
    return file.stdout.toString('utf8');
  };
  return { marker: await textOf(MARKER_FILE), copyMarker: await textOf(COPY_MARKER_FILE), entries };
}

/** Durable: the name is gone, and its directory synced. */
export async function removeVolumeFile(
  commands: CommandRunner,
  directory: string,
  name: string,
): Promise<void> {
  await expectSuccess(commands, ['rm', '-f', `${directory}/${name}`], 'administrator');
  await expectSuccess(commands, ['sync', directory], 'administrator');
}

const LOOKING_LIMIT_MS = 600_000;

/** The first thing below `mountpoint` that Elasticsearch's user cannot read, or a directory it cannot write to. */
export async function findClosedToNode(
  commands: CommandRunner,
  mountpoint: string,
): Promise<string | undefined> {
  const unreadable = ['(', '-type', 'f', '!', '-readable', ')'];
  const access = ['!', '-readable', '-o', '!', '-writable', '-o', '!', '-executable'];
  const shut = ['(', '-type', 'd', '(', ...access, ')', ')'];
  const skipped = ['-name', 'lost+found', '-prune', '-o'];
  const argv = ['find', mountpoint, ...skipped, '(', ...unreadable, '-o', ...shut, ')', '-print', '-quit'];
  const result = await commands.run(argv, { as: 'node', limitMs: LOOKING_LIMIT_MS });
  const first = result.stdout.toString('utf8').split('\n')[0] ?? '';
  if (first !== '') return first;
  if (result.exitCode === 0) return undefined;
  throw new VolumeFilesError(`${argv.join(' ')}: ${result.stderr || `exit code ${String(result.exitCode)}`}`);
}

/**
 * Writes, syncs, reads back and removes a small file as Elasticsearch's user.
 * @throws VolumeFilesError with the program's own words
 */
export async function probeVolume(
  commands: CommandRunner,
  mountpoint: string,
  content: string,
): Promise<void> {
  const path = `${mountpoint}/${PROBE_FILE}`;
  await expectSuccess(commands, ['dd', `of=${path}`, 'conv=fsync'], 'node', content);
  const back = await expectSuccess(commands, ['cat', path], 'node');
  if (back.stdout.toString('utf8') !== content) {
    throw new VolumeFilesError(`${path} does not read back as it was written`);
  }
  await expectSuccess(commands, ['rm', '-f', path], 'node');
}

/** Hands the volume's root (not what is in it) to Elasticsearch's user; some file systems have fixed owners. */
export async function giveRootTo(
  commands: CommandRunner,
  mountpoint: string,
  user: { uid: number; gid: number },
): Promise<string | undefined> {
  const result = await commands.run(['chown', `${String(user.uid)}:${String(user.gid)}`, mountpoint], {
    as: 'administrator',
  });
  return result.exitCode === 0 ? undefined : result.stderr;
}

/** Whole or not at all, and durable: written beside, synced, renamed, and the directory synced. */
export async function writeVolumeFile(
  commands: CommandRunner,
  directory: string,
  name: string,
  content: string,
): Promise<void> {
  const path = `${directory}/${name}`;
  await expectSuccess(commands, ['dd', `of=${path}.new`, 'conv=fsync'], 'node', content);
  await expectSuccess(commands, ['mv', '-f', `${path}.new`, path], 'node');
  await expectSuccess(commands, ['sync', directory], 'node');
}

/** One pass of a removal is ended at the latest then, and the next one begun if the lease still stands. */
const LONGEST_PASS_S = 60;
/** `timeout` ended the program. */
const PASS_OVER = new Set([124, 137]);

/**
 * Removes all but the marker and what mkfs has made. Only ever called for volumes whose marker was found to be ours.
 * A removal may take long and runs outside of the guard, so no pass of it outlives the lease: `secondsLeft` says how
 * long that stands, and a removal that were still under way after it would take the next holder's files.
 * @throws VolumeFilesError when the lease does not stand any more, or with the program's own words
 */
export async function emptyVolume(
  commands: CommandRunner,
  mountpoint: string,
  secondsLeft: () => number,
): Promise<void> {
  const kept = [MARKER_FILE, 'lost+found'].flatMap((name) => ['!', '-name', name]);
  const within = ['find', mountpoint, '-mindepth', '1', '-maxdepth', '1'];
  const remove = ['-exec', 'rm', '-rf', '--one-file-system', '--', '{}', '+'];
  for (;;) {
    const passS = Math.floor(Math.min(LONGEST_PASS_S, secondsLeft()));
    if (passS < 1) throw new VolumeFilesError('the lease was not renewed in time');
    const argv = ['timeout', '-s', 'KILL', String(passS), ...within, ...kept, ...remove];
    const result = await commands.run(argv, { as: 'administrator', limitMs: (passS + 5) * 1000 });
    if (result.exitCode === 0) break;
    if (!PASS_OVER.has(result.exitCode)) throw new VolumeFilesError(`${argv.join(' ')}: ${result.stderr}`);
  }
  await expectSuccess(commands, ['sync', mountpoint], 'administrator');
}

export async function makeDirectory(commands: CommandRunner, path: string): Promise<void> {
  await expectSuccess(commands, ['mkdir', '-p', path], 'node');
}

export async function readTextFile(commands: CommandRunner, path: string): Promise<string> {
  return (await expectSuccess(commands, ['cat', path], 'node')).stdout.toString('utf8');
}

async function expectSuccess(
  commands: CommandRunner,
  argv: readonly string[],
  as: 'administrator' | 'node',
  input?: string,
): Promise<CommandResult> {
  const result = await commands.run(argv, input === undefined ? { as } : { as, input });
  if (result.exitCode === 0) return result;
  throw new VolumeFilesError(`${argv.join(' ')}: ${result.stderr || `exit code ${String(result.exitCode)}`}`);
}
