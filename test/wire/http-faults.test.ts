import { PassThrough } from 'node:stream';
import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  ExecutorChange,
  SchedulerChange,
  SchedulerEvent,
  SchedulerSession,
  SchedulerSessionOptions,
} from '@mesos-elasticsearch/mesos-v1';
import {
  encodeRecord,
  encodeSchedulerEvent,
  executorId,
  frameworkId,
  schedulerCalls,
  startExecutorSession,
  startSchedulerSession,
} from '@mesos-elasticsearch/mesos-v1';
import type { Inbox } from '@mesos-elasticsearch/mesos-v1/testing';
import {
  buildFrameworkInfo,
  collectingLog,
  createInbox,
  createManualClock,
  schedulerSubscribed,
} from '@mesos-elasticsearch/mesos-v1/testing';

const json = 'application/json';
const streamHeaders = { 'Content-Type': json, 'Mesos-Stream-Id': '5f6a1b4e-0000-4000-8000-000000000001' };
const record = (event: SchedulerEvent) => Buffer.from(encodeRecord(encodeSchedulerEvent(event, json)));

let changes: Inbox<SchedulerChange>;
let events: Inbox<SchedulerEvent>;
const sessions: { close(): void }[] = [];

function start(master: string, options: Partial<SchedulerSessionOptions> = {}): SchedulerSession {
  const session = startSchedulerSession({
    masters: () => [new URL(master)],
    frameworkInfo: () => buildFrameworkInfo(),
    encoding: json,
    onEvent: (event) => events.push(event),
    onState: (change) => changes.push(change),
    log: collectingLog(),
    random: () => 0,
    ...options,
  });
  sessions.push(session);
  return session;
}
const state = (wanted: string) => changes.next((change) => change.state === wanted);

/** A stream that the test writes to, as the answer to one SUBSCRIBE. */
function eventStream(...first: SchedulerEvent[]): PassThrough {
  const stream = new PassThrough();
  for (const event of first) stream.write(record(event));
  return stream;
}

beforeEach(() => {
  nock.disableNetConnect();
  changes = createInbox('changes');
  events = createInbox('events');
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
  nock.cleanAll();
  nock.enableNetConnect();
});

describe('redirects', () => {
  const location = '//leader.example:5050/master/api/v1/scheduler';

  it.each(['http', 'https'])('keep the scheme %s where Location leaves it out', async (scheme) => {
    nock(`${scheme}://old.example:5050`).post('/api/v1/scheduler').reply(307, '', { Location: location });
    const leader = nock(`${scheme}://leader.example:5050`)
      .post('/master/api/v1/scheduler')
      .reply(200, () => eventStream(schedulerSubscribed()), streamHeaders);
    start(`${scheme}://old.example:5050`);
    expect(await state('subscribed')).toMatchObject({ master: `${scheme}://leader.example:5050` });
    leader.done();
  });

  it('from TLS down to plain HTTP are not followed', async () => {
    nock('https://old.example:5050')
      .post('/api/v1/scheduler')
      .reply(307, '', { Location: `http:${location}` });
    start('https://old.example:5050');
    expect(await state('disconnected')).toMatchObject({
      reason: expect.stringContaining('cannot be followed'),
    });
  });

  it('in a circle are left after a few rounds', async () => {
    nock('http://leader.example:5050')
      .post(/api\/v1\/scheduler$/)
      .times(6)
      .reply(307, '', { Location: location });
    start('http://leader.example:5050');
    expect(await state('disconnected')).toMatchObject({ reason: 'more than 5 redirects' });
  });
});

