/** Ends every node in good order before their machines go. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningDemo } from './running-demo.ts';
import { tearDownFramework } from './teardown.ts';

const TEARDOWN_WITHIN_MS = 10_000;
const NODES_END_WITHIN_MS = 60_000;
const POLL_MS = 200;

/** What does not end in time is killed with its machine, which follows. */
export async function stopNodes(demo: RunningDemo, user: string): Promise<void> {
  const { machines, board, frameworkName } = demo;
  const { frameworkId } = board;
  if (frameworkId === undefined) return;
  const framework = { id: frameworkId, name: frameworkName, user };
  const refused = await tearDownFramework(machines.cluster.masterUrl, framework, TEARDOWN_WITHIN_MS);
  if (refused !== undefined) {
    demo.narrator.line(`The nodes cannot be stopped in good order (${refused}): they are killed.`);
    return;
  }
  const deadline = performance.now() + NODES_END_WITHIN_MS;
  while (performance.now() < deadline && executorsRun(demo)) await pause(POLL_MS);
}

/** More on a machine than its agent and its volume driver. */
function executorsRun({ machines }: RunningDemo): boolean {
  return machines.list.some(({ name, driver }) => {
    const own = [machines.cluster.agents.get(name)?.pid, driver?.pid];
    return [...machines.cluster.machinePids(name)].some((pid) => !own.includes(pid));
  });
}
