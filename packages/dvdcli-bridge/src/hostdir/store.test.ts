import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessTable } from './attachments.ts';
import type { ProcessIdentity } from './core/attachment.ts';
import { durableFiles, type BeforeStep } from './durable-files.ts';
import type { VolumeUser } from './open-files.ts';
import { Refusal } from './refusal.ts';
import { openStore, type HostdirStore } from './store.ts';

/** One machine on which instances start and die; the store is a real directory. */
class Machine {
  readonly alive = new Set<number>();
  user: VolumeUser | undefined;
  bootId = 'boot-1';
  #pids = 100;

  start(
    store: string,
    instance: string,
    beforeStep?: BeforeStep,
  ): { store: HostdirStore; pid: number; die(): void } {
    const pid = (this.#pids += 1);
    this.alive.add(pid);
    const process = identity(pid, this.bootId);
    const processes: ProcessTable = {
      runs: (other) => this.alive.has(other.pid),
      userOf: () => this.user,
      ticksSinceBoot: () => 1_000,
    };
    const opened = openStore({
      store,
      claimant: { instance, process },
      processes,
      files: durableFiles(beforeStep),
      now: () => new Date('2026-01-01T00:00:00Z'),
    });
    return { store: opened, pid, die: () => this.alive.delete(pid) };
  }
}

function identity(pid: number, bootId: string): ProcessIdentity {
  return { pid, startTicks: pid * 10, bootId, host: 'h', machineId: 'm', pidNamespace: 'pid:[1]' };
}

let home: string;
let machine: Machine;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hostdir-'));
  machine = new Machine();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const events = (): string[] =>
  readFileSync(join(home, 'attachments.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { instance: string; event: string })
    .map(({ instance, event }) => `${instance} ${event}`);

describe('a store that two instances share', () => {
  it('gives a mounted volume to nobody else while its holder lives', () => {
    const one = machine.start(home, 'agent1');
    const two = machine.start(home, 'agent2');
    one.store.create('vol1', { size: '1' });
    const path = one.store.mount('vol1', 'id1');
    expect(path).toBe(join(home, 'volumes/vol1/data'));
    expect(() => two.store.mount('vol1', 'id2')).toThrow(
      `volume vol1 is attached to instance agent1 (pid ${one.pid}, alive)`,
    );
    expect(() => two.store.unmount('vol1', 'id1')).toThrow('is not mounted here but by instance agent1');
    expect(() => two.store.remove('vol1')).toThrow('is in use');
    one.store.unmount('vol1', 'id1');
    expect(two.store.mount('vol1', 'id2')).toBe(path);
    expect(events()).toEqual(['agent1 attached', 'agent1 detached', 'agent2 attached']);
  });

  it('hands a dead holder’s volume over once nothing uses it', () => {
    const one = machine.start(home, 'agent1');
    const two = machine.start(home, 'agent2');
    one.store.create('vol1', {});
    one.store.mount('vol1', 'id1');
    one.die();
    machine.user = { pid: 7, name: 'java', how: 'has segments_2 open' };
    expect(() => two.store.mount('vol1', 'id2')).toThrow('process 7 (java) has segments_2 open');
    machine.user = undefined;
    two.store.mount('vol1', 'id2');
    expect(two.store.get('vol1').mounts).toEqual(['id2']);
    expect(events()).toEqual(['agent1 attached', 'agent2 taken-over']);
  });

  it('lets a restarted instance take back what it held, its mounts included', () => {
    const before = machine.start(home, 'agent1');
    before.store.create('vol1', {});
    before.store.mount('vol1', 'id1');
    before.die();
    // Elasticsearch is alive, and is this instance's own.
    machine.user = { pid: 7, name: 'java', how: 'has segments_2 open' };
    const after = machine.start(home, 'agent1');
    after.store.resume();
    expect(after.store.get('vol1')).toMatchObject({ mounts: ['id1'], attachedTo: { pid: after.pid } });
    after.store.unmount('vol1', 'id1');
    expect(after.store.get('vol1').attachedTo).toBeUndefined();
  });

  it('refuses to run one instance twice', () => {
    const first = machine.start(home, 'agent1');
    first.store.create('vol1', {});
    first.store.mount('vol1', 'id1');
    const second = machine.start(home, 'agent1');
    expect(() => second.store.resume()).toThrow(`instance agent1 (pid ${first.pid}, alive)`);
  });

  it('cannot prove a death of an earlier boot, but the instance itself comes back free', () => {
    const before = machine.start(home, 'agent1');
    before.store.create('vol1', {});
    before.store.mount('vol1', 'id1');
    before.die();
    machine.bootId = 'boot-2';
    const other = machine.start(home, 'agent2');
    expect(() => other.store.mount('vol1', 'id2')).toThrow('in an earlier boot of host h');
    machine.start(home, 'agent1').store.resume();
    expect(other.store.mount('vol1', 'id2')).toContain('vol1');
  });

  it('counts a repeated ID, as docker cp sends it, and callers without an ID as one', () => {
    const { store } = machine.start(home, 'agent1');
    store.create('vol1', {});
    for (const id of ['id1', 'id1', '', '']) store.mount('vol1', id);
    store.unmount('vol1', '');
    store.unmount('vol1', 'id1');
    expect(store.get('vol1').mounts).toEqual(['id1']);
    expect(() => store.unmount('vol1', '__proto__')).toThrow('is not mounted by this id');
    store.unmount('vol1', 'id1');
    expect(store.get('vol1').mountpoint).toBe('');
  });

  it('takes a damaged record for an attachment, names the file, and still lists the others', () => {
    const { store } = machine.start(home, 'agent1');
    store.create('vol1', {});
    store.create('vol2', {});
    writeFileSync(join(home, 'volumes/vol1/attachment.json'), '{"format":1');
    expect(() => store.mount('vol1', 'id1')).toThrow(join(home, 'volumes/vol1/attachment.json'));
    expect(() => store.remove('vol1')).toThrow(Refusal);
    expect(store.list().map(({ name }) => name)).toEqual(['vol1', 'vol2']);
  });

  it.each(['../x', 'a/b', '.hidden', 'x', '', 'a\0b', '-x1'])('refuses the volume name %j', (name) => {
    const { store } = machine.start(home, 'agent1');
    expect(() => store.create(name, {})).toThrow('not a volume name');
    expect(existsSync(join(home, 'x'))).toBe(false);
  });
});

describe('an instance that dies between any two steps', () => {
  class PowerCut extends Error {}
  /** Lets `steps` steps happen, then fails each one. */
  const cutAfter = (steps: number): BeforeStep => {
    let left = steps;
    return () => {
      left -= 1;
      if (left < 0) throw new PowerCut();
    };
  };
  const life = (store: HostdirStore): void => {
    store.resume();
    store.create('vol1', { size: '1' });
    store.mount('vol1', 'id1');
    store.mount('vol1', 'id2');
    store.unmount('vol1', 'id1');
    store.unmount('vol1', 'id2');
    store.remove('vol1');
  };
  const stepsOf = (run: (beforeStep: BeforeStep) => void): number => {
    let count = 0;
    run(() => (count += 1));
    return count;
  };

  it('leaves a store that another instance can use, wherever it was', () => {
    const steps = stepsOf((beforeStep) => life(machine.start(home, 'counting', beforeStep).store));
    expect(steps).toBeGreaterThan(20);
    for (let cut = 0; cut < steps; cut += 1) {
      const first = machine.start(home, 'agent1', cutAfter(cut));
      expect(() => life(first.store)).toThrow(PowerCut);
      first.die();
      const second = machine.start(home, 'agent2');
      second.store.create('vol1', {});
      second.store.mount('vol1', 'id3');
      expect(second.store.get('vol1').mounts).toEqual(['id3']);
      second.store.unmount('vol1', 'id3');
      second.store.remove('vol1');
    }
    machine.start(home, 'agent1').store.resume();
    expect(readdirSync(join(home, 'volumes')).filter((name) => name !== 'vol1')).toEqual([]);
  });

  it('never has two holders when the one that takes over dies on the way', () => {
    const takeOver = (store: HostdirStore): void => void store.mount('vol1', 'id2');
    const prepare = (): void => {
      const holder = machine.start(home, 'agent1');
      holder.store.create('vol1', {});
      holder.store.mount('vol1', 'id1');
      holder.die();
    };
    prepare();
    const counting = machine.start(home, 'agent2', () => undefined);
    const steps = stepsOf((beforeStep) => {
      const second = machine.start(home, 'agent2', beforeStep);
      takeOver(second.store);
      second.store.unmount('vol1', 'id2');
    });
    counting.die();
    for (let cut = 0; cut < steps; cut += 1) {
      prepare();
      const second = machine.start(home, 'agent2', cutAfter(cut));
      try {
        takeOver(second.store);
        second.store.unmount('vol1', 'id2');
      } catch (error) {
        expect(error).toBeInstanceOf(PowerCut);
      }
      const third = machine.start(home, 'agent3');
      const holder = third.store.get('vol1').attachedTo?.pid;
      // Alive, the second one keeps what it has won; the third gets it only when it has not.
      if (holder === second.pid) expect(() => third.store.mount('vol1', 'id3')).toThrow('alive');
      second.die();
      third.store.mount('vol1', 'id3');
      expect(third.store.get('vol1')).toMatchObject({ mounts: ['id3'], attachedTo: { pid: third.pid } });
      third.store.unmount('vol1', 'id3');
      third.store.remove('vol1');
    }
  });

  it('gives a free volume to one of two that reach for it at once', () => {
    const fast = machine.start(home, 'agent1');
    fast.store.create('vol1', {});
    let overtaken = false;
    const slow = machine.start(home, 'agent2', (step) => {
      if (step === 'append' || overtaken) return;
      overtaken = true;
      fast.store.mount('vol1', 'id1');
    });
    expect(() => slow.store.mount('vol1', 'id2')).toThrow(`instance agent1 (pid ${fast.pid}, alive)`);
    expect(fast.store.get('vol1').mounts).toEqual(['id1']);
    expect(events()).toEqual(['agent1 attached']);
  });

  it('keeps a slow rival from succeeding a holder that was succeeded already', () => {
    const holder = machine.start(home, 'agent1');
    holder.store.create('vol1', {});
    holder.store.mount('vol1', 'id1');
    holder.die();
    const fast = machine.start(home, 'agent3');
    let overtaken = false;
    // The rival has read the dead holder's record; before it takes the right, the other goes all the way.
    const slow = machine.start(home, 'agent2', (step) => {
      if (step !== 'link' || overtaken) return;
      overtaken = true;
      fast.store.mount('vol1', 'id3');
    });
    expect(() => slow.store.mount('vol1', 'id2')).toThrow(`instance agent3 (pid ${fast.pid}, alive)`);
    expect(fast.store.get('vol1')).toMatchObject({ mounts: ['id3'], attachedTo: { pid: fast.pid } });
    expect(events()).toEqual(['agent1 attached', 'agent3 taken-over']);
  });
});
