import { describe, expect, it } from 'vitest';
import { ENCODINGS } from '../codec/encoding.ts';
import { decodeSchedulerCall, encodeSchedulerCall } from '../codec/calls.ts';
import { buildFrameworkInfo, buildTaskInfo, buildTaskStatus } from '../testing/index.ts';
import type { StatusUuid } from '../types/ids.ts';
import { agentId, executorId, frameworkId, offerId, taskId } from '../types/ids.ts';
import { schedulerCalls } from './scheduler-calls.ts';

const id = frameworkId('f');
const [agent, task, executor] = [agentId('a'), taskId('t'), executorId('e')];
const uuid = 'L9INogaDSY2rTN7Ui7c8lA==' as StatusUuid;

describe('scheduler calls', () => {
  const built = [
    schedulerCalls.subscribe(buildFrameworkInfo({ id }), ['idle']),
    schedulerCalls.accept({
      offerIds: [offerId('o')],
      operations: [{ type: 'LAUNCH', launch: { taskInfos: [buildTaskInfo()] } }],
      filters: { refuseSeconds: 0 },
    }),
    schedulerCalls.decline([offerId('o')], { refuseSeconds: 3600 }),
    schedulerCalls.revive(),
    schedulerCalls.revive(['es']),
    schedulerCalls.suppress(),
    schedulerCalls.suppress(['es']),
    schedulerCalls.kill({
      taskId: task,
      agentId: agent,
      killPolicy: { gracePeriod: { nanoseconds: 3_000_000_000n } },
    }),
    schedulerCalls.shutdown({ agentId: agent, executorId: executor }),
    schedulerCalls.acknowledge(buildTaskStatus({ agentId: agent, uuid }))!,
    schedulerCalls.reconcile([{ taskId: task, agentId: agent }]),
    schedulerCalls.message({ agentId: agent, executorId: executor, data: new Uint8Array([1]) }),
    schedulerCalls.teardown(),
  ];
  for (const encoding of ENCODINGS) {
    it.each(built)(`are what the master reads (${encoding}): $type`, (call) => {
      const whole = { ...call, frameworkId: id };
      expect(decodeSchedulerCall(encodeSchedulerCall(whole, encoding), encoding)).toEqual(whole);
    });
  }

  it('leave out the framework id until there is one', () => {
    expect(schedulerCalls.subscribe(buildFrameworkInfo())).not.toHaveProperty('frameworkId');
  });

  it('acknowledge only what an agent made', () => {
    expect(schedulerCalls.acknowledge(buildTaskStatus({ agentId: agent }))).toBeNull();
  });

  it('reconcile implicitly with no tasks', () => {
    const bytes = encodeSchedulerCall(
      { ...schedulerCalls.reconcile([]), frameworkId: id },
      'application/json',
    );
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({
      framework_id: { value: 'f' },
      type: 'RECONCILE',
      reconcile: {},
    });
  });
});
