/** What `volumes ls | inspect | create | mount | unmount | rm` do. */
import { parseVolumeOptions, volumeName, type VolumeName } from '@mesos-elasticsearch/contract';
import {
  DRIVERS,
  knownDriver,
  isMountPoint,
  readMountTable,
  volumeUsers,
  type ConsumerId,
  type VolumeDescription,
  type VolumeReference,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { UsageError } from '../commands/exit-code.ts';
import { textTable } from '../text-table.ts';
import { decideRemoval, isNodeVolume, type Inside } from './core/removal.ts';
import { inspectHere, inspectionText, userText, type Inspection } from './inspection.ts';
import { lookInside } from './look-inside.ts';
import { dockerAt, pathOf, reach, within, type ReachOptions } from './reach.ts';
import { recordedUses } from './recorded-uses.ts';
import { settled } from './settle.ts';

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
    findOut: `mesos-elasticsearch volumes inspect ${name} --driver ${driver} --path ${pathOf(context.reach)}`,
  };
}

export async function listVolumes(context: VerbContext): Promise<Said> {
  const { driver } = context.reach;
  const listed = within(context.reach, undefined, reach(context.reach, context.environment).list(driver));
  const volumes = settled(await listed, 'ask again');
  const table = readMountTable();
  const known = knownDriver(driver);
  const isDirectory = known !== undefined && !DRIVERS[known].isMount.value;
  const data = volumes.map(({ name, mountpoint }) => ({
    name,
    driver,
    mountpoint: mountpoint ?? null,
    here:
      mountpoint === undefined
        ? 'no'
        : isMountPoint(table, mountpoint)
          ? 'mount'
          : isDirectory
            ? 'directory'
            : 'no',
  }));
  const rows = data.map((each) => [each.name, each.here, each.mountpoint ?? '-']);
  const text =
    data.length === 0
      ? `driver ${driver} has no volumes`
      : textTable([['NAME', 'HERE', 'MOUNTPOINT'], ...rows]);
  return { text, data };
}

export async function inspectVolume(context: VerbContext, name: string): Promise<Said> {
  const found = await look(context, wayTo(context, name));
  return { text: inspectionText(found), data: found };
}

/** @throws Error where there is no such volume */
async function look(context: VerbContext, { volumes, volume }: Way): Promise<Inspection> {
  const answer = settled(await within(context.reach, volume.name, volumes.inspect(volume)), 'ask again');
  if (answer === undefined) throw new Error(`driver ${volume.driver} has no volume ${volume.name}`);
  return inspected(context, volume, answer);
}

function inspected(
  { reach: { dockerHost }, environment }: VerbContext,
  volume: VolumeReference,
  answer: VolumeDescription,
): Promise<Inspection> {
  const recorded = recordedUses(volume, environment, process.getuid?.() ?? 0);
  return inspectHere(answer, dockerAt(dockerHost, environment), recorded);
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
  const { volumes, volume, findOut } = wayTo(context, name);
  if (volumes.capabilities.attachment !== 'host-path')
    throw new UsageError(
      'the Docker Engine mounts a volume only while a container uses it: wanted --path plugin-socket or dvdcli',
    );
  if (confirmed !== undefined && confirmed !== name)
    throw new UsageError(`--yes-mount names ${JSON.stringify(confirmed)}, not this volume`);
  if (isNodeVolume(name) && confirmed === undefined) {
    throw new UsageError(
      [
        `nothing was mounted: ${name} is named as a node's volume.`,
        'Some drivers take a volume away from the host that has it; if its node runs, that is where it is.',
        `If you have seen that no Elasticsearch uses it: --yes-mount ${name}`,
      ].join('\n'),
    );
  }
  const attached = settled(await within(context.reach, name, volumes.attach(volume, consumer)), findOut);
  const path = attached.kind === 'host-path' ? attached.hostPath : attached.source;
  return { text: path, data: { name, driver: volume.driver, consumer, path } };
}

export async function unmountVolume(context: VerbContext, name: string, consumer: ConsumerId): Promise<Said> {
  const way = wayTo(context, name);
  const { volumes, volume, findOut } = way;
  if (!keepsOthers(way)) {
    const { usedBy } = await look(context, way);
    if (usedBy.length > 0) {
      throw new Error(
        `volume ${name} is not unmounted: this path or driver cannot tell its users apart, and it is in use: ${usedBy.join('; ')}`,
      );
    }
  }
  settled(await within(context.reach, name, volumes.detach(volume, consumer)), findOut);
  return {
    text: `${consumer} has no mount of volume ${name}`,
    data: { name, driver: volume.driver, consumer },
  };
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
  const answer = settled(await within(context.reach, name, volumes.inspect(volume)), findOut);
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
  settled(await within(context.reach, name, volumes.remove(volume)), findOut);
  return { text: `removed volume ${name}`, data: { name, driver: volume.driver, removed: true } };
}

interface Seen {
  readonly inside: Inside;
  readonly usedBy: readonly string[];
}

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
  const consumer = `volumes-rm-${process.pid}` as ConsumerId;
  const attached = await volumes.attach(volume, consumer);
  if (attached.kind !== 'done') return notSeen(attached.error.message);
  const found = attached.value.kind === 'host-path' ? await lookAt(attached.value.hostPath) : seen;
  const detached = await volumes.detach(volume, consumer);
  return detached.kind === 'done' ? found : notSeen(detached.error.message);
}

async function lookAt(directory: string): Promise<Seen> {
  const { users } = volumeUsers(directory);
  return { inside: await lookInside(directory), usedBy: users.map(userText) };
}

function notSeen(why: string): Seen {
  return { inside: { kind: 'not-seen', why }, usedBy: [] };
}
