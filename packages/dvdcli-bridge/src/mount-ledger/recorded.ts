import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import type { MountEntry } from '../mount-table.ts';
import { pathInTable } from '../path-in-table.ts';
import { serialized } from '../serialize.ts';
import type { Attachment, ConsumerId, VolumeReference, Volumes } from '../volumes.ts';
import { recordKey, type MountRecord, type MountUse, type RecordedMount } from './core/record.ts';
import {
  beginAttach,
  beginDetach,
  contradiction,
  describeMount,
  endUse,
  noteAttached,
  noteError,
  othersThan,
  useOf,
  type Actor,
} from './core/uses.ts';
import { LockBusyError, LockLostError } from './file-lock.ts';
import type { LedgerPage, MountLedger } from './ledger.ts';

export interface RecordedOptions {
  /** `NAME=value` that is in the environment of every process of the consumers: while one lives, its use is one. */
  readonly mark?: string;
  /** How long another process of this host may be at work on the same volume. */
  readonly lockLimitMs?: number;
}

/** Longer than a driver's Unmount may take, so that a recovery under way is waited out. */
const DEFAULT_LOCK_LIMIT_MS = 90_000;

/**
 * The same volumes, each attach and detach of them on record: intent before the driver is asked, result after it answered,
 * nothing forgotten before the unmount is proven. See docs/adr/0007-mount-ledger.md.
 *
 * - What cannot be recorded is not attached (`not-done`). A detach goes on where an earlier record stands.
 * - On a path that cannot tell consumers apart (dvdcli) the record is the reference count: the driver is asked to
 *   unmount by the last one only, and a second consumer is refused (`in-use`).
 * - A driver that does not tell who mounts, and has one mount for all, is asked to unmount by the last one only, too.
 * - A driver's "unmounted" that the mount table contradicts is `not-done` (`in-use`).
 * - A volume that is on record is not removed (`in-use`).
 * - Whom a damaged record named is not known: the volume is not removed, and where consumers cannot be told apart neither
 *   attached nor detached (`in-use`), until that record's file is taken away.
 * - Through the Engine nothing is mounted by us; who told a container to use the volume is recorded all the same.
 */
export function recorded(volumes: Volumes, ledger: MountLedger, options: RecordedOptions = {}): Volumes {
  const context: Context = { volumes, ledger, options };
  return serialized({
    capabilities: volumes.capabilities,
    describe: (driver) => volumes.describe(driver),
    ensure: (volume) => volumes.ensure(volume),
    inspect: (volume) => volumes.inspect(volume),
    list: (driver) => volumes.list(driver),
    remove: (volume) =>
      onPage(context, volume, 'remove', async (page) => {
        const users = page.read()?.uses.map(({ consumer }) => consumer) ?? [];
        const unknown = unknownUsers(page);
        if (unknown !== undefined) return notDone(errorOf('in-use', volume, `it is not removed: ${unknown}`));
        if (users.length === 0) return volumes.remove(volume);
        const message = `it is not removed: by the mount ledger ${users.join(', ')} may have it mounted`;
        return notDone(errorOf('in-use', volume, message));
      }),
    attach: (volume, consumer) =>
      onPage(context, volume, 'attach', (page) => attach(context, page, volume, consumer)),
    detach: (volume, consumer) =>
      onPage(context, volume, 'detach', (page) => letGo(context, page, volume, consumer)),
  });
}

interface Context {
  readonly volumes: Volumes;
  readonly ledger: MountLedger;
  readonly options: RecordedOptions;
}

/** A record that could not be read is not a record of nobody. @returns what is not known, in words */
export function unknownUsers(page: LedgerPage): string | undefined {
  const files = page.damaged();
  return files.length === 0
    ? undefined
    : `whom its damaged record in the mount ledger names is not known (remove ${files.join(' and ')} when nobody has it mounted, by findmnt and by its driver)`;
}

function errorOf(code: VolumeErrorCode, volume: VolumeReference, message: string): VolumeError {
  return new VolumeError(code, { driver: volume.driver, volume: volume.name, message });
}

/** Whatever goes wrong here goes wrong before the driver was asked, except for a lock that was lost. */
async function onPage<T>(
  { ledger, options }: Context,
  volume: VolumeReference,
  operation: string,
  act: (page: LedgerPage) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const limitMs = options.lockLimitMs ?? DEFAULT_LOCK_LIMIT_MS;
  try {
    return await ledger.alone(recordKey(volume), operation, limitMs, act);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof LockBusyError)
      return notDone(errorOf('in-use', volume, `another process of this host is at work on it: ${message}`));
    if (error instanceof LockLostError) return unknownOutcome(errorOf('driver-error', volume, message));
    const denied = ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
    const what = `the mount ledger in ${ledger.directory} cannot be used: ${message}`;
    return notDone(errorOf(denied ? 'permission' : 'driver-error', volume, what));
  }
}

