import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { schedulerCalls } from '../calls/scheduler-calls.ts';
import type { Encoding } from '../codec/encoding.ts';
import { ENCODINGS } from '../codec/encoding.ts';
import type { FakeMaster, Inbox } from '../testing/index.ts';
import {
  buildFrameworkInfo,
  buildOffer,
  collectingLog,
  createInbox,
  createManualClock,
  schedulerSubscribed,
  startFakeMaster,
} from '../testing/index.ts';
import { frameworkId, offerId } from '../types/ids.ts';
import type { SchedulerEvent } from '../types/scheduler-api.ts';
import type { SchedulerChange } from './scheduler-state.ts';
import type { SchedulerSession, SchedulerSessionOptions } from './scheduler-session.ts';
import { startSchedulerSession } from './scheduler-session.ts';

let master: FakeMaster;
let events: Inbox<SchedulerEvent>;
let changes: Inbox<SchedulerChange>;
const sessions: SchedulerSession[] = [];
const masters: FakeMaster[] = [];
const log = collectingLog();

async function anotherMaster(): Promise<FakeMaster> {
  const started = await startFakeMaster();
  masters.push(started);
  return started;
}

function start(options: Partial<SchedulerSessionOptions> = {}): SchedulerSession {
  const session = startSchedulerSession({
    masters: () => master.url,
    frameworkInfo: () => buildFrameworkInfo(),
    encoding: 'application/x-protobuf',
    onEvent: (event) => events.push(event),
    onState: (change) => changes.push(change),
    log,
    random: () => 0,
    ...options,
  });
  sessions.push(session);
  return session;
}

async function subscribed(options: Partial<SchedulerSessionOptions> = {}) {
  const session = start(options);
  const subscription = await master.subscriptions.next();
  subscription.send(schedulerSubscribed());
  await changes.next(({ state }) => state === 'subscribed');
  return { session, subscription };
}

const ended = (state: string) => changes.next((change) => change.state === state);

beforeEach(async () => {
  events = createInbox('events');
  changes = createInbox('changes');
  master = await anotherMaster();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.close();
  for (const started of masters.splice(0)) await started.close();
});

