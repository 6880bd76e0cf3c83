/** Which volumes a node has on which driver, and whose turn it is to be moved. */
import { volumeNameOf } from '@mesos-elasticsearch/contract';
import type { ClusterMigration, NodeId, NodeRecord, NodeVolumes } from '@mesos-elasticsearch/contract';
import type { VolumeName, VolumeSpec } from '@mesos-elasticsearch/contract';
import { heldNodes, type DesiredCluster, type Model } from '../model.ts';

/** Driver and options of each role; what a volume is beside its name. */
export type VolumeKinds = ClusterMigration['to'];

export function nodeVolumesOf(frameworkName: string, nodeId: NodeId, kinds: VolumeKinds): NodeVolumes {
  const of = (role: 'config' | 'data') => volumeOf(volumeNameOf(frameworkName, nodeId, role), kinds[role]);
  return { config: of('config'), data: of('data') };
}

/** `{volume}` in an option stands for the volume's name: drivers such as rclone want a place for each volume. */
function volumeOf(name: VolumeName, { driver, options }: VolumeKind): VolumeSpec {
  const own = Object.entries(options).map(([key, value]) => [key, value.replaceAll('{volume}', name)]);
  return { name, driver, options: Object.fromEntries(own) as Record<string, string> };
}

/** The last ordered migration wins over the flags. */
export function kindsNow({ cluster }: DesiredCluster, model: Model): VolumeKinds {
  return model.framework?.record.migration?.to ?? cluster.volumes;
}

export function isSameVolumes(one: NodeVolumes, other: NodeVolumes): boolean {
  return isSameVolume(one.config, other.config) && isSameVolume(one.data, other.data);
}

export function isSameKinds(one: VolumeKinds, other: VolumeKinds): boolean {
  return isSameKind(one.config, other.config) && isSameKind(one.data, other.data);
}

function isSameVolume(one: VolumeSpec, other: VolumeSpec): boolean {
  return one.name === other.name && isSameKind(one, other);
}

type VolumeKind = Pick<VolumeSpec, 'driver' | 'options'>;

function isSameKind(one: VolumeKind, other: VolumeKind): boolean {
  const names = Object.keys(one.options);
  return (
    one.driver === other.driver &&
    names.length === Object.keys(other.options).length &&
    names.every((name) => one.options[name] === other.options[name])
  );
}

/** Config and data may be of different drivers. */
export function driversOf({ config, data }: NodeVolumes): string[] {
  return [...new Set([config.driver, data.driver])];
}

/** Two volumes of one name at one driver are one volume. */
export function sharesDriver(one: NodeVolumes, other: NodeVolumes): boolean {
  return one.config.driver === other.config.driver || one.data.driver === other.data.driver;
}

/** The node whose turn it is, wherever it stands in it. */
export function turnOf(model: Model): NodeRecord | undefined {
  return [...model.nodes.values()]
    .map(({ record }) => record)
    .find(({ migration }) => migration !== undefined);
}

/** The node whose turn it is has a proven copy, and goes back to where it was copied from by a move to these kinds. */
export function isWayBack(
  { framework }: DesiredCluster,
  { nodeId, migration }: NodeRecord,
  to: VolumeKinds,
): boolean {
  if (migration?.stage !== 'copied') return false;
  return isSameVolumes(nodeVolumesOf(framework.name, nodeId, to), migration.from);
}

/**
 * Nodes that are wanted and whose volumes are not on the migration's driver, lowest node ID first. Retired nodes keep
 * theirs.
 */
export function nodesToMove(desired: DesiredCluster, model: Model, to: VolumeKinds): NodeRecord[] {
  const vacant = [...model.vacancies].flatMap((nodeId) => {
    const record = model.nodes.get(nodeId)?.record;
    return record?.phase === 'vacant' && record.dataOnRecord ? [record] : [];
  });
  return [...heldNodes(model), ...vacant]
    .filter(({ nodeId, volumes }) => {
      if (volumes === undefined) return false;
      return !isSameVolumes(volumes, nodeVolumesOf(desired.framework.name, nodeId, to));
    })
    .sort((a, b) => a.nodeId - b.nodeId);
}