function actorOf({ ledger, volumes, options }: Context): Actor {
  const { path } = volumes.capabilities;
  if (path === 'isolator')
    throw new TypeError('what an isolator mounts is not ours to undo: keep no record of it');
  return { process: ledger.self, path, mark: options.mark, now: ledger.now().toISOString() };
}

async function attach(
  context: Context,
  page: LedgerPage,
  volume: VolumeReference,
  consumer: ConsumerId,
): Promise<Outcome<Attachment>> {
  const { ledger, volumes } = context;
  const record = page.read();
  const others = othersThan(record, consumer);
  const [other] = others;
  if (other !== undefined && !volumes.capabilities.countsConsumers) {
    const message = `by the mount ledger ${other.consumer} has it (${other.state}), and on this path two users cannot be told apart`;
    return notDone(errorOf('in-use', volume, message));
  }
  const unknown = unknownUsers(page);
  if (unknown !== undefined && !volumes.capabilities.countsConsumers)
    return notDone(errorOf('in-use', volume, `on this path two users cannot be told apart, and ${unknown}`));
  // What a try mounted that was cut off is this consumer's, too: nothing is known to have been there before it.
  const wasCutOff = useOf(record, consumer)?.state === 'attaching';
  const tableBefore = wasCutOff ? [] : ledger.mountTable();
  const intent = beginAttach(record, volume, consumer, actorOf(context));
  page.write(intent, 'intent');
  ledger.beforeStep('attach: ask the driver');
  const outcome = await volumes.attach(volume, consumer, consumersOf(others));
  ledger.beforeStep('attach: record the answer');
  if (outcome.kind === 'done') {
    const { value } = outcome;
    const given =
      value.kind === 'host-path'
        ? { mount: mountOf(volume, value.hostPath, tableBefore, ledger.mountTable()) }
        : { containerSource: value.source };
    writeOrSay(context, page, noteAttached(intent, consumer, given, actorOf(context)), 'result');
  } else if (outcome.kind === 'not-done' && useOf(record, consumer) === undefined) {
    writeOrSay(context, page, endUse(intent, consumer), 'end');
  } else {
    writeOrSay(context, page, failed(context, intent, consumer, outcome.error.message), 'error');
  }
  return outcome;
}

function mountOf(
  { name }: VolumeReference,
  hostPath: string,
  before: readonly MountEntry[],
  after: readonly MountEntry[],
): RecordedMount {
  return describeMount(name, { hostPath, inTable: pathInTable(after, hostPath, name) }, before, after);
}

/** What detach and recovery do alike. */
export async function letGo(
  context: Context,
  page: LedgerPage,
  volume: VolumeReference,
  consumer: ConsumerId,
): Promise<Outcome<void>> {
  const { ledger, volumes } = context;
  const record = page.read();
  const others = othersThan(record, consumer);
  if (others.length > 0 && !volumes.capabilities.countsConsumers) {
    if (record !== undefined && useOf(record, consumer) !== undefined)
      page.write(endUse(record, consumer), 'end');
    return done(undefined);
  }
  const unknown = unknownUsers(page);
  if (unknown !== undefined && !volumes.capabilities.countsConsumers)
    return notDone(
      errorOf('in-use', volume, `it is not unmounted, for it may be under another one: ${unknown}`),
    );
  const intent = beginDetach(record, volume, consumer, actorOf(context));
  if (useOf(record, consumer) === undefined) page.write(intent, 'intent');
  else writeOrSay(context, page, intent, 'intent');
  ledger.beforeStep('detach: ask the driver');
  const outcome = await volumes.detach(volume, consumer, consumersOf(others));
  ledger.beforeStep('detach: record the answer');
  if (outcome.kind !== 'done') {
    writeOrSay(context, page, failed(context, intent, consumer, outcome.error.message), 'error');
    return outcome;
  }
  const against = contradiction(intent, consumer, ledger.mountTable());
  if (against !== undefined) {
    writeOrSay(context, page, failed(context, intent, consumer, against), 'error');
    return notDone(errorOf('in-use', volume, against));
  }
  writeOrSay(context, page, endUse(intent, consumer), 'end');
  return done(undefined);
}

function consumersOf(uses: readonly MountUse[]): readonly string[] {
  return uses.map(({ consumer }) => consumer);
}

function failed({ ledger }: Context, record: MountRecord, consumer: string, says: string): MountRecord {
  return noteError(record, consumer, says, ledger.now().toISOString());
}

/**
 * After the driver has answered, the answer stands: what is on record already says more is mounted than is, or as much,
 * and recovery clears that up. A lock that was lost is another matter: somebody else may have done something meanwhile.
 */
function writeOrSay(
  { ledger }: Context,
  page: LedgerPage,
  record: MountRecord | undefined,
  what: 'intent' | 'result' | 'error' | 'end',
): void {
  try {
    page.write(record, what);
  } catch (error) {
    if (error instanceof LockLostError) throw error;
    ledger.say('the mount ledger cannot be written', { what, why: (error as Error).message });
  }
}
