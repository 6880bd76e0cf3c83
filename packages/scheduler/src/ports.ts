/** What the scheduler needs of the world; adapters and fakes implement these. */
import type { FrameworkInfo, SchedulerCall, SchedulerEvent } from '@mesos-elasticsearch/mesos-v1';

export interface Clock {
  /** Milliseconds since the Unix epoch, for records that people read. */
  nowMs(): number;
  /** Monotonic milliseconds; the only time that decides anything. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface Random {
  /** RFC 4122 version 4. */
  uuid(): string;
}

/**
 * One subscription kept alive. After `replaced`, `removed` or `refused` no event follows and nothing is retried.
 * replaced: another scheduler subscribed with our id. removed: the master has removed the framework.
 * refused: the master answered SUBSCRIBE with an ERROR (configuration). disconnected: it is being retried.
 */
export type GatewayState =
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'replaced' }
  | { readonly kind: 'removed' }
  | { readonly kind: 'refused'; readonly message: string };

export interface MesosGateway {
  /** Resolves when the master took the call (202); says nothing about its effect. Rejects when it is not certain that it did. */
  call(call: SchedulerCall): Promise<void>;
  close(): Promise<void>;
}

export interface GatewayHandlers {
  onEvent(event: SchedulerEvent): void;
  onState(state: GatewayState): void;
}

/** Opens a subscription; SUBSCRIBED arrives as an event. */
export type MesosGatewayFactory = (frameworkInfo: FrameworkInfo, handlers: GatewayHandlers) => MesosGateway;
