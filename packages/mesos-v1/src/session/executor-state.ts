/** The words of the executor session's state machine. */
import type { ExecutorEvent, Update } from '../types/executor-api.ts';
import type { StatusUuid } from '../types/ids.ts';
import type { TaskInfo } from '../types/messages.ts';
import type { Consequence } from './consequences.ts';

export type ExecutorEnding =
  /** The agent did not come back in time (at once without checkpointing): kill the tasks and exit. */
  | 'agent-lost'
  /** The agent does not know this executor, or refuses its token: kill the tasks and exit. */
  | 'refused';

export type ExecutorChange =
  | { state: 'connecting' }
  | { state: 'subscribed' }
  | { state: 'disconnected'; reason: string; retryInMs: number }
  | { state: ExecutorEnding; reason: string };

export type ExecutorPhase =
  | { name: 'idle' }
  /** `carried`: what the SUBSCRIBE call under way takes along. */
  | { name: 'connecting'; deadline: number; carried: readonly StatusUuid[] }
  | { name: 'open'; deadline: number; carried: readonly StatusUuid[] }
  | { name: 'subscribed' }
  | { name: 'waiting'; until: number }
  | { name: 'ended' };

export interface ExecutorMachine {
  readonly phase: ExecutorPhase;
  /** Number of the current attempt; whatever comes from an earlier one is stale and ignored. */
  readonly attempt: number;
  /** Since when there has been no subscription, or null while there is one. */
  readonly lostSince: number | null;
  /** Tasks of which no update was acknowledged yet. Leaving a live one out reports it as never started. */
  readonly tasks: readonly TaskInfo[];
  /** Updates that the agent has not acknowledged, oldest first. */
  readonly updates: readonly Update[];
  /** Of these, the ones that the agent has received under the present subscription. */
  readonly received: readonly StatusUuid[];
  /** One update at a time is on its way, so that they cannot overtake each other. */
  readonly sending: StatusUuid | null;
  /** After a failed UPDATE call: when to try again. */
  readonly resendAt: number | null;
}

export type ExecutorInput =
  | { kind: 'start' }
  | { kind: 'opened'; attempt: number }
  | { kind: 'answered'; attempt: number; status: number; body: string }
  | { kind: 'event'; attempt: number; event: ExecutorEvent }
  | { kind: 'undecodable'; attempt: number; reason: string }
  | { kind: 'lost'; attempt: number; reason: string }
  | { kind: 'send-update'; update: Update }
  | { kind: 'update-answered'; attempt: number; uuid: StatusUuid; consequence: Consequence; reason: string }
  | { kind: 'tick' }
  | { kind: 'close' };

export type ExecutorEffect =
  /** POST SUBSCRIBE with these unacknowledged tasks and updates. */
  | { kind: 'connect'; attempt: number; tasks: readonly TaskInfo[]; updates: readonly Update[] }
  | { kind: 'disconnect' }
  | { kind: 'send'; attempt: number; update: Update }
  | { kind: 'deliver'; event: ExecutorEvent }
  | { kind: 'change'; change: ExecutorChange }
  /** An update that the agent will never take. */
  | { kind: 'dropped'; update: Update; reason: string }
  | { kind: 'ignored'; reason: string };

export interface ExecutorStep {
  state: ExecutorMachine;
  effects: ExecutorEffect[];
}

export interface ExecutorContext {
  /** Milliseconds. */
  now: number;
  /** In [0, 1). */
  random: number;
  checkpoint: boolean;
  /** How long to keep trying after losing the agent (MESOS_RECOVERY_TIMEOUT). */
  recoveryTimeoutMs: number;
  /** Upper bound of the wait between attempts (MESOS_SUBSCRIPTION_BACKOFF_MAX). */
  backoffMaxMs: number;
  /** From connecting to the first event. */
  attemptTimeoutMs: number;
}
