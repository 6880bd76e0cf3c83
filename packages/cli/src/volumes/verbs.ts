/** What `volumes ls | inspect | create | mount | unmount | rm` do. */
import { existsSync } from 'node:fs';
import { parseVolumeOptions, volumeName, type VolumeName } from '@mesos-elasticsearch/contract';
import {
  DRIVERS,
  knownDriver,
  isMountPoint,
  mountIdOf,
  mountLedgerDirectoryFrom,
  openMountLedger,
  readMountTable,
  recorded,
  volumeUsers,
  type ConsumerId,
  type MountEntry,
  type Outcome,
  type VolumeDescription,
  type VolumeReference,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { UsageError } from '../commands/exit-code.ts';
import { textTable } from '../text-table.ts';
import { decideMount, decideUnmount, type HandCase, type HandDecision } from './core/by-hand.ts';
import { decideRemoval, isNodeVolume, type Inside } from './core/removal.ts';
import { volumesWords } from './command-words.ts';
import { inspectHere, inspectionText, mountNamed, userText, type Inspection } from './inspection.ts';
import { lookInside } from './look-inside.ts';
import { dockerAt, pathOf, reach, within, type ReachOptions } from './reach.ts';
import { recordedUses, type RecordedUses } from './recorded-uses.ts';
import { answered, settled } from './settle.ts';

/** Executors of this host that run as the same user have the same mount ledger. */
const USER = process.getuid?.() ?? 0;

export interface VerbContext {
  readonly reach: ReachOptions;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a verb says: to people, and to programs. */
export interface Said {
  readonly text: string;
  readonly data: unknown;
}

interface Way {
  readonly volumes: Volumes;
  readonly volume: VolumeReference;
  readonly findOut: string;
}

/** @throws UsageError for a name that no path can carry */
function wayTo(context: VerbContext, name: string): Way {
  let checked: VolumeName;
  try {
    checked = volumeName(name);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  const { driver } = context.reach;
  return {
    volumes: reach(context.reach, context.environment),
    volume: { name: checked, driver },
    findOut: volumesWords('inspect', name, context.reach),
  };
}

export async function listVolumes(context: VerbContext): Promise<Said> {
  const { driver } = context.reach;
  const listed = within(context.reach, undefined, reach(context.reach, context.environment).list(driver));
  const volumes = answered(await listed);
  const table = readMountTable();
  const data = volumes.map((volume) => ({
    name: volume.name,
    driver,
    mountpoint: volume.mountpoint ?? null,
    here: here(context, table, volume),
  }));
  const rows = data.map((each) => [each.name, each.here, each.mountpoint ?? '-']);
  const text =
    data.length === 0
      ? `driver ${driver} has no volumes${mayBeUnknown(context) ? ', or the Docker Engine does not have the driver' : ''}`
      : textTable([['NAME', 'HERE', 'MOUNTPOINT'], ...rows]);
  return { text, data };
}

/** The Engine picks volumes by the driver's name, and does not say that it has none of that name. */
function mayBeUnknown({ reach: reached }: VerbContext): boolean {
  return pathOf(reached) === 'engine' && reached.driver !== 'local';
}

/** Of `ls`, which dvdcli answers with names alone. */
function here(
  context: VerbContext,
  table: readonly MountEntry[],
  volume: VolumeDescription,
): 'mount' | 'directory' | 'no' | 'unknown' {
  const { driver, mountpoint } = volume;
  const place = mountpoint ?? mountNamed(table, volume);
  if (place !== undefined && isMountPoint(table, place)) return 'mount';
  if (mountpoint === undefined) return pathOf(context.reach) === 'dvdcli' ? 'unknown' : 'no';
  const known = knownDriver(driver);
  return known !== undefined && !DRIVERS[known].isMount.value ? 'directory' : 'no';
}

export async function inspectVolume(context: VerbContext, name: string): Promise<Said> {
  const found = await look(context, wayTo(context, name));
  return { text: inspectionText(found), data: found };
}

/** @throws Error where there is no such volume */
async function look(context: VerbContext, { volumes, volume }: Way): Promise<Inspection> {
  const answer = answered(await within(context.reach, volume.name, volumes.inspect(volume)));
  if (answer === undefined) throw noSuchVolume(volume);
  return inspected(context, volume, answer);
}

function noSuchVolume({ driver, name }: VolumeReference): Error {
  return new Error(
    `driver ${driver} has no volume ${name}; mesos-elasticsearch volumes ls shows what it has`,
  );
}

function inspected(
  context: VerbContext,
  volume: VolumeReference,
  answer: VolumeDescription,
): Promise<Inspection> {
  const { reach: reached, environment } = context;
  return inspectHere(answer, dockerAt(reached.dockerHost, environment), onRecord(context, volume));
}

function onRecord({ environment }: VerbContext, volume: VolumeReference): RecordedUses {
  return recordedUses(volume, environment, USER);
}

export async function createVolume(context: VerbContext, name: string, options: string): Promise<Said> {
  const { volumes, volume, findOut } = wayTo(context, name);
  const spec = { ...volume, options: optionsFor(options, name) };
  const { created } = settled(await within(context.reach, name, volumes.ensure(spec)), findOut);
  const unused = Object.keys(spec.options).length > 0 ? '; the options were not applied' : '';
  const text = created ? `made volume ${name}` : `volume ${name} was there already${unused}`;
  return { text, data: { name, driver: volume.driver, created } };
}

/** `{volume}` stands for the volume's name, as in --externalVolumeOptions. */
export function optionsFor(text: string, name: string): Record<string, string> {
  try {
    const options = Object.entries(parseVolumeOptions(text));
    return Object.fromEntries(options.map(([key, value]) => [key, value.replaceAll('{volume}', name)]));
  } catch (error) {
    throw new UsageError(`--options: ${(error as Error).message}`, { cause: error });
  }
}

export async function mountVolume(
  context: VerbContext,
  name: string,
  { consumer, confirmed }: { consumer: ConsumerId; confirmed: string | undefined },
): Promise<Said> {
  const way = wayTo(context, name);
  const { volumes, volume, findOut } = way;
  if (volumes.capabilities.attachment !== 'host-path')
    throw new UsageError(
      'the Docker Engine mounts a volume only while a container uses it: wanted --path plugin-socket or dvdcli',
    );
  obey(decideMount(await handCase(context, way), confirmed));
  const attached = settled(await within(context.reach, name, volumes.attach(volume, consumer)), findOut);
  const path = attached.kind === 'host-path' ? attached.hostPath : attached.source;
  return { text: path, data: { name, driver: volume.driver, consumer, path } };
}

export async function unmountVolume(context: VerbContext, name: string, consumer: ConsumerId): Promise<Said> {
  const way = wayTo(context, name);
  const { volumes, volume, findOut } = way;
  const found = await handCase(context, way);
  const { uses, consumers, damaged } = found.onRecord;
  const byLedger = damaged || consumers.includes(consumer) ? uses.join('; ') : undefined;
  const last = found.mountIds?.every((id) => id === mountIdOf(consumer)) ?? false;
  obey(decideUnmount(found, consumer, { byLedger, last }));
  settled(await within(context.reach, name, volumes.detach(volume, consumer)), findOut);
  return {
    text: `${consumer} has no mount of volume ${name}`,
    data: { name, driver: volume.driver, consumer },
  };
}

/** @throws UsageError or Error for anything but `go` */
function obey(decision: HandDecision): void {
  if (decision.kind === 'usage') throw new UsageError(decision.why);
  if (decision.kind === 'refuse') throw new Error(decision.why);
}

interface HandFindings extends HandCase {
  readonly onRecord: RecordedUses;
  /** Where the driver lists who mounts. */
  readonly mountIds: readonly unknown[] | undefined;
}

/**
 * @throws Error where there is no such volume. A driver that can neither get nor list volumes is asked all the same: the
 * mount ledger still says who has it.
 */
async function handCase(context: VerbContext, way: Way): Promise<HandFindings> {
  const { volumes, volume } = way;
  const { name } = volume;
  await checkSpelling(context, way);
  const recorded = onRecord(context, volume);
  const base = { name, keepsOthers: keepsOthers(way), recorded: recorded.uses, onRecord: recorded };
  const answer = await within(context.reach, name, volumes.inspect(volume));
  if (answer.kind === 'not-done' && answer.error.code === 'unsupported')
    return { ...base, usedBy: recorded.uses, mountIds: undefined };
  const found = answered(answer);
  if (found === undefined) throw noSuchVolume(volume);
  const { usedBy } = await inspected(context, volume, found);
  const mountIds = found.status?.['Mounts'];
  return { ...base, usedBy, mountIds: Array.isArray(mountIds) ? mountIds : undefined };
}

/**
 * To some drivers names that differ in case only are one volume; what is mounted and on record under the one name would
 * not be found under the other.
 * @throws UsageError naming the driver's own spelling
 */
async function checkSpelling({ reach: reached }: VerbContext, { volumes, volume }: Way): Promise<void> {
  const known = knownDriver(volume.driver);
  if (known !== undefined && DRIVERS[known].caseSensitiveNames.value) return;
  const listed = await within(reached, volume.name, volumes.list(volume.driver));
  if (listed.kind !== 'done' || listed.value.some(({ name }) => name === volume.name)) return;
  const twin = listed.value.find(({ name }) => name.toLowerCase() === volume.name.toLowerCase());
  if (twin !== undefined)
    throw new UsageError(
      `driver ${volume.driver} has no volume ${volume.name}, and may take ${twin.name} for it: wanted its name as it is spelt there, ${twin.name}`,
    );
}

/** Our unmount cannot take the mount of another consumer away. */
function keepsOthers({ volumes, volume }: Way): boolean {
  const known = knownDriver(volume.driver);
  return (
    volumes.capabilities.countsConsumers && known !== undefined && DRIVERS[known].counts.value === 'by-id'
  );
}

export async function removeVolume(
  context: VerbContext,
  name: string,
  confirmed: string | undefined,
): Promise<Said> {
  const way = wayTo(context, name);
  const { volumes, volume, findOut } = way;
  await checkSpelling(context, way);
  const answer = answered(await within(context.reach, name, volumes.inspect(volume)));
  if (answer === undefined)
    return { text: `there is no volume ${name}`, data: { name, driver: volume.driver, removed: false } };
  const found = await inspected(context, volume, answer);
  const mounted = found.mounts.map(({ mountPoint }) => `${mountPoint} is mounted`);
  const seen = { inside: found.inside, usedBy: [...mounted, ...found.usedBy] };
  const hopeless = confirmed === undefined && isNodeVolume(name);
  const { inside, usedBy } = hopeless ? seen : await lookByMounting(way, seen);
  const decision = decideRemoval({ name, confirmed, usedBy, inside });
  if (decision.kind === 'refuse')
    throw new Error(`volume ${name} is not removed: ${decision.why}\n${decision.next}`);
  const removed = await within(context.reach, name, removeUnlessRecorded(context, way));
  if (removed.kind === 'not-done' && removed.error.code === 'in-use')
    throw new Error(`${removed.error.message}\n${unmounting(context, name)}`, { cause: removed.error });
  settled(removed, findOut);
  return { text: `removed volume ${name}`, data: { name, driver: volume.driver, removed: true } };
}

function unmounting({ reach: reached }: VerbContext, name: string): string {
  const command = `${volumesWords('unmount', name, reached)} --consumer WHO`;
  return `stop its user, or unmount it first: ${command} (${LOOKING} for what an rm that was killed has left)`;
}

const LOCK_LIMIT_MS = 10_000;

/** Under the lock of the volume's record, where executors of this host keep one: none attaches it meanwhile. */
function removeUnlessRecorded(
  { environment }: VerbContext,
  { volumes, volume }: Way,
): Promise<Outcome<void>> {
  const directory = mountLedgerDirectoryFrom(environment, USER);
  if (!existsSync(directory)) return volumes.remove(volume);
  const ledger = openMountLedger({ directory });
  return recorded(volumes, ledger, { lockLimitMs: LOCK_LIMIT_MS }).remove(volume);
}

interface Seen {
  readonly inside: Inside;
  readonly usedBy: readonly string[];
}

/** Always the same, so that what an rm that was killed has left is undone under a name that is known. */
const LOOKING = 'volumes-rm' as ConsumerId;

/**
 * Mounts an idle volume for one look, where that can take it away from nobody: a driver that never revokes, and a
 * mount ID of our own.
 */
async function lookByMounting({ volumes, volume }: Way, seen: Seen): Promise<Seen> {
  const known = knownDriver(volume.driver);
  const harmless =
    known !== undefined &&
    DRIVERS[known].revokes.value === 'never' &&
    volumes.capabilities.countsConsumers &&
    volumes.capabilities.attachment === 'host-path';
  if (seen.usedBy.length > 0 || !harmless) return seen;
  const attached = await volumes.attach(volume, LOOKING);
  if (attached.kind !== 'done') return notSeen(attached.error.message);
  const found = attached.value.kind === 'host-path' ? await lookAt(attached.value.hostPath) : seen;
  const detached = await volumes.detach(volume, LOOKING);
  return detached.kind === 'done' ? found : notSeen(detached.error.message);
}

async function lookAt(directory: string): Promise<Seen> {
  const { users } = volumeUsers(directory);
  return { inside: await lookInside(directory), usedBy: users.map(userText) };
}

function notSeen(why: string): Seen {
  return { inside: { kind: 'not-seen', why }, usedBy: [] };
}
