/** Node IDs and the one place where a node ID becomes volume names, and back. */
declare const brand: unique symbol;

/** 1, 2, 3…, no upper limit. Names the node's volumes. */
export type NodeId = number & { readonly [brand]: 'NodeId' };
/** Grows with every assignment of a node ID; the fencing token. 1 is the first. */
export type Epoch = number & { readonly [brand]: 'Epoch' };
export type VolumeName = string & { readonly [brand]: 'VolumeName' };
/** Random, made when a cluster is first deployed; kept in the ledger and on every volume. */
export type ClusterIdentity = string & { readonly [brand]: 'ClusterIdentity' };

export type VolumeRole = 'config' | 'data';
export const VOLUME_ROLES: readonly VolumeRole[] = ['config', 'data'];

/** Set by the scheduler in the executor's environment; read by the executor. */
export const NODE_ID_VARIABLE = 'ELASTICSEARCH_NODE_ID';

export function nodeId(value: number): NodeId {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new TypeError(`a node ID is a whole number from 1 upwards, not ${String(value)}`);
  }
  return value as NodeId;
}

/** @throws TypeError for anything but decimal digits without sign, blank or leading zero. */
export function parseNodeId(text: string): NodeId {
  if (!/^[1-9][0-9]*$/.test(text)) throw new TypeError(`not a node ID: ${JSON.stringify(text)}`);
  return nodeId(Number(text));
}

export function epoch(value: number): Epoch {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new TypeError(`an epoch is a whole number from 1 upwards, not ${String(value)}`);
  }
  return value as Epoch;
}

/** What every path of the bridge can carry (Docker's own rule, from two characters on). */
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,254}$/;

/** @throws TypeError naming the rule. */
export function volumeName(text: string): VolumeName {
  if (!VOLUME_NAME.test(text)) {
    throw new TypeError(`not a volume name: ${JSON.stringify(text)} (wanted: ${VOLUME_NAME.source})`);
  }
  return text as VolumeName;
}

/** `elasticsearch` + 1 + `data` → `elasticsearch1data`. */
export function volumeNameOf(frameworkName: string, id: NodeId, role: VolumeRole): VolumeName {
  return volumeName(`${frameworkName}${String(id)}${role}`);
}

/** The inverse of {@link volumeNameOf}; undefined for a name that is not of this framework's form. */
export function parseVolumeName(
  frameworkName: string,
  name: string,
): { nodeId: NodeId; role: VolumeRole } | undefined {
  if (!name.startsWith(frameworkName)) return undefined;
  const match = /^([1-9][0-9]*)(config|data)$/.exec(name.slice(frameworkName.length));
  if (match?.[1] === undefined) return undefined;
  return { nodeId: parseNodeId(match[1]), role: match[2] as VolumeRole };
}
