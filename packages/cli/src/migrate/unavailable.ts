/** Which indices are away while a node has its turn, for no other node has a copy of some shard of theirs. */
import { z } from 'zod';

/** Of `GET _cat/shards?format=json`; `node` is absent or null for what is not allocated. */
const shardsSchema = z.array(
  z.object({ index: z.string(), shard: z.string(), state: z.string(), node: z.string().nullish() }),
);
export type Shards = z.infer<typeof shardsSchema>;

const LIMIT_MS = 15_000;

/** Asks one node after the other. @throws Error naming what each of them said */
export async function readShards(addresses: readonly string[]): Promise<Shards> {
  const failures: string[] = [];
  for (const address of addresses) {
    try {
      const url = `http://${address}/_cat/shards?format=json&h=index,shard,state,node`;
      const response = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return shardsSchema.parse(await response.json());
    } catch (error) {
      failures.push(`${address}: ${(error as Error).message}`);
    }
  }
  throw new Error(`no node tells which shards it has: ${failures.join('; ') || 'none runs'}`);
}

/** Index → the nodes, by name, on whose turn it is not whole. Both in alphabetical order. */
export function unavailableIndices(shards: Shards): ReadonlyMap<string, readonly string[]> {
  const copies = new Map<string, string[]>();
  for (const { index, shard, state, node } of shards) {
    const key = JSON.stringify([index, shard]);
    const nodes = copies.get(key) ?? [];
    const counts = (state === 'STARTED' || state === 'RELOCATING') && typeof node === 'string';
    copies.set(key, counts ? [...nodes, firstWord(node)] : nodes);
  }
  const found = new Map<string, Set<string>>();
  for (const [key, nodes] of copies) {
    const [only] = nodes;
    if (only === undefined || nodes.length > 1) continue;
    const [index] = JSON.parse(key) as [string];
    found.set(index, (found.get(index) ?? new Set()).add(only));
  }
  const sorted = [...found].map(([index, nodes]) => [index, [...nodes].sort()] as const);
  return new Map(sorted.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A shard that relocates is shown as `from -> host id to`. */
function firstWord(node: string): string {
  return node.split(' ')[0] ?? node;
}
