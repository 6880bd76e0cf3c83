/** The words of the scheduler session's state machine. */
import type { FrameworkId, StreamId } from '../types/ids.ts';
import type { SchedulerEvent } from '../types/scheduler-api.ts';
import type { Consequence } from './consequences.ts';

/** Why a session is over. Nothing but a new session goes on from here. */
export type SchedulerEnding =
  /** Someone else subscribed with our framework ID. Leadership is decided outside Mesos; do not fight. */
  | 'replaced'
  /** The framework ID is dead (torn down, or failover_timeout passed): its tasks are dead or dying. Forget the ID. */
  | 'removed'
  /** Credentials or FrameworkInfo are not acceptable; a human has to change something. */
  | 'refused';

export type SchedulerChange =
  | { state: 'connecting'; master: string }
  | { state: 'subscribed'; master: string; frameworkId: FrameworkId; streamId: StreamId }
  | { state: 'disconnected'; reason: string; retryInMs: number }
  | { state: SchedulerEnding; reason: string };

export type SchedulerPhase =
  | { name: 'idle' }
  | { name: 'finding' }
  | { name: 'connecting'; url: string; redirects: number; deadline: number }
  /** The stream is open; its first event must be SUBSCRIBED. */
  | { name: 'open'; url: string; streamId: StreamId; deadline: number }
  | { name: 'subscribed'; url: string; streamId: StreamId; silenceMs: number; deadline: number }
  | { name: 'waiting'; until: number }
  | { name: 'ended' };

export interface SchedulerMachine {
  readonly phase: SchedulerPhase;
  /** Number of the current attempt; whatever comes from an earlier one is stale and ignored. */
  readonly attempt: number;
  /** Attempts in a row that did not lead to SUBSCRIBED. */
  readonly failures: number;
  /** As told by SUBSCRIBED. */
  readonly frameworkId: FrameworkId | null;
}

export type SchedulerInput =
  | { kind: 'start' }
  | { kind: 'masters'; attempt: number; urls: readonly string[] }
  | { kind: 'masters-failed'; attempt: number; reason: string }
  | { kind: 'opened'; attempt: number; streamId: StreamId }
  | { kind: 'answered'; attempt: number; status: number; body: string; location: string | null }
  | { kind: 'event'; attempt: number; event: SchedulerEvent }
  | { kind: 'undecodable'; attempt: number; reason: string }
  | { kind: 'lost'; attempt: number; reason: string }
  /** The answer to a call that was sent with `streamId`. */
  | { kind: 'call-answered'; streamId: StreamId; consequence: Consequence; reason: string }
  | { kind: 'resubscribe'; reason: string }
  /** Another master leads, at one of these base URLs. */
  | { kind: 'leader-changed'; urls: readonly string[] }
  | { kind: 'tick' }
  | { kind: 'close' };

export type SchedulerEffect =
  | { kind: 'find-masters'; attempt: number }
  /** POST SUBSCRIBE to `url`; whatever comes of it is an input with this `attempt`. */
  | { kind: 'connect'; attempt: number; url: string; frameworkId: FrameworkId | null }
  /** Close the stream of any attempt and fail the calls under way. */
  | { kind: 'disconnect' }
  | { kind: 'deliver'; event: SchedulerEvent }
  | { kind: 'change'; change: SchedulerChange }
  | { kind: 'ignored'; reason: string };

export interface SchedulerStep {
  state: SchedulerMachine;
  effects: SchedulerEffect[];
}

/** Time (ms), randomness and limits are inputs. */
export interface SchedulerContext {
  now: number;
  /** In [0, 1). */
  random: number;
  /** From connecting to SUBSCRIBED. */
  subscribeTimeoutMs: number;
}
