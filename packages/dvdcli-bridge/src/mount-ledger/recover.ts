import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { volumeName } from '@mesos-elasticsearch/contract';
import { isVolumeName } from '../names.ts';
import type { ConsumerId, VolumeReference, Volumes } from '../volumes.ts';
import type { MountRecord, MountUse } from './core/record.ts';
import { decideRecovery, retryAtMs, type UseFacts } from './core/recovery.ts';
import { endUse, useOf } from './core/uses.ts';
import { LockBusyError } from './file-lock.ts';
import type { LedgerPage, MountLedger } from './ledger.ts';
import { letGo } from './recorded.ts';
import { procVolumeUsers, type VolumeUsers } from './volume-users.ts';

export interface RecoveryOptions {
  /** By which way a use is undone: the one it was made by. Undefined: this program has no such way. */
  readonly volumesFor: (use: MountUse, volume: VolumeReference) => Volumes | undefined;
  /**
   * Why this caller has no right to undo that use; undefined: it may, if nobody uses it any more. Unless told, every use
   * may be undone; that is right only for drivers whose unmount cannot reach a holder on another host.
   */
  readonly forbids?: (use: MountUse, volume: VolumeReference) => string | undefined;
  readonly users?: VolumeUsers;
  /** Unmounts that failed not long ago are tried again, too. */
  readonly impatient?: boolean;
  /** How long another process may be at work on a volume before recovery passes it by. */
  readonly lockLimitMs?: number;
}

export interface RecoveredUse {
  readonly driver: string;
  readonly volume: string;
  readonly consumer: string;
}

export interface RecoveryReport {
  /** Unmounted, or not mounted any more, or one reference less. */
  readonly letGo: readonly RecoveredUse[];
  /** Left as they are, because somebody uses them, or may. */
  readonly kept: readonly (RecoveredUse & { readonly why: string })[];
  /** The unmount failed, or its outcome is not known, or a retry is not due yet. On record, and to be retried. */
  readonly failed: readonly (RecoveredUse & { readonly why: string; readonly retryAtMs: number })[];
  /**
   * Keys of records that cannot be got at, with the reason; and, until their files are taken away, of those that were
   * put aside as damaged, now or earlier: what those had mounted is not known, so it is not unmounted either.
   */
  readonly unread: readonly { readonly key: string; readonly why: string }[];
}

/**
 * Goes through all records: what is in use stays, what nobody uses any more is unmounted, errors are kept and retried.
 * Ends within the drivers' time limits, and may be run at any time, by several processes, and again after it was killed.
 */
export async function recover(ledger: MountLedger, options: RecoveryOptions): Promise<RecoveryReport> {
  const users = options.users ?? procVolumeUsers(ledger.self);
  const report = { letGo: [], kept: [], failed: [], unread: [] } satisfies RecoveryReport as Report;
  sweep(ledger);
  for (const key of ledger.keys()) {
    try {
      await ledger.alone(key, 'recover', options.lockLimitMs ?? 1_000, (page) =>
        recoverVolume({ ledger, options, users, report }, page),
      );
    } catch (error) {
      const { message } = error as Error;
      const why = error instanceof LockBusyError ? `another process is at work on it: ${message}` : message;
      report.unread.push({ key, why });
    }
  }
  for (const { key, file } of ledger.damaged()) report.unread.push({ key, why: damagedText(file) });
  return report;
}

function damagedText(file: string): string {
  return `it was damaged, and what it had mounted is not known: remove ${file} when the volume is unmounted by findmnt and by its driver`;
}

type Report = { -readonly [K in keyof RecoveryReport]: RecoveryReport[K][number][] };
interface Recovery {
  readonly ledger: MountLedger;
  readonly options: RecoveryOptions;
  readonly users: VolumeUsers;
  readonly report: Report;
}

async function recoverVolume(recovery: Recovery, page: LedgerPage): Promise<void> {
  const consumers = page.read()?.uses.map(({ consumer }) => consumer) ?? [];
  for (const consumer of consumers) {
    const record = page.read();
    const use = useOf(record, consumer);
    if (record !== undefined && use !== undefined) await recoverUse(recovery, page, record, use);
  }
}

