/**
 * The edge cases in which the original tools go wrong, by their numbers in the list that this bridge was built from
 * (docs/volumes.md has it): calls that are lost, refused or half-answered, and drivers that count in their own way.
 */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import { ABSENT, says, scriptedDriver } from '../testing/scripted-driver.ts';
import type { ConsumerId } from '../volumes.ts';
import { mountIdOf } from './mount-id.ts';

const driver = scriptedDriver();
const { volume, consumer, id, open, present, verbs } = driver;
const other = 'task-2' as ConsumerId;
const count = (verb: string): number => verbs().filter((each) => each === verb).length;
const mounted = (): { json: { Mountpoint: string } } => ({ json: { Mountpoint: driver.data } });
const endpointMissing = { status: 404, text: '404 page not found\n' };

describe('calls whose end nobody saw', () => {
  it('edge case 4: a Mount that hangs ends at its limit, and a detach takes it back under the same ID', async () => {
    driver.plugin.script('Mount', 'hang');
    const volumes = open();
    expect(says(await volumes.attach(volume, consumer))).toBe('unknown time-limit');
    // Not at once: a driver that works in parallel might carry the Unmount out after the caller's retry.
    expect(count('Unmount')).toBe(0);
    driver.plugin.script('Get', present([id]), present([]));
    expect(says(await volumes.detach(volume, consumer))).toBe('done');
    expect(driver.plugin.calls.findLast(({ method }) => method.endsWith('Unmount'))?.body).toEqual({
      Name: volume.name,
      ID: id,
    });
  });

  it.each(['Create', 'Mount', 'Unmount', 'Remove'])(
    'edge case 5: a %s whose connection broke is not sent again, and the next try looks first',
    async (verb) => {
      const volumes = open();
      driver.plugin.script(verb, 'die');
      if (verb === 'Create') driver.plugin.script('Get', ABSENT, ABSENT, present());
      if (verb === 'Remove') driver.plugin.script('Get', present(), present(), ABSENT);
      const call = {
        Create: () => volumes.ensure(volume),
        Mount: () => volumes.attach(volume, consumer),
        Unmount: () => volumes.detach(volume, consumer),
        Remove: () => volumes.remove(volume),
      }[verb]!;
      expect(says(await call())).toBe('unknown driver-unavailable');
      expect(count(verb)).toBe(1);
      driver.plugin.script(verb, verb === 'Mount' ? mounted() : { json: {} });
      const before = verbs().length;
      expect(says(await call())).toBe('done');
      expect(verbs()[before]).toBe('Get');
    },
  );
});

