/** One program, and one run of it. */
import type { HeldVolumes } from '../held.ts';
import type { LookAt } from '../mountpoint.ts';
import type { MountEntry } from '../mount-table.ts';
import { isDriverName, isVolumeName } from '../names.ts';
import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import type { VolumeReference } from '../volumes.ts';
import { readPath, readRun } from './parse-output.ts';
import { runDvdcli } from './run-dvdcli.ts';
import { kindOf, type DvdcliKind } from './version.ts';

export interface DvdcliTimeLimits {
  readonly mountMs: number;
  readonly createMs: number;
  readonly otherMs: number;
}

export interface DvdcliOptions {
  /** Path or name of the program. */
  readonly program: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeLimits?: Partial<DvdcliTimeLimits>;
  readonly mountTable?: () => readonly MountEntry[];
  /** Of the other mount namespaces of this host. */
  readonly otherMountTables?: () => readonly (readonly MountEntry[])[];
  /** How a mountpoint is looked at; in this process unless told. */
  readonly lookAt?: LookAt;
}

/** What the operations share. */
export interface Cli {
  readonly options: DvdcliOptions;
  readonly limits: DvdcliTimeLimits;
  readonly mountTable: () => readonly MountEntry[];
  readonly otherMountTables: () => readonly (readonly MountEntry[])[];
  /** At most one consumer of each volume: the one count there is on this path. */
  readonly held: HeldVolumes;
  /** What the program says it is; asked once. */
  kind: Promise<DvdcliKind> | undefined;
}

const VERSION_LIMIT_MS = 10_000;

/** A program that does not say is taken for the original; that it cannot be started will show at the next call. */
export function kindOfProgram(cli: Cli): Promise<DvdcliKind> {
  const { program, env } = cli.options;
  cli.kind ??= runDvdcli(program, ['version'], {
    limitMs: VERSION_LIMIT_MS,
    ...(env === undefined ? {} : { env }),
  }).then((result) => kindOf(result.stdout));
  return cli.kind;
}

export function errorOf(
  code: VolumeErrorCode,
  volume: { driver: string; name?: string },
  message: string,
  says?: string,
): VolumeError {
  return new VolumeError(code, { driver: volume.driver, volume: volume.name, message, says });
}

/** One run; its trimmed standard output. */
export async function run(
  cli: Cli,
  command: string,
  volume: { driver: string; name?: string },
  flags: readonly string[] = [],
): Promise<Outcome<string>> {
  if (!isDriverName(volume.driver) || (volume.name !== undefined && !isVolumeName(volume.name)))
    return notDone(errorOf('invalid', volume, 'this driver or volume name cannot be given to dvdcli'));
  if ((await kindOfProgram(cli)) === 'too-old')
    return notDone(
      errorOf(
        'unsupported',
        volume,
        `${cli.options.program} is older than 0.2.0, without get and list; update it`,
      ),
    );
  const limitMs =
    command === 'mount'
      ? cli.limits.mountMs
      : command === 'create'
        ? cli.limits.createMs
        : cli.limits.otherMs;
  const name = volume.name === undefined ? [] : [`--volumename=${volume.name}`];
  const argv = [command, `--volumedriver=${volume.driver}`, ...name, ...flags];
  const { env } = cli.options;
  const result = await runDvdcli(cli.options.program, argv, {
    limitMs,
    ...(env === undefined ? {} : { env }),
  });
  const meaning = readRun(result);
  if (meaning.kind === 'ok') return done(meaning.stdout);
  const message =
    meaning.code === 'time-limit'
      ? `${cli.options.program} ${command} did not end within ${limitMs} ms and was killed`
      : `${cli.options.program} ${command} failed`;
  const error = errorOf(meaning.code, volume, message, meaning.says === '' ? undefined : meaning.says);
  return meaning.certain ? notDone(error) : unknownOutcome(error);
}

/** Where the driver says it is mounted, or would be (rclone answers either way); undefined where it does not say. */
export async function pathOf(cli: Cli, volume: VolumeReference): Promise<Outcome<string | undefined>> {
  const path = await run(cli, 'path', volume);
  // A driver that does not answer may have it mounted anywhere.
  if (path.kind === 'unknown') return path;
  return done(path.kind === 'done' ? readPath(path.value) : undefined);
}
