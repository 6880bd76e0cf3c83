/** Answers that are late, lost, wrong or worded in some way of their own. */
import { describe, expect, it } from 'vitest';
import { ABSENT, messageOf, oddDriver, says } from '../testing/odd-driver.ts';

const odd = oddDriver();

describe('edge case 4: a plugin that hangs', () => {
  it('costs the limit of the verb, and no Unmount follows behind the caller’s back', async () => {
    odd.plugin.script('Mount', 'hang');
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('unknown time-limit');
    // A driver that works in parallel could carry out the Unmount after the retry's Mount has succeeded, and would
    // pull the volume from under Elasticsearch (docs/adr/0001). The caller retries or detaches, under the same ID.
    expect(odd.verbs()).not.toContain('Unmount');
  });
  it('is let go of by the detach that follows', async () => {
    odd.plugin.script('Mount', 'hang');
    odd.plugin.script('Get', odd.present([]), odd.present([odd.id]), odd.present([]));
    const volumes = odd.open();
    await volumes.attach(odd.volume, odd.task);
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('done');
    expect(odd.verbs()).toEqual(['Get', 'Mount', 'Get', 'Unmount', 'Get']);
  });
  it('cannot hold up the whole operation for longer than its own limit', async () => {
    odd.plugin.script('Get', 'hang');
    const limits = { reachMs: 200, otherMs: 60_000, operationMs: 100 };
    const before = performance.now();
    const outcome = await odd.open({ timeLimits: limits }).inspect(odd.volume);
    expect(says(outcome)).toBe('unknown time-limit');
    expect(messageOf(outcome)).toContain('the limit of the whole operation');
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

describe('edge case 5: the connection drops after the request was sent', () => {
  it.each(['die', 'half'] as const)(
    'a Create that ends in %j is not sent again, and a retry asks first',
    async (how) => {
      odd.plugin.script('Get', ABSENT, odd.present());
      odd.plugin.script('Create', how);
      const volumes = odd.open();
      expect(says(await volumes.ensure(odd.volume))).toBe('unknown driver-unavailable');
      expect(odd.verbs()).toEqual(['Get', 'List', 'Create']);
      expect(await volumes.ensure(odd.volume)).toMatchObject({ kind: 'done', value: { created: false } });
      expect(odd.verbs()).toEqual(['Get', 'List', 'Create', 'Get']);
    },
  );
  it('a Mount is not sent again either, and a Get is', async () => {
    odd.plugin.script('Mount', 'die');
    odd.plugin.script('Get', 'die', odd.present());
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('unknown driver-unavailable');
    expect(odd.verbs()).toEqual(['Get', 'Get', 'Mount']);
  });
});

describe('words of refusal', () => {
  it('edge case 7: Err in an answer with status 200 is a refusal, verbatim', async () => {
    odd.plugin.script('Mount', { json: { Err: ' disk is on fire\n' } });
    const outcome = await odd.open().attach(odd.volume, odd.task);
    expect(says(outcome)).toBe('not-done driver-error');
    expect(outcome.kind !== 'done' && outcome.error.driverMessage).toBe(' disk is on fire\n');
  });
  it.each([
    [{ status: 500, json: { Err: 'a', Error: 'b' } }, 'a'],
    [{ status: 500, json: { Error: 'old REX-Ray' } }, 'old REX-Ray'],
    [{ status: 500, text: ' plain words\n' }, 'plain words'],
    [{ status: 500, text: '{"Error":"unescaped "quotes""}\n' }, '{"Error":"unescaped "quotes""}'],
    [{ status: 500, text: '' }, 'HTTP status 500'],
  ])('edge case 8: of %j they are %j', async (answer, words) => {
    odd.plugin.script('Mount', answer);
    const outcome = await odd.open().attach(odd.volume, odd.task);
    expect(outcome.kind === 'not-done' && outcome.error.driverMessage).toBe(words);
  });
  it.each([201, 202, 204])(
    'edge case 9: status %d says nothing of what became of the call',
    async (status) => {
      odd.plugin.script('Mount', { status, json: { Mountpoint: odd.data } });
      expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('unknown bad-answer');
      odd.plugin.script('Unmount', { status, json: {} });
      expect(says(await odd.open().detach(odd.volume, odd.task))).toBe('unknown bad-answer');
    },
  );
});

describe('edge case 10: a driver without Get', () => {
  const missing = { status: 404, text: '404 page not found\n' };
  it('is attached and detached without it, by its list or by its word', async () => {
    odd.plugin.script('Get', missing);
    odd.plugin.script('List', missing);
    odd.plugin.script('Path', missing);
    odd.plugin.script('Mount', { json: { Mountpoint: odd.data } });
    const volumes = odd.open();
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('done');
    expect(odd.verbs().filter((verb) => verb === 'Unmount')).toHaveLength(1);
  });
  it('shows by its list what it has', async () => {
    odd.plugin.script('Get', missing);
    odd.plugin.script('List', { json: { Volumes: [{ Name: odd.volume.name, Mountpoint: '/x' }] } });
    expect(await odd.open().inspect(odd.volume)).toMatchObject({ value: { mountpoint: '/x' } });
    odd.plugin.script('List', { json: { Volumes: null } });
    expect(await odd.open().inspect(odd.volume)).toEqual({ kind: 'done', value: undefined });
  });
});

describe('edge case 11: an ill backend is no absent volume', () => {
  it('nothing is made, and the driver’s words are kept', async () => {
    odd.plugin.script('Get', { json: { Err: 'backend timeout' } });
    odd.plugin.script('List', { json: { Err: 'backend timeout' } });
    const outcome = await odd.open().ensure(odd.volume);
    expect(says(outcome)).toBe('not-done driver-error');
    expect(messageOf(outcome)).toContain('backend timeout');
    expect(odd.verbs()).not.toContain('Create');
  });
  it('and what is truly absent is made with its options', async () => {
    odd.plugin.script('Get', { json: { Err: 'backend timeout' } }, odd.present());
    odd.plugin.script('List', { json: { Volumes: [] } });
    expect(await odd.open().ensure(odd.volume)).toMatchObject({ value: { created: true } });
    const create = odd.plugin.calls.find(({ method }) => method === 'VolumeDriver.Create');
    expect(create?.body).toEqual({ Name: odd.volume.name, Opts: { size: '1' } });
  });
});

describe('edge case 12: Get answers for another name', () => {
  it('which is no answer to what was asked', async () => {
    odd.plugin.script('Get', odd.present([], '', 'elasticsearch2data'));
    const volumes = odd.open();
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('unknown bad-answer');
    expect(says(await volumes.remove(odd.volume))).toBe('unknown bad-answer');
    expect(odd.verbs()).toEqual(['Get', 'Get']);
  });
  it('or for none, which is an absent volume', async () => {
    odd.plugin.script('Get', odd.present([], '', ''));
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('not-done not-found');
  });
  it('in other case: the name that was asked for is used, with a warning', async () => {
    odd.plugin.script('Get', odd.present(undefined, '', 'Elasticsearch1Data'));
    odd.plugin.script('Mount', { json: { Mountpoint: odd.data } });
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('done');
    expect(odd.plugin.calls.map(({ body }) => body.Name)).not.toContain('Elasticsearch1Data');
    expect(odd.warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('Elasticsearch1Data'),
    ]);
  });
});

describe('the scope', () => {
  it.each([
    [{ json: { Capabilities: { Scope: 'global' } } }, 'global'],
    [{ json: { capabilities: { scope: 'GLOBAL' } } }, 'global'],
    [{ json: { Capabilities: { Scope: 'local' } } }, 'local'],
    [{ json: { Capabilities: { Scope: 'galactic' } } }, 'local'],
    [{ json: { Capabilities: { Scope: 7 } } }, 'local'],
    [{ json: { Capabilities: null } }, 'local'],
    [{ json: {} }, 'local'],
    [{ json: { Err: 'no' } }, 'local'],
    [{ status: 404, text: '404 page not found' }, 'local'],
    ['garbage', 'local'],
  ] as const)('of %j is %s', async (answer, scope) => {
    odd.plugin.script('Capabilities', answer);
    expect(await odd.open().describe('odd')).toEqual({ kind: 'done', value: { driver: 'odd', scope } });
  });
  it('of a driver that does not answer is not known', async () => {
    odd.plugin.script('Capabilities', 'hang');
    expect(says(await odd.open().describe('odd'))).toBe('unknown time-limit');
    expect(says(await odd.open().describe('nosuch'))).toBe('not-done driver-not-found');
  });
});

it('what a driver says of a volume is passed on, a time that is none is not', async () => {
  const said = { Name: odd.volume.name, CreatedAt: '2026-11-22T11:38:47Z', Status: { size: 1 } };
  odd.plugin.script(
    'Get',
    { json: { Volume: said } },
    { json: { Volume: { ...said, CreatedAt: 'yesterday' } } },
  );
  const volumes = odd.open();
  expect(await volumes.inspect(odd.volume)).toMatchObject({
    value: { createdAt: '2026-11-22T11:38:47Z', status: { size: 1 } },
  });
  expect(await volumes.inspect(odd.volume)).not.toHaveProperty('value.createdAt');
});