async function recoverUse(
  recovery: Recovery,
  page: LedgerPage,
  record: MountRecord,
  use: MountUse,
): Promise<void> {
  const { ledger, options, report } = recovery;
  const about: RecoveredUse = { driver: record.driver, volume: record.volume, consumer: use.consumer };
  if (!isVolumeName(record.volume)) return void report.kept.push({ ...about, why: 'not a volume name' });
  const volume: VolumeReference = { driver: record.driver, name: volumeName(record.volume) };
  const volumes = options.volumesFor(use, volume);
  if (volumes === undefined)
    return void report.kept.push({ ...about, why: `it was made by the path ${use.path}, not known here` });
  const facts = await factsOf(recovery, use, volume, volumes);
  const patient = options.impatient === true ? { ...record, uses: record.uses.map(withoutErrors) } : record;
  const judged = useOf(patient, use.consumer) ?? use;
  const decision = decideRecovery(patient, judged, facts, ledger.now().getTime());
  switch (decision.kind) {
    case 'keep':
      report.kept.push({ ...about, why: decision.why });
      return;
    case 'wait':
      report.failed.push({ ...about, why: decision.why, retryAtMs: decision.untilMs });
      return;
    case 'drop':
      page.write(endUse(record, use.consumer), 'end');
      report.letGo.push(about);
      return;
    case 'unmount': {
      const consumer = use.consumer as ConsumerId;
      const context = { volumes, ledger, options: {} };
      const outcome = await letGo(context, page, volume, consumer);
      if (outcome.kind === 'done') report.letGo.push(about);
      else report.failed.push({ ...about, why: outcome.error.message, retryAtMs: nextTry(page, use) });
    }
  }
}

/** In the order of what they cost; what is decided already is not asked for. */
async function factsOf(
  { options, users }: Recovery,
  use: MountUse,
  volume: VolumeReference,
  volumes: Volumes,
): Promise<UseFacts> {
  const forbidden = options.forbids?.(use, volume);
  const owner = users.owner(use.process);
  const facts = { forbidden, owner, countsConsumers: volumes.capabilities.countsConsumers };
  if (forbidden !== undefined || (owner !== 'gone' && use.state !== 'detaching'))
    return { ...facts, user: undefined };
  return { ...facts, user: await userOf(users, use, volume, volumes) };
}

async function userOf(
  users: VolumeUsers,
  use: MountUse,
  volume: VolumeReference,
  volumes: Volumes,
): Promise<string | undefined> {
  const marked = use.mark === undefined ? undefined : await users.marked(use.mark);
  if (marked !== undefined) return marked;
  const path = use.mount?.hostPath ?? (await pathAsSaid(volumes, volume));
  return path === undefined ? undefined : users.below(path);
}

/** A Mount that was cut off before its answer: the driver may say where it would be. The Engine guards its own mounts. */
async function pathAsSaid(volumes: Volumes, volume: VolumeReference): Promise<string | undefined> {
  if (volumes.capabilities.attachment !== 'host-path') return undefined;
  const found = await volumes.inspect(volume);
  return found.kind === 'done' ? found.value?.mountpoint : undefined;
}

function withoutErrors(use: MountUse): MountUse {
  const { errors, ...rest } = use;
  return errors === undefined ? use : rest;
}

function nextTry(page: LedgerPage, use: MountUse): number {
  return retryAtMs(useOf(page.read(), use.consumer) ?? use);
}

const ABANDONED_AFTER_MS = 60_000;

/** Files that a killed process was about to put in place. */
function sweep({ directory, now }: MountLedger): void {
  for (const name of readdirSync(directory).filter((each) => each.startsWith('.tmp-'))) {
    try {
      const path = join(directory, name);
      if (now().getTime() - statSync(path).mtimeMs > ABANDONED_AFTER_MS) unlinkSync(path);
    } catch {
      // Put in place, or swept by another, meanwhile.
    }
  }
}
