/** Whether nothing is missing, asked of everyone who must know: scheduler, master and Elasticsearch. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterUnderTest } from './start-cluster.ts';

const POLL_MS = 250;
const CALL_LIMIT_MS = 3000;

interface ClusterView {
  readonly subscription: string;
  readonly runningNodes: number;
  readonly suspectNodes: readonly number[];
}
interface MasterState {
  readonly slaves: readonly { readonly hostname: string; readonly active: boolean }[];
}

/** @throws Error naming what was missing last, after `limitMs` */
export async function untilWhole(cluster: ClusterUnderTest, limitMs: number): Promise<void> {
  const { signal } = cluster;
  const deadline = performance.now() + limitMs;
  for (;;) {
    signal.throwIfAborted();
    const missing = await whatIsMissing(cluster);
    if (missing === undefined) return;
    if (performance.now() > deadline) throw new Error(`not whole within ${limitMs / 1000} s: ${missing}`);
    await pause(POLL_MS, undefined, { signal });
  }
}

async function whatIsMissing(cluster: ClusterUnderTest): Promise<string | undefined> {
  const { shape, schedulers, machines, board, elasticsearch } = cluster;
  if (!schedulers.leads) return 'no scheduler leads';
  const view = await ask<ClusterView>(`${schedulers.url}/v1/cluster`);
  if (view === undefined) return 'the scheduler does not answer';
  if (view.subscription !== 'subscribed') return `the scheduler is ${view.subscription}`;
  if (view.runningNodes !== shape.nodes || view.suspectNodes.length > 0) {
    return `${view.runningNodes} nodes run, suspect: ${view.suspectNodes.join(', ') || 'none'}`;
  }
  if (board.running().length !== shape.nodes) return `the board shows ${board.running().length} nodes`;
  const state = await ask<MasterState>(`${machines.cluster.masterUrl}/state`);
  const active = new Set(state?.slaves.filter((slave) => slave.active).map((slave) => slave.hostname));
  const away = machines.list.map(({ name }) => name).filter((name) => !active.has(name));
  if (away.length > 0) return `the master misses ${away.join(', ')}`;
  const health = await elasticsearch.health().catch(() => undefined);
  if (health === undefined) return 'Elasticsearch does not answer';
  const { status, nodes } = health;
  return status === 'green' && nodes === shape.nodes
    ? undefined
    : `Elasticsearch is ${status} with ${nodes} nodes`;
}

async function ask<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(CALL_LIMIT_MS) });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}
