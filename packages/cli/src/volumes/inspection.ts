/** All that can be seen of one volume from this host, without changing anything. */
import {
  DRIVERS,
  isMountPoint,
  isUnder,
  knownDriver,
  readMountTable,
  volumeUsers,
  type MountEntry,
  type VolumeDescription,
  type VolumeUser,
} from '@mesos-elasticsearch/dvdcli-bridge';
import type Docker from 'dockerode';
import type { Inside } from './core/removal.ts';
import { lookInside } from './look-inside.ts';
import type { RecordedUses } from './recorded-uses.ts';

export interface Inspection {
  readonly name: string;
  readonly driver: string;
  /** As the driver says; many name one although nothing is mounted. */
  readonly mountpoint: string | undefined;
  /** Lines of this host's mount table at or below the mountpoint. */
  readonly mounts: readonly MountEntry[];
  /** The driver gives a directory that is no mount: it cannot be seen in the mount table. */
  readonly isDirectory: boolean;
  readonly inside: Inside;
  /** Processes, consumers on record in the mount ledger, and containers, one line each. */
  readonly usedBy: readonly string[];
  /** What could not be looked at. */
  readonly notSeen: readonly string[];
}

const DOCKER_LIMIT_MS = 3_000;

export async function inspectHere(
  volume: VolumeDescription,
  docker: Docker,
  recorded: RecordedUses,
): Promise<Inspection> {
  const { name, driver, mountpoint } = volume;
  const containers = await containersWith(docker, volume);
  const others = {
    usedBy: [...recorded.uses, ...containers.usedBy],
    notSeen: [...recorded.notSeen, ...containers.notSeen],
  };
  const known = knownDriver(driver);
  const isDirectory = known !== undefined && !DRIVERS[known].isMount.value && mountpoint !== undefined;
  const base = { name, driver, mountpoint, isDirectory };
  const table = readMountTable();
  const place = mountpoint ?? mountNamed(table, volume);
  if (place === undefined) {
    const inside = { kind: 'not-seen', why: 'it is not mounted here' } as const;
    return { ...base, mounts: [], inside, ...others };
  }
  const mounts = table.filter((entry) => isUnder(entry.mountPoint, place));
  const { users, hidden } = volumeUsers(place);
  return {
    ...base,
    mounts,
    inside: await seenInside(place, isDirectory || isMountPoint(table, place)),
    usedBy: [...users.map(userText), ...others.usedBy],
    notSeen: [...others.notSeen, ...(hidden.length === 0 ? [] : [hiddenText(hidden)])],
  };
}

/**
 * A mount that bears the volume's name: all there is to go by where the driver names no place, mounted or not (REX-Ray).
 * A driver of directories names it wherever the volume is in use.
 */
export function mountNamed(
  table: readonly MountEntry[],
  { name, driver }: Pick<VolumeDescription, 'name' | 'driver'>,
): string | undefined {
  const known = knownDriver(driver);
  if (known !== undefined && !DRIVERS[known].isMount.value) return undefined;
  return table.find(({ mountPoint }) => mountPoint.split('/').includes(name))?.mountPoint;
}

/** An empty directory where nothing is mounted says nothing of the volume. */
async function seenInside(mountpoint: string, isThere: boolean): Promise<Inside> {
  const inside = await lookInside(mountpoint);
  if (inside.kind !== 'no-marker' || isThere) return inside;
  return { kind: 'not-seen', why: `nothing is mounted at ${mountpoint}` };
}

async function containersWith(
  docker: Docker,
  { name, driver }: VolumeDescription,
): Promise<Pick<Inspection, 'usedBy' | 'notSeen'>> {
  try {
    const found = await docker.listContainers({
      all: true,
      filters: { volume: [name] },
      abortSignal: AbortSignal.timeout(DOCKER_LIMIT_MS),
    });
    const users = found.filter(({ Mounts: mounts }) =>
      mounts.some((mount) => mount.Name === name && mount.Driver === driver),
    );
    return {
      usedBy: users.map(
        ({ Names: [first], Id: id, State: state }) => `container ${first?.slice(1) ?? id} (${state})`,
      ),
      notSeen: [],
    };
  } catch {
    return { usedBy: [], notSeen: ['containers (no Docker Engine answers)'] };
  }
}

function hiddenText(pids: readonly number[]): string {
  const [first] = pids;
  const which = pids.length === 1 ? `process ${first ?? ''}` : `${pids.length} processes (${first ?? ''}…)`;
  return `${which}, which this user may not inspect`;
}

export function userText({ pid, name, how }: VolumeUser): string {
  return `${name} (pid ${pid}) ${how}`;
}

export function inspectionText(found: Inspection): string {
  const { name, driver, mountpoint, mounts, isDirectory, inside, usedBy, notSeen } = found;
  const rows: [string, string][] = [
    ['mountpoint', mountpoint ?? 'none'],
    [
      'mounted here',
      mounts
        .map(({ mountPoint, fileSystem, device }) => `${mountPoint} (${fileSystem}, ${device})`)
        .join('; ') || (isDirectory ? `${mountpoint ?? ''} (a directory)` : 'no'),
    ],
    ['marker', insideText(inside)],
    ['used by', usedBy.join('; ') || 'nobody that can be seen'],
    ...notSeen.map((what): [string, string] => ['not looked at', what]),
  ];
  const lines = rows.map(([label, text]) => `  ${`${label}:`.padEnd(16)}${text}`);
  return [`volume ${name} of driver ${driver}`, ...lines].join('\n');
}

function insideText(inside: Inside): string {
  switch (inside.kind) {
    case 'marker':
      return `${inside.file}: ${inside.owner}`;
    case 'no-marker':
      return inside.entries === 0 ? 'none; it is empty' : `none; ${inside.entries} entries in its root`;
    case 'not-seen':
      return `not seen: ${inside.why}`;
  }
}
