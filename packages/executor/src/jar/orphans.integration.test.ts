import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  epoch,
  NODE_MARK_VARIABLE,
  nodeId,
  nodeMark,
  type ClusterIdentity,
} from '@mesos-elasticsearch/contract';
import { removeOrphans } from './orphans.ts';

/** This run's own: another run on the same host ends the nodes of its own only. */
const IDENTITY = randomUUID() as ClusterIdentity;
const node = { clusterIdentity: IDENTITY, nodeId: nodeId(7), epoch: epoch(3) };
const started: ReturnType<typeof spawn>[] = [];

/** A session of its own, as the guard has, with a child below it. */
async function leaveBehind(mark: string) {
  const child = spawn('sh', ['-c', 'sleep 600 & echo up; wait'], {
    detached: true,
    env: { PATH: process.env.PATH, [NODE_MARK_VARIABLE]: mark },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

afterEach(() => {
  for (const { pid } of started.splice(0)) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
});

describe('an executor that finds processes of its node', () => {
  it('ends those of an earlier epoch, children included, and no others', async () => {
    const old = await leaveBehind(nodeMark({ ...node, epoch: epoch(2) }));
    const other = await leaveBehind(nodeMark({ ...node, nodeId: nodeId(8), epoch: epoch(1) }));
    const exited = once(old, 'exit');
    const killed = await removeOrphans(node);
    expect(killed.some((text) => text.includes('sleep'))).toBe(true);
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(other.exitCode).toBeNull();
    expect(await removeOrphans(node)).toEqual([]);
  });
});