describe('answers', () => {
  it.each([
    ['7: status 200 and Err', { json: { Err: 'no more disks' } }, 'no more disks'],
    ['8: status 500 and the key of old REX-Ray', { status: 500, json: { Error: 'no disk' } }, 'no disk'],
    ['8: status 500 and plain text', { status: 500, text: 'no disk\n' }, 'no disk'],
  ])('edge case %s: a refusal, in the words of the driver', async (_, answer, words) => {
    driver.plugin.script('Mount', answer);
    const outcome = await open().attach(volume, consumer);
    expect(says(outcome)).toBe('not-done driver-error');
    expect(outcome.kind !== 'done' && outcome.error.driverMessage).toBe(words);
  });

  it('edge case 9: another status of success is of no plugin, and leaves open what happened', async () => {
    driver.plugin.script('Mount', { status: 202, json: { Mountpoint: driver.data } });
    expect(says(await open().attach(volume, consumer))).toBe('unknown bad-answer');
  });

  it('edge case 10: a driver without Get is attached, detached and removed all the same', async () => {
    driver.plugin.script('Get', endpointMissing);
    driver.plugin.script('List', endpointMissing);
    driver.plugin.script('Mount', mounted());
    const volumes = open();
    expect(says(await volumes.ensure(volume))).toBe('done');
    expect(says(await volumes.attach(volume, consumer))).toBe('done');
    expect(says(await volumes.detach(volume, consumer))).toBe('done');
    expect(count('Unmount')).toBe(1);
  });

  it('edge case 11: an ill driver is not one without volumes; what is made is made with its options', async () => {
    driver.plugin.script('Get', { status: 500, json: { Err: 'backend timeout' } });
    driver.plugin.script('List', { status: 500, json: { Err: 'backend timeout' } });
    const outcome = await open().ensure(volume);
    expect(says(outcome)).toBe('not-done driver-error');
    expect(outcome.kind !== 'done' && outcome.error.driverMessage).toBe('backend timeout');
    expect(count('Create')).toBe(0);
    driver.plugin.script('List', { json: { Volumes: null } }, { json: { Volumes: [{ Name: volume.name }] } });
    expect(says(await open().ensure(volume))).toBe('done');
    expect(driver.plugin.calls.find(({ method }) => method.endsWith('Create'))?.body).toEqual({
      Name: volume.name,
      Opts: volume.options,
    });
  });

  it.each([
    ['another name', 'elasticsearch2data', 'unknown bad-answer'],
    ['no name', '', 'not-done not-found'],
  ])('edge case 12: %s in the answer is never acted upon', async (_, name, code) => {
    driver.plugin.script('Get', { json: { Volume: { Name: name } } });
    const volumes = open();
    expect(says(await volumes.attach(volume, consumer))).toBe(code);
    await volumes.detach(volume, consumer);
    await volumes.remove(volume);
    for (const { body, method } of driver.plugin.calls)
      if (method !== 'Plugin.Activate') expect(body.Name).toBe(volume.name);
  });
});

describe('places', () => {
  it('edge case 14: a mountpoint that nobody has mounted is not taken for one', async () => {
    driver.plugin.script('Get', present([], driver.data), present([], driver.data), ABSENT);
    driver.plugin.script('Path', mounted());
    driver.plugin.script('Mount', { status: 500, json: { Err: 'no' } });
    const volumes = open();
    expect(says(await volumes.attach(volume, consumer))).toBe('not-done driver-error');
    expect(says(await volumes.remove(volume))).toBe('done');
  });

  it('edge case 15: the answer to Mount counts, whatever Get and Path say later', async () => {
    const inside = join(driver.data, 'inside');
    mkdirSync(inside);
    driver.plugin.script('Mount', { json: { Mountpoint: inside } });
    driver.plugin.script('Path', mounted());
    const volumes = open();
    await volumes.attach(volume, consumer);
    driver.plugin.script('Get', present(undefined, driver.data));
    const again = await volumes.attach(volume, consumer);
    expect(again).toEqual({ kind: 'done', value: { kind: 'host-path', hostPath: inside } });
  });

  it('somebody else’s place is refused and given back', async () => {
    const second = { ...volume, name: volumeName('elasticsearch2data') };
    driver.plugin.script('Mount', mounted());
    driver.plugin.script('Get', present(), { json: { Volume: { Name: second.name } } });
    const volumes = open();
    await volumes.attach(volume, consumer);
    const outcome = await volumes.attach(second, other);
    expect(says(outcome)).toBe('not-done bad-mountpoint');
    expect(outcome.kind !== 'done' && outcome.error.message).toContain(
      `${JSON.stringify(driver.data)}, which is where volume ${volume.name} of driver odd is attached`,
    );
    expect(driver.plugin.calls.findLast(({ method }) => method.endsWith('Unmount'))).toEqual({
      method: 'VolumeDriver.Unmount',
      body: { Name: second.name, ID: mountIdOf(other) },
    });
  });

  it('edge case 41: owner and mode of a volume are nobody’s business here', async () => {
    chmodSync(driver.data, 0o751);
    const before = statSync(driver.data);
    driver.plugin.script('Mount', mounted());
    const volumes = open();
    await volumes.attach(volume, consumer);
    await volumes.detach(volume, consumer);
    const { mode, uid, gid } = statSync(driver.data);
    expect([mode, uid, gid]).toEqual([before.mode, before.uid, before.gid]);
  });
});
