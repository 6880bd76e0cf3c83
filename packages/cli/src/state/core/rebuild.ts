/**
 * A new ledger out of what is left of a lost one: an export, task labels, markers on volumes, leases. Pure. Every node
 * that was found is suspect, so that nothing is launched before there is proof or an operator's word.
 */
import { nodeId, type FrameworkRecord, type NodeId, type NodeRecord } from '@mesos-elasticsearch/contract';
import { agreement, type Agreed } from './agreement.ts';
import { exportsOf, leasesOf, type Evidence } from './evidence.ts';
import { foundNodeIds, rebuiltNode, unknownHolder } from './rebuilt-node.ts';

export type Rebuilt =
  | {
      readonly ok: true;
      readonly framework: FrameworkRecord;
      /** By node ID. */
      readonly nodes: readonly NodeRecord[];
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Beyond that a single wrong number is likelier than so many nodes without a trace. */
const MOST_GAPS = 1000;

export function rebuildLedger(evidence: Evidence, nowMs: number): Rebuilt {
  const { agreed, problems } = agreement(evidence);
  if (agreed === undefined) return { ok: false, problems };
  const found = foundNodeIds(evidence);
  const highest = Math.max(0, ...found);
  if (highest - found.length > MOST_GAPS) {
    const missing = `nothing was found of ${highest - found.length} node IDs below ${highest}`;
    return { ok: false, problems: [`${missing}: is node ${highest} one of this cluster?`] };
  }
  const rebuilt = found.map((id) => rebuiltNode(evidence, id, agreed.frameworkId, nowMs));
  const gaps = gapsIn(found);
  const nodes = [
    ...rebuilt.map(({ record }) => record),
    ...gaps.map((id) => gapNode(id, agreed.frameworkId, nowMs)),
  ].sort((a, b) => a.nodeId - b.nodeId);
  return {
    ok: true,
    framework: frameworkOf(evidence, agreed, nodes),
    nodes,
    warnings: [...rebuilt.flatMap(({ warnings }) => warnings), ...warningsOf(gaps, nodes)],
  };
}

function frameworkOf(evidence: Evidence, agreed: Agreed, nodes: readonly NodeRecord[]): FrameworkRecord {
  const newest = exportsOf(evidence)[0]?.framework;
  // No more than there are: a node ID that nothing was found of is not handed out before an operator wants more.
  const wantedNodes = nodes.length;
  return {
    clusterIdentity: agreed.clusterIdentity,
    frameworkName: evidence.frameworkName,
    clusterName: evidence.clusterName,
    ...(agreed.frameworkId === undefined ? {} : { frameworkId: agreed.frameworkId }),
    ...(newest?.initialMasterNodes === undefined ? {} : { initialMasterNodes: newest.initialMasterNodes }),
    bootstrapped: mayHaveFormed(evidence),
    ...(wantedNodes === 0 ? {} : { wantedNodes }),
    ...(agreed.clusterUuid === undefined ? {} : { clusterUuid: agreed.clusterUuid }),
    ...(newest?.settings === undefined ? {} : { settings: newest.settings }),
  };
}

/**
 * A cluster that is wrongly taken for formed waits for its masters, and a person sees it. One that is wrongly taken
 * for new would be formed a second time.
 */
function mayHaveFormed(evidence: Evidence): boolean {
  return (
    evidence.exports.length === 0 ||
    evidence.exports.some(({ framework }) => framework.bootstrapped) ||
    evidence.markers.length > 0 ||
    evidence.tasks.length > 0 ||
    leasesOf(evidence).some(({ lease }) => lease !== undefined)
  );
}

/** Node IDs below the highest of which nothing was found. They were handed out: the lowest free one always goes first. */
function gapsIn(found: readonly NodeId[]): NodeId[] {
  const known = new Set<number>(found);
  return Array.from({ length: Math.max(0, ...found) }, (_, at) => nodeId(at + 1)).filter(
    (id) => !known.has(id),
  );
}

/** Its volumes most likely hold data: an empty one in their place is refused. */
function gapNode(id: NodeId, frameworkId: string | undefined, nowMs: number): NodeRecord {
  return {
    nodeId: id,
    epoch: 1,
    phase: 'suspect',
    holder: unknownHolder(id, 1, frameworkId),
    dataOnRecord: true,
    suspectPolicy: 'wait',
    why: 'rebuilt: nothing was found of this node, but a higher node ID was handed out, so this one was too',
    since: nowMs,
  };
}

function warningsOf(gaps: readonly NodeId[], nodes: readonly NodeRecord[]): string[] {
  const highest = Math.max(0, ...nodes.map((node) => node.nodeId));
  return [
    ...gaps.map(
      (id) =>
        `node ${id}: nothing was found of it; its epoch is a guess, its volumes are checked by their markers`,
    ),
    `node IDs above ${highest}: nothing was found of any. Were there more, find a marker, a task or a lease of them before ` +
      `you want more than ${nodes.length} nodes: they would be handed out anew`,
  ];
}
