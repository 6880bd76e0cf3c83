/** Puts the scheduler together: server, ledger, loop, subscription. */
import { LedgerError } from '@mesos-elasticsearch/coordination';
import { emptyModel, type DesiredCluster } from '../core/model.ts';
import { reduce } from '../core/reduce.ts';
import { clusterView, nodeViews, type ClusterView, type NodeView } from '../core/views.ts';
import { DEFAULT_TIMING, type SchedulerOptions } from '../options.ts';
import type { MesosGateway } from '../ports.ts';
import { describeArtifacts, readArtifacts } from './artifacts.ts';
import { startControlLoop, type ControlLoop } from './control-loop.ts';
import { frameworkInfoOf } from './framework-info.ts';
import { startHttpServer, type ApiHandlers } from './http-server.ts';
import { mesosGatewayFactory } from './mesos-gateway.ts';
import { refuseRelease, refuseWantedNodes, releaseEvent } from './orders.ts';
import { systemClock, systemRandom } from './system-clock.ts';

/**
 * stopped: `stop()` was called. replaced: another scheduler subscribed with our FrameworkID. refused: the master
 * does not accept our configuration. crashed: a fault of our own. Tasks keep running in every case.
 */
export type ExitReason =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'replaced' | 'refused'; readonly message: string }
  | { readonly kind: 'crashed'; readonly error: unknown };

export interface RunningScheduler {
  /** Of the API and the artifacts, as the agents reach it. */
  readonly url: string;
  nodes(): readonly NodeView[];
  cluster(): ClusterView;
  /** Stops driving, leaves the tasks running, closes the ledger. */
  stop(): Promise<void>;
  /** Never rejects. Exit with a failure for every reason but `stopped`. */
  readonly done: Promise<ExitReason>;
}

/**
 * @throws LedgerError when the ledger cannot be read or belongs to another cluster; Error when the port is
 * taken or a file to serve is missing. Nothing was subscribed then.
 */
export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const files = await readArtifacts(options.executor);
  const snapshot = await options.ledger.load();
  checkOwner(options, snapshot.framework?.record);

  const loops: ControlLoop[] = [];
  const theLoop = (): ControlLoop => {
    const [loop] = loops;
    if (loop === undefined) throw new Error('the scheduler is still starting');
    return loop;
  };
  const { server, port } = await startHttpServer(
    options.api,
    files,
    apiHandlers(() => ({ loop: theLoop(), desired })),
  );
  const url = `http://${options.api.publicHost}:${port}`;
  const desired: DesiredCluster = {
    framework: options.framework,
    cluster: options.cluster,
    node: options.node,
    executor: options.executor,
    suspects: options.suspects,
    timing: { ...DEFAULT_TIMING, ...options.timing },
    artifacts: describeArtifacts(options.executor, files, url),
  };
  const exit = exitOnce();
  const connect = options.connect ?? mesosGatewayFactory(options.mesos, options.log);
  const subscribe = (frameworkId: string | undefined): MesosGateway =>
    connect(frameworkInfoOf(options.framework, url, frameworkId), {
      onEvent: (event) => loops[0]?.dispatch({ kind: 'mesos', event }),
      onState: (state) => loops[0]?.dispatch({ kind: 'gateway', state }),
    });

  let gateway: MesosGateway = NOT_CONNECTED;
  const loaded = { kind: 'ledger-loaded', snapshot } as const;
  const start = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  const loop = startControlLoop({
    desired,
    model: reduce(desired, emptyModel(options.cluster.nodes), loaded, start),
    clock,
    random,
    log: options.log,
    onProgress: (event) => options.onProgress?.(event),
    onCrash: (error) => {
      options.log.fatal({ err: error }, 'the scheduler failed; tasks keep running');
      exit.with({ kind: 'crashed', error });
    },
    world: {
      ledger: options.ledger,
      leases: options.leases,
      clock,
      gateway: () => gateway,
      registerAnew: async () => {
        await gateway.close();
        gateway = subscribe(undefined);
      },
      stop: (kind, message) => {
        options.log.error({ reason: kind, detail: message }, 'the subscription is over; tasks keep running');
        exit.with({ kind, message });
      },
    },
  });
  loops.push(loop);
  gateway = subscribe(snapshot.framework?.record.frameworkId);

  const done = exit.reason.then(async (reason) => {
    // The gateway first: a call that waits for a silent master must not hold up the loop's end.
    await gateway.close();
    await loop.stop();
    await server.close();
    await options.ledger.close();
    return reason;
  });
  return {
    url,
    nodes: () => nodeViews(desired, loop.model(), loop.waits()),
    cluster: () => clusterView(desired, loop.model(), loop.waits()),
    stop: async () => {
      exit.with({ kind: 'stopped' });
      await done;
    },
    done,
  };
}

const NOT_CONNECTED: MesosGateway = {
  call: () => Promise.reject(new Error('not subscribed yet')),
  close: () => Promise.resolve(),
};

function exitOnce() {
  let settle: (reason: ExitReason) => void = () => undefined;
  const reason = new Promise<ExitReason>((resolve) => (settle = resolve));
  return { reason, with: (why: ExitReason) => settle(why) };
}

/** @throws LedgerError */
function checkOwner(
  { framework, cluster }: SchedulerOptions,
  record: { readonly frameworkName: string; readonly clusterName: string } | undefined,
): void {
  if (record === undefined) return;
  if (record.frameworkName === framework.name && record.clusterName === cluster.name) return;
  throw new LedgerError(
    'corrupt',
    `the ledger belongs to framework ${record.frameworkName}, cluster ${record.clusterName}, not to ` +
      `${framework.name}, ${cluster.name}: choose another state directory, or the names that it was made with`,
  );
}

function apiHandlers(running: () => { loop: ControlLoop; desired: DesiredCluster }): ApiHandlers {
  return {
    nodes: () => {
      const { loop, desired } = running();
      return nodeViews(desired, loop.model(), loop.waits());
    },
    cluster: () => {
      const { loop, desired } = running();
      return clusterView(desired, loop.model(), loop.waits());
    },
    lastOffers: () => running().loop.model().lastOutcomes,
    setWantedNodes: (wanted) => {
      const { loop } = running();
      const refused = refuseWantedNodes(loop.model(), wanted);
      if (refused !== undefined) return refused;
      loop.dispatch({ kind: 'size-ordered', nodes: wanted });
      return { status: 202, message: `${wanted} nodes are wanted` };
    },
    releaseNode: (order) => {
      const { loop } = running();
      const refused = refuseRelease(loop.model(), order);
      const event = releaseEvent(loop.model(), order);
      if (refused !== undefined) return refused;
      if (event !== undefined) loop.dispatch(event);
      return { status: 202, message: `node ${order.nodeId}: epoch ${order.epoch} is being released` };
    },
  };
}
