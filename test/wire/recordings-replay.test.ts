import { describe, expect, it } from 'vitest';
import type { Clock, Encoding, ExecutorEvent, SchedulerEvent } from '@mesos-elasticsearch/mesos-v1';
import {
  decodeExecutorCall,
  decodeExecutorEvent,
  decodeSchedulerEvent,
  startExecutorSession,
  startSchedulerSession,
} from '@mesos-elasticsearch/mesos-v1';
import {
  buildFrameworkInfo,
  collectingLog,
  createInbox,
  randomChunking,
  randomSeed,
} from '@mesos-elasticsearch/mesos-v1/testing';
import type { RecordedStream } from './recording.ts';
import { recordedStreams } from './recording.ts';
import { startReplayServer } from './replay-server.ts';
import { REPLAY_TABLE } from './replay-table.ts';

const seed = randomSeed();

/** Hundred times as fast, so that back-offs take no time. */
const fastClock: Clock = {
  now: () => performance.now() * 100,
  after(ms, then) {
    const timer = setTimeout(then, ms / 100);
    return () => clearTimeout(timer);
  },
};
const HOUR = 3_600_000;

interface Played {
  close(): void;
}
/** Starts one session; `onEnd` when nothing more will come of it. */
type Play<E> = (
  url: URL,
  encoding: Encoding,
  onEvent: (event: E) => void,
  onEnd: (state: string) => void,
) => Played;

const ENDINGS = ['replaced', 'removed', 'refused', 'agent-lost'];

const playScheduler: Play<SchedulerEvent> = (url, encoding, onEvent, onEnd) =>
  startSchedulerSession({
    masters: () => url,
    frameworkInfo: () => buildFrameworkInfo(),
    encoding,
    onEvent,
    onState: ({ state }) => (ENDINGS.includes(state) ? onEnd(state) : undefined),
    log: collectingLog(),
    clock: fastClock,
    subscribeTimeoutMs: HOUR,
  });

function playExecutor(request: unknown): Play<ExecutorEvent> {
  const { frameworkId, executorId } = decodeExecutorCall(
    Buffer.from(JSON.stringify(request)),
    'application/json',
  );
  return (url, encoding, onEvent, onEnd) =>
    startExecutorSession({
      endpoint: url,
      frameworkId,
      executorId,
      checkpoint: true,
      recoveryTimeoutMs: HOUR,
      backoffMaxMs: 1000,
      encoding,
      onEvent,
      onState: ({ state }) => (ENDINGS.includes(state) ? onEnd(state) : undefined),
      log: collectingLog(),
      clock: fastClock,
      attemptTimeoutMs: HOUR,
    });
}

/** Plays all streams of one subscriber; a session that ends is followed by a new one, as a person would. */
async function playAll<E extends { type: string }>(streams: RecordedStream[], play: Play<E>, wanted: number) {
  const server = await startReplayServer(streams, randomChunking(seed));
  const heard = createInbox<E>('events');
  const endings = createInbox<string>('endings');
  const sessions: Played[] = [];
  const encoding = streams.find(({ status }) => status === 200)?.encoding ?? 'application/json';
  const begin = () => sessions.push(play(server.url, encoding, (event) => heard.push(event), onEnd));
  const onEnd = (state: string) => {
    endings.push(state);
    if (server.served() < streams.length) begin();
  };
  try {
    begin();
    for (let count = 0; count < wanted; count += 1) await heard.next();
    if (wanted === 0) await endings.next();
    return { events: heard.all, endings: endings.all };
  } finally {
    for (const session of sessions) session.close();
    await server.close();
  }
}

function bySubscriber(file: string): [string, RecordedStream[]][] {
  const streams = recordedStreams(file);
  return [...new Set(streams.map(({ name }) => name))].map((name) => [
    name,
    streams.filter((stream) => stream.name === name),
  ]);
}

describe(`the sessions on recordings (MESOS_V1_TEST_SEED=${seed})`, () => {
  for (const [file, side] of REPLAY_TABLE) {
    if (side === 'volume plugin') continue;
    for (const [name, streams] of bySubscriber(file)) {
      it(`hear what ${name} heard in ${file}`, async () => {
        const decode = side === 'executor' ? decodeExecutorEvent : decodeSchedulerEvent;
        const expected = streams.flatMap(({ records, encoding }) =>
          records.map((record) => decode(record, encoding)),
        );
        const played =
          side === 'executor'
            ? await playAll(streams, playExecutor(streams[0]?.request), expected.length)
            : await playAll(streams, playScheduler, expected.length);
        expect(played.events).toEqual(expected);
      });
    }
  }
});
