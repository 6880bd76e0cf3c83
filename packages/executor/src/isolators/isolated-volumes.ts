/** Volumes that an isolator of Mesos has mounted before the executor was started: found out about, never touched. */
import { join } from 'node:path';
import type { IsolatorMounter, NodeVolumes, VolumeRole } from '@mesos-elasticsearch/contract';
import {
  done,
  notDone,
  readMountTable,
  unknownOutcome,
  VolumeError,
  type MountEntry,
  type Outcome,
  type VolumeReference,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import {
  decideMount,
  mountChange,
  type DriverAnswer,
  type Inode,
  type MountDecision,
} from '../core/isolated-mount.ts';
import { CommandTimeLimitError, type CommandRunner } from '../ports.ts';
import { inodeOf, realPathOf, UnreadablePathError } from './look-at-path.ts';

export interface IsolatedOptions {
  readonly mounter: IsolatorMounter;
  readonly volumes: NodeVolumes;
  /** Relative container paths are below it. */
  readonly sandbox: string;
  /** Whoever can ask the driver. Nothing else of it is used. */
  readonly driver: Pick<Volumes, 'inspect' | 'describe'>;
  readonly commands: CommandRunner;
  /** Default: /proc/self/mountinfo and /proc/1/mountinfo. */
  readonly mountTable?: (process: 'self' | 1) => readonly MountEntry[];
  readonly warn: (message: string, fields: Readonly<Record<string, string>>) => void;
}

/**
 * `attach` accepts what is mounted at the container path, or says what is wrong with it; `ensure` and `detach` do
 * nothing, for creating, mounting and unmounting are the isolator's.
 */
export interface IsolatedVolumes extends Volumes {
  /** What is wrong with a mount that was accepted, in words. Reads the mount table only: no file system can hang it. */
  changed(): string | undefined;
}

export function isolatedVolumes(options: IsolatedOptions): IsolatedVolumes {
  const accepted = new Map<string, MountEntry>();
  const table = options.mountTable ?? readMountTable;
  const unsupported = (volume: VolumeReference, what: string) =>
    Promise.resolve(notDone(errorOf(volume, 'unsupported', `an isolator cannot ${what} volumes`)));
  return {
    capabilities: {
      path: 'isolator',
      attachment: 'host-path',
      takesOptions: true,
      commaInOptionValues: false,
      refusesRemovalInUse: true,
      countsConsumers: false,
    },
    describe: (driver) => options.driver.describe(driver),
    ensure: () => Promise.resolve(done({ created: false })),
    inspect: (volume) => options.driver.inspect(volume),
    list: (driver) =>
      Promise.resolve(
        notDone(new VolumeError('unsupported', { driver, message: 'an isolator lists nothing' })),
      ),
    remove: (volume) => unsupported(volume, 'remove'),
    attach: async (volume) => {
      const role: VolumeRole = volume.name === options.volumes.config.name ? 'config' : 'data';
      try {
        const { path, decision } = await look(options, role, table);
        if (decision.kind === 'refuse') return notDone(errorOf(volume, 'bad-mountpoint', decision.why));
        if (decision.weakness !== undefined) {
          options.warn('nobody says for certain which volume this is; its marker must', {
            ...{ volume: volume.name, path, why: decision.weakness },
          });
        }
        accepted.set(volume.name, decision.mount);
        return done({ kind: 'host-path', hostPath: path });
      } catch (error) {
        if (error instanceof UnreadablePathError) {
          const message = `${error.message}; whatever is mounted there is dead, or closed to this user`;
          return notDone(errorOf(volume, 'bad-mountpoint', message));
        }
        if (!(error instanceof CommandTimeLimitError)) throw error;
        return unknownOutcome(errorOf(volume, 'time-limit', error.message));
      }
    },
    detach: () => Promise.resolve(done(undefined)),
    changed: () => {
      const now = table('self');
      return [...accepted.values()]
        .map((mount) => mountChange(mount, now))
        .find((each) => each !== undefined);
    },
  };
}

async function look(
  { mounter, volumes, sandbox, driver, commands }: IsolatedOptions,
  role: VolumeRole,
  table: (process: 'self' | 1) => readonly MountEntry[],
): Promise<{ path: string; decision: MountDecision }> {
  // Links on the way are followed once: the table knows real paths only.
  const wanted = join('/', mounter.paths[role].startsWith('/') ? '' : sandbox, mounter.paths[role]);
  const path = (await realPathOf(commands, wanted)) ?? wanted;
  const answer = await askDriver(driver, volumes[role], commands);
  const decision = decideMount(mounter, volumes[role], {
    path,
    found: await inodeOf(commands, path),
    own: table('self'),
    machine: readOrUndefined(() => table(1)),
    driver: answer,
  });
  return { path, decision };
}

async function askDriver(
  driver: Pick<Volumes, 'inspect'>,
  volume: VolumeReference,
  commands: CommandRunner,
): Promise<DriverAnswer> {
  const answer: Outcome<{ readonly mountpoint: string | undefined } | undefined> =
    await driver.inspect(volume);
  if (answer.kind !== 'done')
    return { kind: 'silent', why: `the driver cannot be asked (${answer.error.message})` };
  if (answer.value === undefined) return { kind: 'no-such-volume' };
  const { mountpoint } = answer.value;
  if (mountpoint?.startsWith('/') !== true) {
    return { kind: 'silent', why: 'the driver does not say where it has mounted the volume' };
  }
  const path = (await realPathOf(commands, mountpoint)) ?? mountpoint;
  return { kind: 'mountpoint', path, found: await inodeIfReadable(commands, path) };
}

/** Closed to us: then the mount table alone tells. */
async function inodeIfReadable(commands: CommandRunner, path: string): Promise<Inode | undefined> {
  try {
    return await inodeOf(commands, path);
  } catch (error) {
    if (error instanceof UnreadablePathError) return undefined;
    throw error;
  }
}

function readOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Another user's process.
    return undefined;
  }
}

function errorOf(
  { name, driver }: VolumeReference,
  code: 'unsupported' | 'bad-mountpoint' | 'time-limit',
  message: string,
) {
  return new VolumeError(code, { driver, volume: name, message });
}
