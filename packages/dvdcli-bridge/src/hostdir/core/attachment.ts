/** The record of who holds a volume, as it stands in `attachment.json`. */

/** One run of one process on one machine: enough to tell it from any later process with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  readonly startTicks: number;
  readonly bootId: string;
  readonly host: string;
  /** Content of /etc/machine-id, empty where there is none. */
  readonly machineId: string;
  /** Pids mean something only inside their namespace. */
  readonly pidNamespace: string;
}

export interface AttachmentRecord {
  readonly format: 1;
  /** Random, new with every attachment: the right to succeed a holder is decided on it. */
  readonly token: string;
  readonly volume: string;
  readonly instance: string;
  readonly holder: ProcessIdentity;
  /** ISO 8601. */
  readonly attachedAt: string;
  /** Clock ticks since boot when it was attached, to compare with processes' start. */
  readonly attachedAtTicks: number;
  /** Mount ID → how often it was mounted. Callers without IDs share the ID "". */
  readonly mounts: Readonly<Record<string, number>>;
}

/** @throws Error naming what is wrong; a record that cannot be read holds the volume, it never frees it. */
export function parseAttachment(text: string): AttachmentRecord {
  const value = JSON.parse(text) as Partial<AttachmentRecord> | null;
  const holder = value?.holder as Partial<ProcessIdentity> | undefined;
  const fine =
    value?.format === 1 &&
    typeof value.token === 'string' &&
    typeof value.volume === 'string' &&
    typeof value.instance === 'string' &&
    typeof value.attachedAt === 'string' &&
    typeof value.attachedAtTicks === 'number' &&
    typeof value.mounts === 'object' &&
    typeof holder?.pid === 'number' &&
    typeof holder.startTicks === 'number' &&
    [holder.bootId, holder.host, holder.machineId, holder.pidNamespace].every((x) => typeof x === 'string');
  if (!fine) throw new Error('not an attachment record of format 1');
  return value as AttachmentRecord;
}

export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return (
    a.pid === b.pid &&
    a.startTicks === b.startTicks &&
    a.bootId === b.bootId &&
    a.pidNamespace === b.pidNamespace
  );
}

export type Mounts = AttachmentRecord['mounts'];

/**
 * The same ID again counts: Docker sends a running container's ID a second time for `docker cp`, and takes it
 * back once. Callers that have no ID are one caller, for whom nothing can be counted.
 */
export function addMount(mounts: Mounts, id: string): Mounts {
  return { ...mounts, [id]: id === '' ? 1 : (mounts[id] ?? 0) + 1 };
}

/** `undefined`: this ID has nothing mounted. */
export function dropMount(mounts: Mounts, id: string): Mounts | undefined {
  const count = Object.hasOwn(mounts, id) ? mounts[id] : undefined;
  if (count === undefined) return undefined;
  const rest = Object.entries(mounts).filter(([key]) => key !== id);
  return Object.fromEntries(count > 1 ? [...rest, [id, count - 1]] : rest);
}
