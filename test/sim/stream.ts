/** One subscription of a scheduler, from the master's side. */
import type { SchedulerEvent } from '@mesos-elasticsearch/mesos-v1';
import type { Process } from './machines.ts';
import type { Lane } from './network.ts';

/** The master's answer to a call on a stream that it has replaced or given up. */
export const NOT_CURRENT = '400: not the current stream';

/** Who is at the other end of a subscription. */
export interface Subscriber {
  readonly process: Process;
  onEvent(stream: Stream, event: SchedulerEvent): void;
  onEnd(stream: Stream, how: 'disconnected' | 'replaced' | 'removed'): void;
}

export class Stream {
  readonly subscriber: Subscriber;
  readonly frameworkId: string;
  /** Grows from one subscription to the next. */
  readonly number: number;
  readonly lane: Lane = { lastAtMs: 0 };
  /** For the master. */
  open = true;

  constructor(subscriber: Subscriber, id: string, number: number) {
    this.subscriber = subscriber;
    this.frameworkId = id;
    this.number = number;
  }
}