describe('a scheduler session', () => {
  it.each<[Encoding]>(ENCODINGS.map((encoding) => [encoding]))(
    'subscribes, hears and calls in %s',
    async (encoding) => {
      const { session, subscription } = await subscribed({ encoding });
      expect(subscription.call).toMatchObject({
        type: 'SUBSCRIBE',
        subscribe: { frameworkInfo: { name: 'test' } },
      });
      expect(subscription.call.frameworkId).toBeUndefined();
      expect(subscription.headers['mesos-stream-id']).toBeUndefined();
      expect(subscription.headers).toMatchObject({ 'content-type': encoding, accept: encoding });

      subscription.send({ type: 'HEARTBEAT' }, { type: 'OFFERS', offers: { offers: [buildOffer()] } });
      await events.next(({ type }) => type === 'OFFERS');
      expect(events.all.map(({ type }) => type)).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);

      expect(await session.call(schedulerCalls.decline([offerId('offer-1')]))).toEqual({ kind: 'accepted' });
      const declined = await master.calls.next();
      expect(declined.call).toMatchObject({ type: 'DECLINE', frameworkId: 'fake-master-0000' });
      expect(declined.headers['mesos-stream-id']).toBe(subscription.streamId);
    },
  );

  it('delivers one event at a time, in order, waiting for each handler', async () => {
    const seen: string[] = [];
    const release = createInbox<() => void>('handlers');
    const { subscription } = await subscribed({
      onEvent: async ({ type }) => {
        seen.push(`${type} begins`);
        await new Promise<void>((resolve) => release.push(resolve));
        seen.push(`${type} ends`);
      },
    });
    subscription.send({ type: 'HEARTBEAT' });
    (await release.next())();
    (await release.next())();
    expect(seen).toEqual(['SUBSCRIBED begins', 'SUBSCRIBED ends', 'HEARTBEAT begins']);
  });

  it('comes back with its framework id after the stream broke', async () => {
    const { subscription } = await subscribed();
    subscription.destroy();
    const again = await master.subscriptions.next();
    expect(again.call).toMatchObject({
      frameworkId: 'fake-master-0000',
      subscribe: { frameworkInfo: { id: 'fake-master-0000' } },
    });
  });

  it('starts with the framework id it is given', async () => {
    start({ frameworkInfo: () => buildFrameworkInfo({ id: frameworkId('stored-0001') }) });
    expect((await master.subscriptions.next()).call.frameworkId).toBe('stored-0001');
  });

  it('follows a scheme-relative redirect, and calls the leader too', async () => {
    const leader = await anotherMaster();
    const location = `//${leader.url.host}/master/api/v1/scheduler`;
    master.refuseSubscribe({ status: 307, headers: { Location: location } });
    const session = start();
    const subscription = await leader.subscriptions.next();
    expect(subscription.path).toBe('/master/api/v1/scheduler');
    subscription.send(schedulerSubscribed());
    await ended('subscribed');
    expect(await session.call(schedulerCalls.revive())).toEqual({ kind: 'accepted' });
    expect((await leader.calls.next()).call.type).toBe('REVIVE');
  });

  it('waits and tries again while the master is not ready', async () => {
    master.refuseSubscribe({ status: 503, body: 'not recovered' });
    master.refuseSubscribe({ status: 404 });
    start();
    await master.subscriptions.next();
    expect(changes.all).toContainEqual(expect.objectContaining({ state: 'disconnected', retryInMs: 250 }));
  });

  it('subscribes as soon as a leader is known where none was', async () => {
    let known: URL[] = [];
    const clock = createManualClock();
    const session = start({ masters: () => known, clock });
    await changes.next(({ state }) => state === 'disconnected');
    known = [master.url];
    session.leaderChanged(known);
    await master.subscriptions.next();
  });

  it('leaves a deposed master that keeps its stream open for the one that leads', async () => {
    let leader = master;
    const { session, subscription } = await subscribed({ masters: () => leader.url });
    leader = await anotherMaster();
    session.leaderChanged([leader.url]);
    const next = await leader.subscriptions.next();
    expect(next.call.frameworkId).toBe('fake-master-0000');
    await subscription.closed;
    next.send(schedulerSubscribed());
    await changes.next((change) => change.state === 'subscribed' && change.master === leader.url.origin);
    expect(await session.call(schedulerCalls.revive())).toEqual({ kind: 'accepted' });
    expect((await leader.calls.next()).call.type).toBe('REVIVE');
  });

  it('tries the next master when one does not answer', async () => {
    const dead = new URL('http://127.0.0.1:9');
    start({ masters: async () => [dead, master.url] });
    await master.subscriptions.next();
  });

  it.each([400, 401, 403, 406])('stops for good when SUBSCRIBE is answered with %i', async (status) => {
    master.refuseSubscribe({ status, body: 'because' });
    start();
    expect(await ended('refused')).toMatchObject({ reason: expect.stringContaining(`${status} because`) });
  });

  it('is replaced when told that the framework failed over, and never subscribes again', async () => {
    const { session, subscription } = await subscribed();
    subscription.send({ type: 'ERROR', error: { message: 'Framework failed over' } });
    subscription.end();
    expect(await ended('replaced')).toEqual({ state: 'replaced', reason: 'Framework failed over' });
    session.resubscribe();
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'not-processed' });
    expect(master.subscriptions.all).toHaveLength(1);
  });

  it('is replaced when a call finds its stream id stale', async () => {
    const { session } = await subscribed();
    const body =
      "The stream ID 'x' included in this request didn't match the stream ID currently associated with framework ID y";
    master.answerCall({ status: 400, body });
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'refused', status: 400 });
    await ended('replaced');
  });

  it('knows a removed framework from other errors', async () => {
    const { subscription } = await subscribed();
    subscription.send({ type: 'ERROR', error: { message: 'Framework has been removed' } });
    await ended('removed');
  });

  it.each([
    [403, 'Framework is not subscribed'],
    [400, 'Framework cannot be found'],
    [307, ''],
  ])('subscribes again when a call is answered with %i %s', async (status, body) => {
    const { session } = await subscribed();
    master.answerCall({ status, body });
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'not-processed' });
    expect((await master.subscriptions.next()).call.frameworkId).toBe('fake-master-0000');
  });

  it('keeps its subscription when only the call was wrong', async () => {
    const { session } = await subscribed();
    master.answerCall({ status: 400, body: "Expecting 'accept' to be present" });
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'refused' });
    expect(await session.call(schedulerCalls.revive())).toEqual({ kind: 'accepted' });
  });

  it('does not know what became of a call that is never answered', async () => {
    const { session } = await subscribed({ callTimeoutMs: 20 });
    master.holdCalls(true);
    expect(await session.call(schedulerCalls.revive())).toEqual({
      kind: 'unknown',
      reason: 'no answer within 0.02 s',
    });
  });

  it('leaves a stream that has gone silent for five heartbeat intervals', async () => {
    const clock = createManualClock();
    const { subscription } = await subscribed({ clock });
    clock.advance(74_000);
    subscription.send({ type: 'HEARTBEAT' });
    await events.next(({ type }) => type === 'HEARTBEAT');
    clock.advance(74_999);
    expect(changes.all.at(-1)).toMatchObject({ state: 'subscribed' });
    clock.advance(1);
    expect(await ended('disconnected')).toMatchObject({ reason: expect.stringContaining('75 s') });
    await subscription.closed;
    clock.advance(15_000);
    await master.subscriptions.next();
  });

  it('skips a record it cannot read, says so, and stays subscribed', async () => {
    const { subscription } = await subscribed();
    subscription.sendBytes(Buffer.from('3\n\xff\xff\xff', 'latin1'));
    subscription.send({ type: 'HEARTBEAT' });
    await events.next(({ type }) => type === 'HEARTBEAT');
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'error' }));
    expect(master.subscriptions.all).toHaveLength(1);
  });

  it.each([
    ['torn', '10\nabc', /inside a record: 3 of 10/],
    ['oversized', '999999999\n', /over the limit/],
    ['not RecordIO at all', '<html>', /not a decimal number/],
  ])('leaves a stream that is %s, and subscribes again', async (_, bytes, reason) => {
    const { subscription } = await subscribed();
    subscription.sendBytes(Buffer.from(bytes));
    subscription.end();
    expect(await ended('disconnected')).toMatchObject({ reason: expect.stringMatching(reason) });
    await master.subscriptions.next();
  });

  it('sends its credentials with every request', async () => {
    const credentials = { kind: 'basic', principal: 'es', secret: 'geheim' } as const;
    const { session, subscription } = await subscribed({ credentials });
    await session.call(schedulerCalls.revive());
    const expected = `Basic ${Buffer.from('es:geheim').toString('base64')}`;
    expect([subscription.headers.authorization, master.calls.all[0]!.headers.authorization]).toEqual([
      expected,
      expected,
    ]);
  });

  it('moves to another master when asked to', async () => {
    const next = await anotherMaster();
    let leader = master.url;
    const { session, subscription } = await subscribed({ masters: () => leader });
    leader = next.url;
    session.resubscribe('another master leads');
    await subscription.closed;
    expect((await next.subscriptions.next()).call.frameworkId).toBe('fake-master-0000');
  });

  it('closes its sockets and delivers nothing more once closed', async () => {
    const { session, subscription } = await subscribed();
    session.close();
    await subscription.closed;
    const before = events.all.length;
    expect(await session.call(schedulerCalls.revive())).toMatchObject({ kind: 'not-processed' });
    expect(events.all).toHaveLength(before);
  });
});
