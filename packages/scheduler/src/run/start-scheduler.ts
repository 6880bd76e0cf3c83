/** Puts the scheduler together: files to serve, ledger, HTTP server, loop and subscription. */
import { nodeId } from '@mesos-elasticsearch/contract';
import { LedgerError } from '@mesos-elasticsearch/coordination';
import { strangeDrivers } from '../core/migration/strange-drivers.ts';
import { heldNodes, type DesiredCluster, type Model } from '../core/model.ts';
import { mountingFault } from '../core/mounting.ts';
import { SAFETY_RULES } from '../core/safety.ts';
import { clusterView, migrationView, nodeViews, type ClusterView, type NodeView } from '../core/views.ts';
import { DEFAULT_TIMING, type SchedulerOptions } from '../options.ts';
import { describeArtifacts, readArtifacts, type ArtifactFiles } from './artifacts.ts';
import type { ControlLoop } from './control-loop.ts';
import { drive, type Driving, type ExitReason } from './drive.ts';
import { askElasticsearch } from './elasticsearch.ts';
import { runFenceCommand } from './fence-command.ts';
import { frameworkInfoOf } from './framework-info.ts';
import { startHttpServer, type ApiHandlers } from './http-server.ts';
import { mesosGatewayFactory } from './mesos-gateway.ts';
import { orderedText, refuseMigration, refusePurge } from './migration-orders.ts';
import type { MigrationHandlers } from './migration-routes.ts';
import {
  refuseRelease,
  refuseRetire,
  refuseReuse,
  refuseSettings,
  refuseWantedNodes,
  releaseEvent,
} from './orders.ts';
import { systemClock, systemRandom } from './system-clock.ts';

export type { ExitReason } from './drive.ts';

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

/** The desired cluster and its loop; absent while the server is already up and the rest is not. */
interface Current {
  readonly desired: DesiredCluster;
  readonly driving: Driving;
}

/**
 * @throws LedgerError when the ledger cannot be read or belongs to another cluster; Error when the port is
 * taken or a file to serve is missing. Nothing was subscribed then.
 */
export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const fault = mountingFault(options);
  if (fault !== undefined) throw new Error(fault);
  const files = await readArtifacts(options.executor);
  const snapshot = await options.ledger.load();
  checkOwner(options, snapshot.framework?.record);
  const started: Current[] = [];
  const current = (): Current => {
    const [only] = started;
    if (only === undefined) throw new Error('the scheduler is still starting');
    return only;
  };
  const { server, port } = await startHttpServer(options.api, files, apiHandlers(current));
  const url = `http://${options.api.publicHost}:${port}`;
  const desired = desiredCluster(options, files, url);
  const strange = strangeDrivers(desired, snapshot);
  if (strange !== undefined) options.log.warn(strange.fields, strange.message);
  const connect = options.connect ?? mesosGatewayFactory(options.mesos, options.log, options.mayLead);
  const driving = drive({
    desired,
    snapshot,
    ledger: options.ledger,
    leases: options.leases,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    log: options.log,
    onProgress: (event) => options.onProgress?.(event),
    fence: runFenceCommand,
    askElasticsearch: (step, log) => askElasticsearch(step, log, options.elasticsearch),
    subscribe: (id, handlers) => connect(frameworkInfoOf(options.framework, url, id), handlers),
  });
  started.push({ desired, driving });
  const done = driving.ended.then(async (reason) => {
    await server.close();
    await options.ledger.close();
    return reason;
  });
  const { loop } = driving;
  return {
    url,
    nodes: () => nodeViews(desired, loop.model(), loop.waits()),
    cluster: () => clusterView(desired, loop.model(), loop.waits()),
    stop: async () => {
      driving.end({ kind: 'stopped' });
      await done;
    },
    done,
  };
}

function desiredCluster(options: SchedulerOptions, files: ArtifactFiles, url: string): DesiredCluster {
  return {
    framework: options.framework,
    cluster: options.cluster,
    node: options.node,
    executor: options.executor,
    suspects: options.suspects,
    timing: { ...DEFAULT_TIMING, ...options.timing },
    safety: SAFETY_RULES,
    artifacts: describeArtifacts(options.executor, files, url),
    ...(options.driverFaults === undefined ? {} : { driverFaults: options.driverFaults }),
  };
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

interface Look {
  readonly desired: DesiredCluster;
  readonly loop: ControlLoop;
  readonly model: Model;
}

function migrationHandlers(look: () => Look): MigrationHandlers {
  return {
    migration: () => {
      const { desired, loop, model } = look();
      return migrationView(desired, model, loop.waits());
    },
    orderMigration: (order) => {
      const { desired, loop, model } = look();
      const refused = refuseMigration(desired, model, order);
      if (refused !== undefined) return refused;
      loop.dispatch({ kind: 'migration-ordered', order });
      return { status: 202, message: orderedText(order) };
    },
    purgeFormer: (order) => {
      const { loop, model } = look();
      const refused = refusePurge(model, order);
      if (refused !== undefined) return refused;
      const { driver, epoch } = order;
      loop.dispatch({ kind: 'former-volumes-purged', nodeId: nodeId(order.nodeId), driver, epoch });
      return {
        status: 202,
        message: `node ${order.nodeId}: its former volumes of ${driver} are off the record`,
      };
    },
  };
}

function apiHandlers(current: () => Current): ApiHandlers {
  const look = () => {
    const { desired, driving } = current();
    return { desired, loop: driving.loop, model: driving.loop.model() };
  };
  return {
    ...migrationHandlers(look),
    nodes: () => {
      const { desired, loop, model } = look();
      return nodeViews(desired, model, loop.waits());
    },
    cluster: () => {
      const { desired, loop, model } = look();
      return clusterView(desired, model, loop.waits());
    },
    lastOffers: () => look().model.lastOutcomes,
    setWantedNodes: (order) => {
      const { loop, model } = look();
      const refused = refuseWantedNodes(model, order);
      if (refused !== undefined) return refused;
      loop.dispatch({ kind: 'size-ordered', nodes: order.nodes });
      return { status: 202, message: `${order.nodes} nodes are wanted` };
    },
    retireNode: (order) => {
      const { loop, model } = look();
      const refused = refuseRetire(model, order);
      if (refused !== undefined) return refused;
      const nodes = heldNodes(model).length - 1;
      loop.dispatch({ kind: 'size-ordered', nodes });
      return { status: 202, message: `node ${order.nodeId} is being retired: ${nodes} nodes are wanted` };
    },
    setSettings: (settings) => {
      const { desired, loop } = look();
      const refused = refuseSettings(desired, settings);
      if (refused !== undefined) return refused;
      loop.dispatch({ kind: 'settings-ordered', settings });
      return { status: 202, message: 'recorded; a policy counts from the next epoch of each node' };
    },
    reuseNode: (wanted, volumes) => {
      const { loop, model } = look();
      const refused = refuseReuse(model, wanted);
      if (refused !== undefined) return refused;
      loop.dispatch({ kind: 'operator-reuse', nodeId: nodeId(wanted), volumes });
      return { status: 202, message: `node ${wanted}: its volumes may be used again (${volumes})` };
    },
    releaseNode: (order) => {
      const { loop, model } = look();
      const refused = refuseRelease(model, order);
      const event = releaseEvent(model, order);
      if (refused !== undefined) return refused;
      if (event !== undefined) loop.dispatch(event);
      return { status: 202, message: `node ${order.nodeId}: epoch ${order.epoch} is being released` };
    },
  };
}
