/**
 * Which node ID is handed out next: the lowest free one, a freed one before a new one, without an upper limit.
 * A value, not an object with a memory: each operation returns the next value, so a plan can try one out.
 *
 * All IDs above `highest` were never handed out. Free IDs at or below it are kept as ranges in a persistent
 * leftist heap ordered by their first ID, so take and free cost O(log n) comparisons at most.
 */
import { nodeId, type NodeId } from '@mesos-elasticsearch/contract';

export interface NodeIds {
  readonly highest: number;
  readonly gaps: Heap | undefined;
}

interface Heap {
  /** First and last free ID of this range, both inclusive. */
  readonly from: number;
  readonly to: number;
  /** Length of the right spine: bounds every merge. */
  readonly rank: number;
  readonly left: Heap | undefined;
  readonly right: Heap | undefined;
}

/** Told of each comparison; tests count them instead of measuring time. */
export type OnComparison = () => void;
const ignore: OnComparison = () => undefined;

export const NO_NODE_IDS: NodeIds = { highest: 0, gaps: undefined };

/** The allocator as it stands when exactly `taken` are in use. O(n log n). */
export function nodeIdsInUse(taken: Iterable<NodeId>): NodeIds {
  const sorted = [...new Set<number>(taken)].sort((a, b) => a - b);
  let gaps: Heap | undefined;
  let highest = 0;
  for (const id of sorted) {
    if (id > highest + 1) gaps = merge(gaps, range(highest + 1, id - 1), ignore);
    highest = id;
  }
  return { highest, gaps };
}

export function takeLowest(
  ids: NodeIds,
  onComparison = ignore,
): { readonly id: NodeId; readonly ids: NodeIds } {
  const { gaps } = ids;
  if (gaps === undefined) {
    return { id: nodeId(ids.highest + 1), ids: { highest: ids.highest + 1, gaps: undefined } };
  }
  const rest = merge(gaps.left, gaps.right, onComparison);
  const left = gaps.from === gaps.to ? rest : merge(rest, range(gaps.from + 1, gaps.to), onComparison);
  return { id: nodeId(gaps.from), ids: { highest: ids.highest, gaps: left } };
}

/**
 * Makes a taken ID free again. Freeing an ID that is free already would hand it out twice, so the caller
 * frees only on the step from held to vacant.
 * @throws RangeError for an ID that was never taken.
 */
export function free(ids: NodeIds, id: NodeId, onComparison = ignore): NodeIds {
  if (id > ids.highest) throw new RangeError(`node ID ${id} was never taken`);
  return { highest: ids.highest, gaps: merge(ids.gaps, range(id, id), onComparison) };
}

/** The next `count` IDs that would be taken, lowest first. */
export function lowestFree(ids: NodeIds, count: number): NodeId[] {
  const found: NodeId[] = [];
  let rest = ids;
  while (found.length < count) {
    const taken = takeLowest(rest);
    found.push(taken.id);
    rest = taken.ids;
  }
  return found;
}

function range(from: number, to: number): Heap {
  return { from, to, rank: 1, left: undefined, right: undefined };
}

function merge(a: Heap | undefined, b: Heap | undefined, onComparison: OnComparison): Heap | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  onComparison();
  const [top, other] = a.from <= b.from ? [a, b] : [b, a];
  const merged = merge(top.right, other, onComparison);
  const [left, right] = rankOf(top.left) >= rankOf(merged) ? [top.left, merged] : [merged, top.left];
  return { from: top.from, to: top.to, rank: rankOf(right) + 1, left, right };
}

function rankOf(heap: Heap | undefined): number {
  return heap?.rank ?? 0;
}
