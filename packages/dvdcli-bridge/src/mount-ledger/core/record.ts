/** The record of one volume on one host: who uses it, or is about to, or may still have it mounted. */
import { createHash } from 'node:crypto';
import type { ProcessIdentity } from '../../hostdir/core/attachment.ts';
import type { VolumeCapabilities, VolumeReference } from '../../volumes.ts';

/**
 * attaching: the driver was, or was about to be, asked to mount; whether it did is not known.
 * attached: it did, and said where.
 * detaching: it was, or was about to be, asked to unmount; whether it did is not known.
 */
export type UseState = 'attaching' | 'attached' | 'detaching';

/** What the driver gave, and what the mount table said of it then. */
export interface RecordedMount {
  /** Absolute. */
  readonly hostPath: string;
  /** Where the volume is mounted by the mount table, if not at the path itself: above it, or behind a link. Absolute. */
  readonly mountPoint?: string;
  /** It was a mount point, or lay on the volume's own; a driver may also give a plain directory. */
  readonly isMount: boolean;
  /** `major:minor` of the file system that was mounted there; absent for a plain directory. */
  readonly device?: string;
  /** It was mounted before this consumer asked: somebody else's, so its end proves nothing of ours. */
  readonly mountedBefore: boolean;
}

export interface UseErrors {
  readonly count: number;
  /** ISO 8601, of the first and of the last. */
  readonly first: string;
  readonly last: string;
  /** The last one's words. */
  readonly says: string;
}

/** What an isolator of Mesos mounts is not ours to undo, and never on record. */
export type RecordedPath = Exclude<VolumeCapabilities['path'], 'isolator'>;

/** One consumer's use of the volume. */
export interface MountUse {
  readonly consumer: string;
  readonly state: UseState;
  readonly path: RecordedPath;
  /** Who wrote this: the process that uses it, or the one that undoes it. Holds the boot ID. */
  readonly process: ProcessIdentity;
  /** `NAME=value` in the environment of every process that belongs to the consumer, where there is one. */
  readonly mark?: string;
  /** ISO 8601: since when it is in this state. */
  readonly since: string;
  readonly mount?: RecordedMount;
  /** Through the Engine nothing is mounted by us: what a container is told to mount. */
  readonly containerSource?: string;
  /** Of unmounts that failed, or of whose outcome nothing is known. */
  readonly errors?: UseErrors;
}

export interface MountRecord {
  readonly format: 1;
  readonly driver: string;
  readonly volume: string;
  /** One per consumer: the reference count of the volume. Never empty in a file. */
  readonly uses: readonly MountUse[];
}

/** Readable for people, and different for volumes that differ: drivers' names may hold what a file name may not. */
export function recordKey(volume: Pick<VolumeReference, 'driver' | 'name'>): string {
  const readable = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 80);
  const digest = createHash('sha256').update(`${volume.driver}\0${volume.name}`).digest('hex');
  return `${readable(volume.name)}.${readable(volume.driver)}.${digest.slice(0, 16)}`;
}

export function serialiseRecord(record: MountRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

const STATES: ReadonlySet<unknown> = new Set<UseState>(['attaching', 'attached', 'detaching']);
const PATHS: ReadonlySet<unknown> = new Set<RecordedPath>(['plugin-socket', 'engine', 'dvdcli']);

/** @param key of the file it was found in; a record of another volume is damage, too. @throws Error saying what is wrong */
export function parseRecord(text: string, key: string): MountRecord {
  if (text.trim() === '') throw new Error('the file is empty');
  const value = JSON.parse(text) as Partial<MountRecord> | null;
  if (value?.format !== 1) throw new Error('not a record of format 1');
  const { driver, volume, uses } = value;
  if (typeof driver !== 'string' || typeof volume !== 'string') throw new Error('it names no volume');
  if (recordKey({ driver, name: volume as VolumeReference['name'] }) !== key)
    throw new Error(`it is about volume ${volume} of driver ${driver}`);
  if (!Array.isArray(uses) || uses.length === 0 || !uses.every(isUse))
    throw new Error('its uses are damaged');
  if (new Set(uses.map(({ consumer }) => consumer)).size !== uses.length)
    throw new Error('it names a consumer twice');
  return { format: 1, driver, volume, uses };
}

function isUse(value: unknown): value is MountUse {
  const use = value as Partial<MountUse> | null;
  return (
    typeof use?.consumer === 'string' &&
    STATES.has(use.state) &&
    PATHS.has(use.path) &&
    typeof use.since === 'string' &&
    isProcess(use.process) &&
    (use.mark === undefined || typeof use.mark === 'string') &&
    (use.containerSource === undefined || typeof use.containerSource === 'string') &&
    (use.mount === undefined || isMount(use.mount)) &&
    (use.errors === undefined || areErrors(use.errors))
  );
}

function isProcess(value: Partial<ProcessIdentity> | undefined): boolean {
  const texts = [value?.bootId, value?.host, value?.machineId, value?.pidNamespace];
  return [value?.pid, value?.startTicks].every(Number.isInteger) && texts.every((x) => typeof x === 'string');
}

function isMount(value: Partial<RecordedMount> | null): boolean {
  return (
    typeof value?.hostPath === 'string' &&
    value.hostPath.startsWith('/') &&
    typeof value.isMount === 'boolean' &&
    typeof value.mountedBefore === 'boolean' &&
    [value.device, value.mountPoint].every((x) => x === undefined || typeof x === 'string')
  );
}

function areErrors(value: Partial<UseErrors> | null): boolean {
  const texts = [value?.first, value?.last, value?.says];
  return Number.isInteger(value?.count) && texts.every((x) => typeof x === 'string');
}
