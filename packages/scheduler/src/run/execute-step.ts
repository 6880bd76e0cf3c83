/** One executor for each kind of step. Each answers with what happened; a failure is an answer too. */
import { encodeJson, epoch } from '@mesos-elasticsearch/contract';
import {
  LeaseUnavailableError,
  LedgerError,
  type LeaseService,
  type LedgerStore,
} from '@mesos-elasticsearch/coordination';
import type { SchedulerCall } from '@mesos-elasticsearch/mesos-v1';
import type { CoreEvent } from '../core/events.ts';
import type { Step, StepKind, StepOf } from '../core/steps.ts';
import type { Clock, MesosGateway } from '../ports.ts';

export interface StepWorld {
  readonly ledger: LedgerStore;
  readonly leases: LeaseService;
  readonly clock: Clock;
  /** The gateway of the moment. */
  gateway(): MesosGateway;
  /** Closes the gateway and opens one without a framework ID. */
  registerAnew(): Promise<void>;
  stop(reason: 'replaced' | 'refused', message: string): void;
  /** Starts the fence command for every volume of the step; its outcome is dispatched as `fenced`. */
  fence(step: StepOf<'fence'>): void;
  /** Starts asking; what comes of it is dispatched as `elasticsearch-answered`. */
  askElasticsearch(step: StepOf<'ask-elasticsearch'>): void;
}

type Executors = {
  readonly [K in StepKind]: (step: StepOf<K>, world: StepWorld) => Promise<CoreEvent | undefined>;
};

/** A lease service that hangs counts as one that does not answer: every one of its operations may be repeated. */
const LEASE_TIME_LIMIT_MS = 10_000;

export async function executeStep(step: Step, world: StepWorld): Promise<CoreEvent | undefined> {
  const execute = EXECUTORS[step.kind] as (step: Step, world: StepWorld) => Promise<CoreEvent | undefined>;
  try {
    return await execute(step, world);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const deposed = error instanceof LedgerError && error.code === 'deposed';
    const service = error instanceof LedgerError ? 'store' : serviceOf(step);
    const failed = { kind: 'step-failed', step, service, error: message } as const;
    return deposed ? { ...failed, deposed } : failed;
  }
}

function serviceOf(step: Step): 'store' | 'leases' | 'mesos' {
  switch (step.kind) {
    case 'load-ledger':
    case 'record-framework':
    case 'record-node':
    case 'assign':
      return 'store';
    case 'open-epoch':
    case 'close-epoch':
    case 'read-leases':
      return 'leases';
    default:
      return 'mesos';
  }
}

async function calling(
  step: Extract<CoreEvent, { kind: 'done' }>['step'],
  world: StepWorld,
  ...calls: readonly SchedulerCall[]
): Promise<CoreEvent> {
  for (const call of calls) await world.gateway().call(call);
  return { kind: 'done', step };
}

