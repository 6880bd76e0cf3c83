/** Did the lost node come back as it was? Pure: two snapshots in, every miss out, each in words. */
import type { Recovery, ShardPlace } from './elasticsearch.ts';
import type { VerifyReport } from './report.ts';

export interface NodeSnapshot {
  readonly nodeId: number;
  readonly epoch: number;
  /** Host name of the agent. */
  readonly agent: string;
  /** `node.name` in Elasticsearch. */
  readonly name: string;
  /** Names of the volumes, config first. */
  readonly volumes: readonly string[];
  /** Volume name → identity on its marker. */
  readonly identities: Readonly<Record<string, string>>;
}

export interface Snapshot {
  readonly nodes: readonly NodeSnapshot[];
  readonly documents: number;
  readonly shards: readonly ShardPlace[];
}

export interface Aftermath extends Snapshot {
  readonly missingDocuments: readonly string[];
  readonly recoveries: readonly Recovery[];
  readonly health: { readonly status: string; readonly nodes: number };
}

/** @returns nothing when the node came back with its data */
export function misses(before: Snapshot, after: Aftermath, lostNodeId: number): string[] {
  const lost = nodeOf(before, lostNodeId);
  const found = nodeOf(after, lostNodeId);
  if (lost === undefined) return [`node ${lostNodeId} did not run before`];
  if (found === undefined) return [`node ${lostNodeId} does not run again`];
  return [
    ...placementMisses(before, after, lost, found),
    ...volumeMisses(lost, found),
    ...documentMisses(before, after),
    ...recoveryMisses(before, after, lost),
  ];
}

function placementMisses(
  before: Snapshot,
  after: Aftermath,
  lost: NodeSnapshot,
  found: NodeSnapshot,
): string[] {
  const said: string[] = [];
  if (found.agent === lost.agent)
    said.push(`node ${lost.nodeId} runs on ${lost.agent} again, which was killed`);
  if (found.epoch <= lost.epoch)
    said.push(`the epoch of node ${lost.nodeId} did not grow: ${lost.epoch}, then ${found.epoch}`);
  const idsBefore = idsOf(before).join(', ');
  const idsAfter = idsOf(after).join(', ');
  if (idsBefore !== idsAfter) said.push(`the node IDs changed: ${idsBefore}, then ${idsAfter}`);
  for (const node of before.nodes) {
    const now = nodeOf(after, node.nodeId);
    if (node.nodeId === lost.nodeId || now === undefined) continue;
    if (now.agent !== node.agent || now.epoch !== node.epoch) {
      said.push(`node ${node.nodeId} moved although its machine lives: ${node.agent}, then ${now.agent}`);
    }
  }
  if (after.health.status !== 'green') said.push(`the cluster is ${after.health.status}, not green`);
  if (after.health.nodes !== before.nodes.length)
    said.push(`the cluster has ${after.health.nodes} nodes, not ${before.nodes.length}`);
  return said;
}

function volumeMisses(lost: NodeSnapshot, found: NodeSnapshot): string[] {
  if (lost.volumes.join() !== found.volumes.join()) {
    return [
      `node ${lost.nodeId} has other volumes: ${lost.volumes.join(', ')}, then ${found.volumes.join(', ')}`,
    ];
  }
  return lost.volumes
    .filter((name) => lost.identities[name] === undefined || lost.identities[name] !== found.identities[name])
    .map(
      (name) =>
        `the marker on ${name} is not the old one: ${lost.identities[name] ?? 'none'}, then ${found.identities[name] ?? 'none'}`,
    );
}

function documentMisses(before: Snapshot, after: Aftermath): string[] {
  const said: string[] = [];
  if (after.documents !== before.documents)
    said.push(`there were ${before.documents} documents, now there are ${after.documents}`);
  if (after.missingDocuments.length > 0) {
    const few = after.missingDocuments.slice(0, 5).join(', ');
    said.push(
      `${after.missingDocuments.length} documents are lost: ${few}${after.missingDocuments.length > 5 ? '…' : ''}`,
    );
  }
  return said;
}

function recoveryMisses(before: Snapshot, after: Aftermath, lost: NodeSnapshot): string[] {
  const moved = before.shards.filter((place) => place.node === lost.name);
  if (moved.length === 0) return [`node ${lost.nodeId} held no shard, so nothing was shown`];
  return moved.flatMap(({ shard }) => {
    const recovery = after.recoveries.find((candidate) => candidate.shard === shard);
    if (recovery === undefined) return [`nothing is known of the recovery of shard ${shard}`];
    if (recovery.type !== 'EXISTING_STORE')
      return [`shard ${shard} came from ${recovery.type}, not from EXISTING_STORE`];
    if (recovery.node !== lost.name)
      return [`shard ${shard} came back on ${recovery.node}, not on ${lost.name}`];
    return [];
  });
}

export interface Circumstances {
  readonly lostNodeId: number;
  readonly seconds: VerifyReport['seconds'];
  readonly driver: string;
  readonly runtime: string;
  readonly elasticsearch: string;
}

export function reportOf(before: Snapshot, after: Aftermath, circumstances: Circumstances): VerifyReport {
  const { lostNodeId, ...rest } = circumstances;
  const lost = nodeOf(before, lostNodeId);
  const moved = new Set(
    before.shards.filter((place) => place.node === lost?.name).map((place) => place.shard),
  );
  const types = new Set(after.recoveries.filter(({ shard }) => moved.has(shard)).map(({ type }) => type));
  return {
    nodeIds: { before: idsOf(before), after: idsOf(after) },
    volumes: after.nodes.flatMap((node) => node.volumes),
    documents: { before: before.documents, after: after.documents },
    recoveredFrom: [...types].join(','),
    epochs: { before: epochsOf(before), after: epochsOf(after) },
    lostAgent: lost?.agent ?? '',
    lostNodeId,
    ...rest,
  };
}

function nodeOf({ nodes }: Snapshot, nodeId: number): NodeSnapshot | undefined {
  return nodes.find((node) => node.nodeId === nodeId);
}

function idsOf({ nodes }: Snapshot): number[] {
  return nodes.map((node) => node.nodeId).sort((a, b) => a - b);
}

function epochsOf({ nodes }: Snapshot): Record<string, number> {
  return Object.fromEntries(nodes.map((node) => [String(node.nodeId), node.epoch]));
}
