import { decodeExecutorCall } from '../codec/calls.ts';
import { encodeExecutorEvent } from '../codec/events.ts';
import type { ExecutorCall, ExecutorEvent } from '../types/executor-api.ts';
import type { FakeEventServer } from './fake-event-server.ts';
import { startFakeEventServer } from './fake-event-server.ts';

export type FakeAgent = FakeEventServer<ExecutorCall, ExecutorEvent>;

/** An agent without opinions: it says what the test tells it to, and keeps what it was told. */
export function startFakeAgent(): Promise<FakeAgent> {
  return startFakeEventServer({
    decodeCall: decodeExecutorCall,
    encodeEvent: encodeExecutorEvent,
    newStreamId: () => null,
  });
}
