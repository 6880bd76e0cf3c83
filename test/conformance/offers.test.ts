import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BareScheduler } from './bare-scheduler.ts';
import { recordedEvents } from './recording.ts';
import { startTarget } from './target.ts';
import type { Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.stop());

describe('recording 01: offers', () => {
  test('subscribe, offers, decline for an hour, revive, suppress, teardown', async () => {
    const scheduler = new BareScheduler(target.master);
    expect(await scheduler.subscribe()).toBe(200);
    const offered = await scheduler.offer();
    const types = recordedEvents('01-subscribe-offers-decline-revive').map((event) => event.type);
    expect(scheduler.events.map((event) => event.type).slice(0, 3)).toEqual(types.slice(0, 3));
    expect(scheduler.streamId).toMatch(/^[0-9a-f-]{36}$/);

    const refuse = (offer: typeof offered, refuseSeconds: number) =>
      scheduler.call({ type: 'DECLINE', decline: { offerIds: [offer.id], filters: { refuseSeconds } } });
    let other = await scheduler.offer((offer) => offer.agentId !== offered.agentId);
    await refuse(offered, 3600);
    const heard = scheduler.events.length;
    // The other agent, given back without a filter, comes again with each round: two rounds leave ours out.
    for (let rounds = 0; rounds < 2; rounds++) {
      await refuse(other, 0);
      other = await scheduler.offer((offer) => offer.agentId === other.agentId);
    }
    const meanwhile = scheduler.events
      .slice(heard)
      .flatMap((event) => (event.type === 'OFFERS' ? (event.offers.offers ?? []) : []));
    expect(meanwhile.filter((offer) => offer.agentId === offered.agentId)).toEqual([]);

    await scheduler.call({ type: 'REVIVE' });
    const again = await scheduler.offer((offer) => offer.agentId === offered.agentId);
    expect(again.resources).toEqual(offered.resources);
    await scheduler.call({ type: 'SUPPRESS' });
    expect((await scheduler.call({ type: 'TEARDOWN' })).status).toBe(202);
    await expect.poll(() => scheduler.ended).toBe(true);
  });

  test('an offer carries what a recorded one carries', async () => {
    const scheduler = new BareScheduler(target.master);
    await scheduler.subscribe();
    const offer = await scheduler.offer();
    const [recorded] = recordedEvents('01-subscribe-offers-decline-revive').flatMap((event) =>
      event.type === 'OFFERS' ? (event.offers.offers ?? []) : [],
    );
    expect(Object.keys(offer).sort()).toEqual(Object.keys(recorded!).sort());
    expect(offer.url?.path).toBe('/slave(1)');
    if (target.isEmbedded) expect(offer.resources).toEqual(recorded!.resources);
    await scheduler.teardown();
  });
});

describe('recording 11: reservations', () => {
  test('a RESERVE shows in the next offer, an UNRESERVE takes it back', async () => {
    const scheduler = new BareScheduler(target.master);
    await scheduler.subscribe({
      user: 'root',
      name: 'conformance',
      role: 'es',
      principal: 'es-principal',
      failoverTimeout: 3600,
      checkpoint: true,
    });
    const first = await scheduler.offer();
    const reservation = { principal: 'es-principal', labels: { labels: [{ key: 'node', value: '1' }] } };
    const reserved = {
      name: 'cpus',
      type: 'SCALAR' as const,
      scalar: { value: 0.5 },
      role: 'es',
      reservation,
    };
    const accept = (offerId: typeof first.id, type: 'RESERVE' | 'UNRESERVE') =>
      scheduler.call({
        type: 'ACCEPT',
        accept: {
          offerIds: [offerId],
          operations: [{ type, [type === 'RESERVE' ? 'reserve' : 'unreserve']: { resources: [reserved] } }],
          filters: { refuseSeconds: 0 },
        },
      });
    const shape = (offer: typeof first) =>
      (offer.resources ?? [])
        .map((one) => `${one.name} ${one.role ?? '*'} ${one.scalar?.value ?? ''}`)
        .sort();

    await accept(first.id, 'RESERVE');
    const second = await scheduler.offer((offer) => offer.agentId === first.agentId);
    const recorded = recordedEvents('11-reservations-and-roles').flatMap((event) =>
      event.type === 'OFFERS' ? (event.offers.offers ?? []) : [],
    );
    expect(second.resources).toContainEqual(reserved);
    if (target.isEmbedded) expect(shape(second)).toEqual(shape(recorded[2]!));

    await accept(second.id, 'UNRESERVE');
    const third = await scheduler.offer((offer) => offer.agentId === first.agentId);
    expect(shape(third)).toEqual(shape(first));
    await scheduler.teardown();
  });
});
