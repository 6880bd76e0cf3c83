/**
 * What each HTTP answer means for a session: one table per API. Nothing else looks at status codes or at the
 * words of Mesos.
 */
export type Consequence =
  | 'ok'
  /** Certainly not processed; the same again later may work. */
  | 'retry'
  /** The other side does not know our subscription (any more): subscribe again. */
  | 'resubscribe'
  /** Someone else has subscribed in our place: stop for good, or both evict each other forever. */
  | 'replaced'
  /** This request can never work; the session goes on. */
  | 'give-up'
  /** Wrong credentials or configuration: trying again changes nothing until a human does. */
  | 'fatal';

interface Answer {
  status: number;
  body: string;
}
type Row = [status: number, text: RegExp | null, consequence: Consequence];

const SUBSCRIBE: Row[] = [
  [200, null, 'ok'],
  [307, null, 'retry'],
  [404, null, 'retry'],
  [503, null, 'retry'],
  [400, null, 'fatal'],
  [401, null, 'fatal'],
  [403, null, 'fatal'],
  [405, null, 'fatal'],
  [406, null, 'fatal'],
  [415, null, 'fatal'],
  [501, null, 'fatal'],
];

const SCHEDULER_CALL: Row[] = [
  [200, null, 'ok'],
  [202, null, 'ok'],
  // The master that we are subscribed to leads no more.
  [307, null, 'resubscribe'],
  [400, /didn't match the stream ID currently associated/, 'replaced'],
  [400, /Framework cannot be found/, 'resubscribe'],
  [400, null, 'give-up'],
  [401, null, 'fatal'],
  [403, /Framework is not subscribed/, 'resubscribe'],
  [403, null, 'give-up'],
  [404, null, 'retry'],
  [503, null, 'retry'],
];

const EXECUTOR_CALL: Row[] = [
  [200, null, 'ok'],
  [202, null, 'ok'],
  // The agent has no such executor, or no such framework: nobody will ever acknowledge anything again.
  [400, /cannot be found/, 'fatal'],
  [400, null, 'give-up'],
  [401, null, 'fatal'],
  [403, /not subscribed/, 'resubscribe'],
  [403, null, 'fatal'],
  [404, null, 'retry'],
  [503, null, 'retry'],
];

/** An unlisted 5xx is the other side's trouble and passes; any other unlisted answer is `otherwise`. */
function lookUp(table: readonly Row[], { status, body }: Answer, otherwise: Consequence): Consequence {
  const row = table.find(([code, text]) => code === status && (text === null || text.test(body)));
  if (row) return row[2];
  return status >= 500 ? 'retry' : otherwise;
}

/** Of the answer to SUBSCRIBE, in either API (a redirect's target is followed before this is asked). */
export function subscribeConsequence(answer: Answer): Consequence {
  return lookUp(SUBSCRIBE, answer, 'retry');
}

export function schedulerCallConsequence(answer: Answer): Consequence {
  return lookUp(SCHEDULER_CALL, answer, 'give-up');
}

export function executorCallConsequence(answer: Answer): Consequence {
  return lookUp(EXECUTOR_CALL, answer, 'give-up');
}

/** What an ERROR event means; every ERROR is the end of its stream. */
export function errorEventMeaning(message: string): 'replaced' | 'removed' | 'refused' {
  if (message === 'Framework failed over') return 'replaced';
  return message === 'Framework has been removed' ? 'removed' : 'refused';
}