describe('the stream', () => {
  const master = 'http://master.example:5050';

  it('that breaks inside a record is subscribed to again, with the framework id', async () => {
    const torn = eventStream(schedulerSubscribed(frameworkId('f-1')));
    nock(master)
      .post('/api/v1/scheduler')
      .reply(200, () => torn, streamHeaders);
    const again = nock(master)
      .post(
        '/api/v1/scheduler',
        (body: { framework_id?: { value: string } }) => body.framework_id?.value === 'f-1',
      )
      .reply(200, () => eventStream(schedulerSubscribed(frameworkId('f-1'))), streamHeaders);
    start(master);
    await state('subscribed');
    torn.end('500\n{"type":"OFF');
    expect(await state('disconnected')).toMatchObject({ reason: expect.stringContaining('12 of 500 bytes') });
    await state('subscribed');
    again.done();
  });

  it('whose heartbeats stop is left after 75 s', async () => {
    const clock = createManualClock();
    nock(master)
      .post('/api/v1/scheduler')
      .reply(200, () => eventStream(schedulerSubscribed()), streamHeaders);
    start(master, { clock });
    await state('subscribed');
    expect(clock.pending()).toEqual([75_000]);
    clock.advance(75_000);
    await state('disconnected');
  });

  it('without a stream id is not one', async () => {
    nock(master)
      .post('/api/v1/scheduler')
      .reply(200, () => eventStream(schedulerSubscribed()), { 'Content-Type': json });
    start(master);
    expect(await state('disconnected')).toMatchObject({ reason: expect.stringContaining('Mesos-Stream-Id') });
  });

  it('of another content type is not read', async () => {
    nock(master).post('/api/v1/scheduler').reply(200, '<html>', { 'Content-Type': 'text/html' });
    start(master);
    expect(await state('disconnected')).toMatchObject({ reason: expect.stringContaining('text/html') });
  });
});

describe('codes', () => {
  const master = 'http://master.example:5050';

  it.each([503, 404, 500, 429])('%i on SUBSCRIBE is tried again', async (status) => {
    nock(master).post('/api/v1/scheduler').reply(status, 'not now');
    nock(master)
      .post('/api/v1/scheduler')
      .reply(200, () => eventStream(schedulerSubscribed()), streamHeaders);
    start(master);
    expect(await state('disconnected')).toMatchObject({
      retryInMs: 250,
      reason: expect.stringContaining('not now'),
    });
    await state('subscribed');
  });

  it('401 on SUBSCRIBE says that the credentials are wrong, and is not tried again', async () => {
    const asked = nock(master, { reqheaders: { authorization: 'Basic ZXM6d3Jvbmc=' } })
      .post('/api/v1/scheduler')
      .reply(401, '', { 'WWW-Authenticate': 'Basic realm="mesos-master-scheduler"' });
    start(master, { credentials: { kind: 'basic', principal: 'es', secret: 'wrong' } });
    expect(await state('refused')).toMatchObject({ reason: expect.stringContaining('401') });
    asked.done();
  });

  it('of a call decide what becomes of it', async () => {
    nock(master)
      .post('/api/v1/scheduler')
      .reply(200, () => eventStream(schedulerSubscribed()), streamHeaders);
    const session = start(master);
    await state('subscribed');
    nock(master).post('/api/v1/scheduler').reply(503, 'recovering');
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'not-processed' });
    nock(master)
      .post('/api/v1/scheduler')
      .replyWithError(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'unknown' });
    nock(master)
      .post('/api/v1/scheduler')
      .replyWithError(Object.assign(new Error('off'), { code: 'ECONNREFUSED' }));
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'not-processed' });
    const sent = nock(master, { reqheaders: { 'mesos-stream-id': streamHeaders['Mesos-Stream-Id'] } });
    sent.post('/api/v1/scheduler').reply(202);
    expect(await session.call(schedulerCalls.revive())).toEqual({ kind: 'accepted' });
    sent.done();
  });

  it('503 of a recovering agent keeps the executor trying', async () => {
    const agent = 'http://agent.example:5051';
    nock(agent).post('/api/v1/executor').times(2).reply(503, 'Agent has not finished recovery');
    nock(agent)
      .post('/api/v1/executor')
      .reply(200, () => new PassThrough().end('19\n{"type":"SHUTDOWN"}'), { 'Content-Type': json });
    const states = createInbox<ExecutorChange>('states');
    const heard = createInbox<string>('events');
    sessions.push(
      startExecutorSession({
        endpoint: new URL(agent),
        frameworkId: frameworkId('f'),
        executorId: executorId('e'),
        checkpoint: true,
        recoveryTimeoutMs: 60_000,
        backoffMaxMs: 0,
        encoding: json,
        onEvent: ({ type }) => heard.push(type),
        onState: (change) => states.push(change),
        log: collectingLog(),
      }),
    );
    expect(await heard.next()).toBe('SHUTDOWN');
    expect(states.all.filter((change) => change.state === 'disconnected')).toHaveLength(2);
  });
});
