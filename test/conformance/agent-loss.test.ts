import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { taskId } from '@mesos-elasticsearch/mesos-v1';
import type { AgentId } from '@mesos-elasticsearch/mesos-v1';
import type { ClusterControl, Victim } from '@mesos-elasticsearch/local';
import { BareScheduler, FRAMEWORK } from './bare-scheduler.ts';
import { matters, recordedEvents, storyOf } from './recording.ts';
import type { Matter } from './recording.ts';
import { noFaults, startTarget } from './target.ts';
import type { Target } from './target.ts';
import { executorTask, launch } from './tasks.ts';

const WHY_NOT = noFaults ? ' (skipped: CLUSTER_CONTROL names no program that can harm an agent)' : '';

let target: Target;
let control: ClusterControl;
beforeAll(async () => {
  if (noFaults) return;
  target = await startTarget();
  control = target.control!;
});
afterAll(async () => {
  if (!noFaults) await target.stop();
});

const AWARE = { ...FRAMEWORK, capabilities: [{ type: 'PARTITION_AWARE' as const }] };

async function running(info: typeof FRAMEWORK, name: string) {
  const scheduler = new BareScheduler(target.master);
  await scheduler.subscribe(info);
  const offer = await scheduler.offer();
  await scheduler.call(launch(offer, executorTask(name, offer, target)));
  await scheduler.update(taskId(name));
  const status = await scheduler.update(taskId(name));
  const victim: Victim = { kind: 'agent', agent: target.agentName(offer.agentId, offer.hostname) };
  return { scheduler, agentId: offer.agentId, victim, pid: status.containerStatus!.executorPid! };
}

async function reconciled(scheduler: BareScheduler, name: string, agentId: AgentId) {
  await scheduler.call({ type: 'RECONCILE', reconcile: { tasks: [{ taskId: taskId(name), agentId }] } });
  return scheduler.updateThat(taskId(name), ({ reason }) => reason === 'REASON_RECONCILIATION');
}

async function registeredAgain(scheduler: BareScheduler, agentId: AgentId): Promise<void> {
  await scheduler.offer((offer) => offer.agentId === agentId);
}

/** The master's executor bookkeeping apart, in the order they came. */
const inOrder = (events: Parameters<typeof matters>[0]): Matter[] => matters(events);

describe.skipIf(noFaults)(`an agent frozen and thawed${WHY_NOT}`, () => {
  test('recording 04, PARTITION_AWARE: UNREACHABLE, then running again', async () => {
    const { scheduler, agentId, victim } = await running(AWARE, 'l1');
    await control.freeze(victim);
    await scheduler.next('FAILURE');
    await reconciled(scheduler, 'l1', agentId);
    await control.thaw(victim);
    await registeredAgain(scheduler, agentId);
    await reconciled(scheduler, 'l1', agentId);
    expect(inOrder(scheduler.events)).toEqual(inOrder(recordedEvents('04-agent-lost-partition-aware')));
    await scheduler.teardown();
  });

  test('recording 05, not PARTITION_AWARE: LOST, and the executor is shut down on return', async () => {
    const { scheduler, agentId, victim } = await running(FRAMEWORK, 'l1');
    await control.freeze(victim);
    await scheduler.next('FAILURE');
    await reconciled(scheduler, 'l1', agentId);
    await control.thaw(victim);
    await scheduler.next('FAILURE', (event) => event.failure.executorId !== undefined);
    await reconciled(scheduler, 'l1', agentId);
    expect(inOrder(scheduler.events)).toEqual(inOrder(recordedEvents('05-agent-lost-not-partition-aware')));
    await scheduler.teardown();
  });
});

describe.skipIf(noFaults)(`an agent killed and started again${WHY_NOT}`, () => {
  test('recording 06: its executor survives and reconnects', async () => {
    const { scheduler, agentId, victim, pid } = await running(FRAMEWORK, 'r1');
    await control.kill(victim);
    await control.start(victim);
    await registeredAgain(scheduler, agentId);
    const answer = await reconciled(scheduler, 'r1', agentId);
    expect(answer.containerStatus?.executorPid).toBe(pid);
    const states = (events: typeof scheduler.events) =>
      storyOf('r1', events).filter((one) => one.event === 'UPDATE');
    expect(states(scheduler.events)).toEqual(states(recordedEvents('06-agent-restart-executor-survives')));
    await scheduler.call({ type: 'KILL', kill: { taskId: taskId('r1') } });
    await scheduler.updateThat(taskId('r1'), ({ state }) => state === 'TASK_KILLED');
    await scheduler.teardown();
  });
});
