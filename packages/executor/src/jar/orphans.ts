/**
 * What an earlier executor of the same node left behind on this machine. The guard has a session of its own and
 * outlives an executor that was killed (that is its job); an agent that destroys containers by session, as the
 * posix launcher does, misses it. So whoever comes next for that node ID ends it first, before any volume is
 * attached: without this, "the container was destroyed" would not mean "Elasticsearch is gone".
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isOrphanMark, NODE_MARK_VARIABLE, type LaunchSpec } from '@mesos-elasticsearch/contract';
import { SetupError } from '../ports.ts';
import { looksHere, type ProcessLooks } from './look.ts';
import type { ProcessEntry } from './process-table.ts';

const LIMIT_MS = 10_000;
const POLL_MS = 50;

type Node = Pick<LaunchSpec, 'clusterIdentity' | 'nodeId' | 'epoch'>;

/**
 * Kills every process of an earlier epoch of this node and waits until none is left.
 * @returns what was killed, as `name (pid N)`
 * @throws SetupError when one does not go (frozen in the kernel, or another user's)
 */
export async function removeOrphans(node: Node, looks: ProcessLooks = looksHere): Promise<readonly string[]> {
  const killed = new Set<string>();
  for (let waited = 0; ; waited += POLL_MS) {
    const left = await orphans(node, looks);
    if (left.length === 0) return [...killed];
    const names = left.map(({ name, pid }) => `${name} (pid ${String(pid)})`);
    if (waited >= LIMIT_MS) {
      throw new SetupError(
        `processes of an earlier epoch of node ${String(node.nodeId)} run on this machine and do not end: ${names.join(', ')}`,
      );
    }
    for (const [index, { pid }] of left.entries()) {
      killed.add(names[index] ?? '');
      kill(pid);
    }
    await delay(POLL_MS);
  }
}

async function orphans(node: Node, looks: ProcessLooks): Promise<readonly ProcessEntry[]> {
  const marked = await looks.processesWith(NODE_MARK_VARIABLE);
  return marked.filter(({ value }) => isOrphanMark(value, node)).map(({ entry }) => entry);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile, or not ours to kill: the next look tells.
  }
}
