/** Edge cases of drivers that count mounts in their own way, or not at all; numbered as in edge-cases.test.ts. */
import { describe, expect, it } from 'vitest';
import { ABSENT, mountedAt, says, scriptedDriver } from '../testing/scripted-driver.ts';
import type { ConsumerId } from '../volumes.ts';
import { mountIdOf } from './mount-id.ts';

const driver = scriptedDriver();
const { volume, consumer, id, open, present, verbs } = driver;
const other = 'task-2' as ConsumerId;
const count = (verb: string): number => verbs().filter((each) => each === verb).length;
const mounted = (): { json: { Mountpoint: string } } => ({ json: { Mountpoint: driver.data } });

describe('edge case 16: two mounts', () => {
  it('by one consumer are one', async () => {
    driver.plugin.script('Mount', mounted());
    const volumes = open();
    await volumes.attach(volume, consumer);
    expect(says(await volumes.attach(volume, consumer))).toBe('done');
    expect(count('Mount')).toBe(1);
  });

  it('by two consumers are one at a driver that does not tell who mounts, and the last one unmounts it', async () => {
    driver.plugin.script('Mount', mounted());
    const volumes = open();
    const [first, second] = [await volumes.attach(volume, consumer), await volumes.attach(volume, other)];
    expect(second).toEqual(first);
    expect(count('Mount')).toBe(1);
    expect(says(await volumes.detach(volume, consumer))).toBe('done');
    expect(count('Unmount')).toBe(0);
    expect(says(await volumes.remove(volume))).toBe('not-done in-use');
    expect(says(await volumes.detach(volume, other))).toBe('done');
    // Under the ID that it was mounted with: the driver may know that one only.
    const unmounts = driver.plugin.calls.filter(({ method }) => method.endsWith('Unmount'));
    expect(unmounts.map(({ body }) => body)).toEqual([{ Name: volume.name, ID: id }]);
  });

  it('by two consumers are two at a driver that tells, each under an ID of its own', async () => {
    driver.plugin.script('Get', present([]), present([id]), present([id, mountIdOf(other)]));
    driver.plugin.script('Mount', mounted());
    const volumes = open();
    await volumes.attach(volume, consumer);
    await volumes.attach(volume, other);
    const ids = driver.plugin.calls
      .filter(({ method }) => method.endsWith('.Mount'))
      .map(({ body }) => body.ID);
    expect(ids).toEqual([id, mountIdOf(other)]);
  });
});

describe('edge case 17: users of one volume by two paths', () => {
  it('are told apart by their IDs: ours lets go of its own, and does not remove what Docker has', async () => {
    const docker = 'f'.repeat(64);
    driver.plugin.script('Get', present([docker, id]), present([docker]));
    const volumes = open();
    expect(says(await volumes.detach(volume, consumer))).toBe('done');
    expect(count('Unmount')).toBe(1);
    expect(says(await volumes.remove(volume))).toBe('not-done in-use');
    expect(count('Remove')).toBe(0);
  });
});

describe('creation', () => {
  it('edge case 18: somebody who was faster is no failure, if the volume is there then', async () => {
    driver.plugin.script('Get', ABSENT, present());
    driver.plugin.script('Create', { status: 500, json: { Err: 'volume already exists' } });
    expect(await open().ensure(volume)).toMatchObject({ kind: 'done', value: { created: false } });
    driver.plugin.script('Get', ABSENT);
    expect(says(await open().ensure(volume))).toBe('not-done conflict');
  });

  it('edge case 18: first attaches at once are one after the other', async () => {
    driver.plugin.script('Mount', mounted());
    const volumes = open();
    const all = await Promise.all([1, 2, 3].map(() => volumes.attach(volume, consumer)));
    expect(all.map(says)).toEqual(['done', 'done', 'done']);
    expect(count('Mount')).toBe(1);
  });

  it('edge case 19: a volume that is there is not made again, and it is said that it was there', async () => {
    expect(await open().ensure(volume)).toMatchObject({ kind: 'done', value: { created: false } });
    expect(count('Create')).toBe(0);
  });
});

describe('letting go', () => {
  it('edge case 26: of what is not mounted is done, once the mount table agrees', async () => {
    driver.plugin.script('Unmount', { status: 500, json: { Err: 'volume is not mounted' } });
    expect(says(await open().detach(volume, consumer))).toBe('done');
    driver.plugin.script('Path', mounted());
    driver.table = [mountedAt(driver.data)];
    expect(says(await open().detach(volume, consumer))).toBe('not-done driver-error');
  });

  it('edge case 26: of a volume that is not there at all is done', async () => {
    driver.plugin.script('Get', ABSENT);
    driver.plugin.script('Unmount', ABSENT);
    expect(says(await open().detach(volume, consumer))).toBe('done');
  });

  it('edge case 27: that fails is said, and can be tried again', async () => {
    driver.plugin.script('Mount', mounted());
    driver.plugin.script('Unmount', { status: 500, json: { Err: 'target is busy' } }, { json: {} });
    const volumes = open();
    await volumes.attach(volume, consumer);
    expect(says(await volumes.detach(volume, consumer))).toBe('not-done in-use');
    expect(says(await volumes.remove(volume))).toBe('not-done in-use');
    expect(says(await volumes.detach(volume, consumer))).toBe('done');
  });

  it('edge case 33: a driver that was restarted and forgot is asked again, and mounts anew', async () => {
    driver.plugin.script('Get', present([]), present([]), present([id]));
    driver.plugin.script('Mount', mounted());
    const volumes = open();
    driver.table = [mountedAt(driver.data)];
    await volumes.attach(volume, consumer);
    driver.table = [];
    expect(says(await volumes.attach(volume, consumer))).toBe('done');
    expect(count('Mount')).toBe(2);
    driver.plugin.script('Get', present([]));
    expect(says(await volumes.detach(volume, consumer))).toBe('done');
  });
});

describe('removal', () => {
  it.each([
    ['its own list', () => driver.plugin.script('Get', present([id]))],
    [
      'the mount table, at the place it names',
      () => {
        driver.plugin.script('Path', mounted());
        driver.table = [mountedAt(driver.data)];
      },
    ],
    [
      'the mount table, by the name, where it names no place',
      () => void (driver.table = [mountedAt(`/var/lib/rexray/volumes/${volume.name}`)]),
    ],
  ])('edge case 28: the driver is not asked to remove what is mounted by %s', async (_, prepare) => {
    prepare();
    expect(says(await open().remove(volume))).toBe('not-done in-use');
    expect(count('Remove')).toBe(0);
  });

  it('edge case 28: the refusal of a driver that knows better is passed on', async () => {
    driver.plugin.script('Remove', { status: 500, json: { Err: 'volume is in use' } });
    expect(says(await open().remove(volume))).toBe('not-done in-use');
  });

  it('edge case 29: of what is not there is done', async () => {
    driver.plugin.script('Get', ABSENT);
    expect(says(await open().remove(volume))).toBe('done');
    driver.plugin.script('Get', present(), ABSENT);
    driver.plugin.script('Remove', ABSENT);
    expect(says(await open().remove(volume))).toBe('done');
  });
});
