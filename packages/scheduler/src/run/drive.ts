/** The loop and its subscription together, without the HTTP side. */
import type { LeaseService, LedgerSnapshot, LedgerStore } from '@mesos-elasticsearch/coordination';
import type { Logger } from 'pino';
import { emptyModel, type DesiredCluster } from '../core/model.ts';
import { reduce } from '../core/reduce.ts';
import type { Clock, GatewayHandlers, MesosGateway, Random } from '../ports.ts';
import type { ProgressEvent } from '../progress.ts';
import { startControlLoop, type ControlLoop } from './control-loop.ts';
import type { askElasticsearch } from './elasticsearch.ts';
import type { runFenceCommand } from './fence-command.ts';

/**
 * stopped: `stop()` was called. replaced: another scheduler subscribed with our FrameworkID. refused: the master
 * does not accept our configuration. crashed: a fault of our own. Tasks keep running in every case.
 */
export type ExitReason =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'replaced' | 'refused'; readonly message: string }
  | { readonly kind: 'crashed'; readonly error: unknown };

export interface DriveOptions {
  readonly desired: DesiredCluster;
  /** The ledger as it was just read. */
  readonly snapshot: LedgerSnapshot;
  readonly ledger: LedgerStore;
  readonly leases: LeaseService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onProgress: (event: ProgressEvent) => void;
  readonly fence: typeof runFenceCommand;
  readonly askElasticsearch: typeof askElasticsearch;
  /** Subscribes, anew where there is no id. */
  readonly subscribe: (frameworkId: string | undefined, handlers: GatewayHandlers) => MesosGateway;
}

export interface Driving {
  readonly loop: ControlLoop;
  end(reason: ExitReason): void;
  /** Resolves after the loop has stopped and the subscription is closed. Never rejects. */
  readonly ended: Promise<ExitReason>;
}

export function drive(options: DriveOptions): Driving {
  const { desired, clock, log } = options;
  const exit = exitOnce();
  let gateway = NOT_CONNECTED;
  const handlers: GatewayHandlers = {
    onEvent: (event) => loop.dispatch({ kind: 'mesos', event }),
    onState: (state) => loop.dispatch({ kind: 'gateway', state }),
  };
  const loaded = { kind: 'ledger-loaded', snapshot: options.snapshot } as const;
  const start = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  const loop = startControlLoop({
    ...options,
    model: reduce(desired, emptyModel(desired.cluster.nodes), loaded, start),
    onCrash: (error) => {
      log.fatal({ err: error }, 'the scheduler failed; tasks keep running');
      exit.with({ kind: 'crashed', error });
    },
    world: {
      ledger: options.ledger,
      leases: options.leases,
      clock,
      gateway: () => gateway,
      registerAnew: async () => {
        await gateway.close();
        gateway = options.subscribe(undefined, handlers);
      },
      fence: (step) => {
        const command = desired.suspects.fenceCommand;
        if (command === undefined) return;
        void options.fence(command, step, log).then((event) => loop.dispatch(event));
      },
      askElasticsearch: (step) => {
        void options.askElasticsearch(step, log).then((event) => loop.dispatch(event));
      },
      stop: (kind, message) => {
        log.error({ reason: kind, detail: message }, 'the subscription is over; tasks keep running');
        exit.with({ kind, message });
        void loop.stop();
      },
    },
  });
  gateway = options.subscribe(options.snapshot.framework?.record.frameworkId, handlers);
  const ended = exit.reason.then(async (reason) => {
    // The gateway first: a call that waits for a silent master must not hold up the loop's end.
    await gateway.close();
    await loop.stop();
    return reason;
  });
  return { loop, end: exit.with, ended };
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
