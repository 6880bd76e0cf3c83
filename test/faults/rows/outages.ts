/** ZooKeeper is gone for so long that every lease runs out. */
import { isThere } from '../cluster/victims.ts';
import { LASTING_MS, LEASE_MS, MOVED_MS, PAUSE_BOUND_MS, SETTLED_MS } from './durations.ts';
import { lastWriteBeforeRelease } from './last-write.ts';
import type { FaultRow, Ground } from './row.ts';

const LOOK_MS = 100;
/** By then nobody can have renewed: a lease may pass on, so its holder must have stopped. */
const STOPPED_WITHIN_MS = LEASE_MS + PAUSE_BOUND_MS;
/** Later is a miss; much later is not waited for. */
const GIVE_UP_MS = 3 * STOPPED_WITHIN_MS;
/** Each of them is durable before it is said. */
const DECISIONS = ['assigned', 'launched', 'releasing', 'released', 'retired'] as const;

export const OUTAGES: readonly FaultRow[] = [
  {
    name: 'zookeeper-gone-longer-than-a-lease',
    class: 'kill',
    cluster: 'plain',
    victim: 'ZooKeeper',
    fault: `kill -9, started again after ${LASTING_MS / 1000} s, when every node has stopped by itself`,
    outcome: 'returns',
    everyNode: true,
    holds:
      'of every node: it stops by itself within its lease, and nothing is decided while ZooKeeper is silent; all of them come back',
    // Three nodes start at once, after a lease in which none can.
    boundMs: MOVED_MS + SETTLED_MS,
    always: false,
    async harm(ground) {
      const { zookeeper } = ground.cluster.links.coordination;
      if (zookeeper === undefined) throw new Error('this cluster has no ZooKeeper');
      const { schedulers, progress } = ground.cluster;
      const { pid } = schedulers;
      // Its session may be over by the time that ZooKeeper is back.
      schedulers.expectEnd(pid);
      await zookeeper.kill();
      const place = progress.length;
      // Whoever wants to decide something about nodes that are gone has had the time for it.
      await Promise.all([untilAllStopped(ground), ground.lasting(LASTING_MS)]);
      for (const line of progress.since(place)) {
        if (!DECISIONS.some((kind) => kind === line.kind)) continue;
        ground.missed(`${line.kind} was said while ZooKeeper was gone: ${JSON.stringify(line)}`);
      }
      await zookeeper.start();
      await untilSomebodyLeads(ground, pid);
    },
    check: lastWriteBeforeRelease,
  },
];

async function untilAllStopped({ cluster, lasting, missed }: Ground): Promise<void> {
  const goneAt = performance.now();
  const since = () => performance.now() - goneAt;
  for (const { nodeId, taskId } of cluster.board.running()) {
    while (isThere(taskId, 'elasticsearch')) {
      if (since() > GIVE_UP_MS) throw new Error(`node ${nodeId} does not stop while ZooKeeper is gone`);
      await lasting(LOOK_MS);
    }
    if (since() > STOPPED_WITHIN_MS) {
      missed(`node ${nodeId} stopped ${Math.round(since())} ms after ZooKeeper was gone`);
    }
  }
}

/** ZooKeeper gives sessions that it has on disk their whole length anew: who is back within it leads on. */
async function untilSomebodyLeads({ cluster, lasting }: Ground, leader: number): Promise<void> {
  const { schedulers, progress } = cluster;
  const place = progress.length;
  const decides = () => progress.since(place).some(({ kind }) => kind === 'assigned');
  const deadline = performance.now() + SETTLED_MS;
  while (schedulers.pids().includes(leader) && !decides()) {
    if (performance.now() > deadline)
      throw new Error(`scheduler ${leader} neither ends nor launches anything`);
    await lasting(LOOK_MS);
  }
  if (schedulers.pids().includes(leader)) schedulers.expectEnd(leader, false);
  else await schedulers.start();
}