const EXECUTORS: Executors = {
  'load-ledger': async (_step, { ledger }) => ({ kind: 'ledger-loaded', snapshot: await ledger.load() }),
  'record-framework': async ({ record, expected }, { ledger }) => ({
    kind: 'framework-recorded',
    record,
    version: await ledger.writeFramework(record, expected),
  }),
  'record-node': async ({ record, expected }, { ledger }) => ({
    kind: 'node-recorded',
    record,
    version: await ledger.writeNode(record, expected),
  }),
  assign: async (step, { ledger }) => ({
    kind: 'assigned',
    step,
    version: await ledger.writeNode(step.record, step.expected),
  }),
  'open-epoch': async ({ nodeId, epoch: number }, { leases, clock }) => {
    await withinLimit(clock, leases.openEpoch(nodeId, epoch(number)));
    return { kind: 'epoch-opened', nodeId };
  },
  'close-epoch': async ({ nodeId, epoch: number }, { leases, clock }) => {
    const askedAtMs = clock.monotonicMs();
    const lease = await withinLimit(clock, leases.closeEpoch(nodeId, epoch(number)));
    return {
      kind: 'epoch-closed',
      nodeId,
      epoch: number,
      lease,
      askedAtMs,
      answeredAtMs: clock.monotonicMs(),
    };
  },
  'read-leases': readLeases,
  accept: async (step, world) => {
    const { intent, refuseMs } = step;
    const launch = { taskInfos: [intent.task] };
    return calling(step, world, {
      type: 'ACCEPT',
      accept: {
        offerIds: [intent.offerId],
        operations: [{ type: 'LAUNCH', launch }],
        filters: { refuseSeconds: refuseMs / 1000 },
      },
    });
  },
  decline: async (step, world) =>
    calling(step, world, {
      type: 'DECLINE',
      decline: { offerIds: [...step.offerIds], filters: { refuseSeconds: step.refuseMs / 1000 } },
    }),
  'settle-status': ({ status }, world) => {
    const { uuid, agentId, taskId } = status;
    const step = { kind: 'settle-status', status } as const;
    if (uuid !== undefined && agentId !== undefined) {
      // Not waited for, a node may be about to move: an acknowledgement that is lost brings the status once more.
      const acknowledge = { agentId, taskId, uuid };
      void world
        .gateway()
        .call({ type: 'ACKNOWLEDGE', acknowledge })
        .catch(() => undefined);
    }
    return Promise.resolve({ kind: 'done', step });
  },
  kill: async (step, world) => {
    const { taskId, agentId } = step;
    // Unknown to us it may be the next leader's: whoever was deposed hears it here, and kills nothing.
    if (step.rule === 'unknown-task') await world.ledger.load();
    return calling(step, world, {
      type: 'KILL',
      kill: agentId === undefined ? { taskId } : { taskId, agentId },
    });
  },
  fence: (step, world) => {
    world.fence(step);
    return Promise.resolve({ kind: 'done', step });
  },
  'ask-elasticsearch': (step, world) => {
    world.askElasticsearch(step);
    return Promise.resolve({ kind: 'done', step });
  },
  revive: async (step, world) => calling(step, world, { type: 'REVIVE' }),
  suppress: async (step, world) => calling(step, world, { type: 'SUPPRESS' }),
  reconcile: async (step, world) => {
    const explicit: SchedulerCall = { type: 'RECONCILE', reconcile: { tasks: [...step.tasks] } };
    const implicit: SchedulerCall = { type: 'RECONCILE', reconcile: {} };
    return calling(
      step,
      world,
      ...(step.tasks.length > 0 ? [explicit] : []),
      ...(step.implicit ? [implicit] : []),
    );
  },
  'send-seed-hosts': async (step, world) => {
    const data = encodeJson({ version: 1, kind: 'seed-hosts', hosts: [...step.hosts] });
    const calls = step.targets.map((target): SchedulerCall => ({
      type: 'MESSAGE',
      message: { ...target, data },
    }));
    return calling(step, world, ...calls);
  },
  'register-anew': async (step, world) => {
    await world.registerAnew();
    return { kind: 'done', step };
  },
  stop: ({ reason, message }, world) => {
    world.stop(reason, message);
    return Promise.resolve(undefined);
  },
  wait: () => Promise.resolve(undefined),
};

/** All at once; those that answered are told even when others did not. */
async function readLeases(step: StepOf<'read-leases'>, { leases, clock }: StepWorld): Promise<CoreEvent> {
  const askedAtMs = clock.monotonicMs();
  const answers = await Promise.allSettled(
    step.nodes.map(async ({ nodeId, epoch: number }) => ({
      nodeId,
      epoch: number,
      lease: await withinLimit(clock, leases.read(nodeId, epoch(number))),
    })),
  );
  const readings = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const refused = answers.find((answer) => answer.status === 'rejected');
  if (readings.length === 0 && refused !== undefined) throw refused.reason;
  return { kind: 'leases-read', readings, askedAtMs, answeredAtMs: clock.monotonicMs() };
}

function withinLimit<T>(clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(LEASE_TIME_LIMIT_MS, () => {
      const limit = `no answer within ${LEASE_TIME_LIMIT_MS / 1000} s; check the lease directory's file-system`;
      reject(new LeaseUnavailableError(limit));
    });
    work.then(resolve, reject).finally(cancel);
  });
}
