import { randomUUID } from 'node:crypto';
import { decodeSchedulerCall } from '../codec/calls.ts';
import { encodeSchedulerEvent } from '../codec/events.ts';
import type { SchedulerCall, SchedulerEvent } from '../types/scheduler-api.ts';
import type { FakeEventServer } from './fake-event-server.ts';
import { startFakeEventServer } from './fake-event-server.ts';

export type FakeMaster = FakeEventServer<SchedulerCall, SchedulerEvent>;

/** A master without opinions: it says what the test tells it to, and keeps what it was told. */
export function startFakeMaster(): Promise<FakeMaster> {
  return startFakeEventServer({
    decodeCall: decodeSchedulerCall,
    encodeEvent: encodeSchedulerEvent,
    newStreamId: randomUUID,
  });
}
