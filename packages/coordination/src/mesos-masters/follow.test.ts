import { afterEach, describe, expect, it } from 'vitest';
import { followMasters, type MasterDetector, type MasterGroup } from './follow.ts';

const info = (port: number) =>
  new TextEncoder().encode(JSON.stringify({ address: { ip: '10.0.0.1', port } }));

/** A group in memory, with the one-time watch that ZooKeeper has. */
class FakeGroup implements MasterGroup {
  nodes: Map<string, Uint8Array> | undefined = new Map();
  /** Takes the place of the next answers, in turn. */
  readonly failures: Error[] = [];
  /** Vanishes between the list and the question for its data. */
  vanishing: string | undefined;
  asked = 0;
  #watch: (() => void) | undefined;

  async children(changed: () => void) {
    this.asked += 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.#watch = changed;
    return this.nodes === undefined ? undefined : [...this.nodes.keys()];
  }

  async data(child: string) {
    if (child === this.vanishing) this.nodes?.delete(child);
    return this.nodes?.get(child);
  }

  fire() {
    const watch = this.#watch;
    this.#watch = undefined;
    watch?.();
  }

  async close() {}
}

let detector: MasterDetector | undefined;
afterEach(() => detector?.close());

function follow(group: FakeGroup) {
  const lines: string[] = [];
  const write = (fields: object, message: string) =>
    lines.push(`${message} ${'reason' in fields ? String(fields.reason) : ''}`.trim());
  const followed = followMasters(group, { info: write, warn: write }, 1);
  detector = followed;
  const next = () => new Promise<string>((resolve) => followed.onChange((urls) => resolve(urls.join(' '))));
  return { lines, next, current: () => followed.current().join(' ') };
}

/** Until the follower has asked once more. */
async function askedAgain(group: FakeGroup, times = 1) {
  const wanted = group.asked + times;
  while (group.asked < wanted) await new Promise(setImmediate);
}

describe('following the masters', () => {
  it('knows nobody until somebody leads, and then every change of leader', async () => {
    const group = new FakeGroup();
    group.nodes = undefined;
    const { next, current } = follow(group);
    await askedAgain(group, 0);
    expect(current()).toBe('');

    const first = next();
    group.nodes = new Map([
      ['json.info_0000000001', info(5051)],
      ['json.info_0000000000', info(5050)],
    ]);
    group.fire();
    expect(await first).toBe('http://10.0.0.1:5050/');

    const second = next();
    group.nodes.delete('json.info_0000000000');
    group.fire();
    expect(await second).toBe('http://10.0.0.1:5051/');
    expect(current()).toBe('http://10.0.0.1:5051/');
  });

  it('says nothing when a master joins that does not lead', async () => {
    const group = new FakeGroup();
    group.nodes!.set('json.info_0000000000', info(5050));
    const { next, current } = follow(group);
    await next();
    const changes: unknown[] = [];
    detector?.onChange((urls) => changes.push(urls));
    group.nodes!.set('json.info_0000000001', info(5051));
    group.fire();
    await askedAgain(group);
    expect(changes).toEqual([]);
    expect(current()).toBe('http://10.0.0.1:5050/');
  });

  it('keeps the last one known while ZooKeeper does not answer, and says so once', async () => {
    const group = new FakeGroup();
    group.nodes!.set('json.info_0000000000', info(5050));
    const { next, lines, current } = follow(group);
    await next();
    group.failures.push(...Array.from({ length: 20 }, () => new Error('connection lost')));
    group.fire();
    await askedAgain(group, 10);
    expect(current()).toBe('http://10.0.0.1:5050/');
    const changed = next();
    group.nodes = new Map([['json.info_0000000007', info(5057)]]);
    expect(await changed).toBe('http://10.0.0.1:5057/');
    expect(lines.filter((line) => line.includes('connection lost'))).toHaveLength(1);
    expect(lines.at(-2)).toBe('the leading Mesos master is known again');
  });

  it('keeps the last one known while nobody leads', async () => {
    const group = new FakeGroup();
    group.nodes!.set('json.info_0000000000', info(5050));
    const { next, lines, current } = follow(group);
    await next();
    group.nodes!.clear();
    group.fire();
    await askedAgain(group);
    expect(current()).toBe('http://10.0.0.1:5050/');
    expect(lines.at(-1)).toMatch(/no Mesos master leads/);
  });

  it('asks again when the leader vanishes between two questions', async () => {
    const group = new FakeGroup();
    group.nodes = new Map([
      ['json.info_0000000000', info(5050)],
      ['json.info_0000000001', info(5051)],
    ]);
    group.vanishing = 'json.info_0000000000';
    const { next } = follow(group);
    expect(await next()).toBe('http://10.0.0.1:5051/');
  });

  it('does not believe a znode that makes no sense, and takes the next leader', async () => {
    const group = new FakeGroup();
    group.nodes!.set('json.info_0000000000', new TextEncoder().encode('{}'));
    const { next, lines, current } = follow(group);
    await askedAgain(group, 3);
    expect(current()).toBe('');
    expect(lines).toHaveLength(1);
    const changed = next();
    group.nodes = new Map([['json.info_0000000001', info(5051)]]);
    expect(await changed).toBe('http://10.0.0.1:5051/');
  });

  it('ends when it is closed, even in an outage', async () => {
    const group = new FakeGroup();
    group.failures.push(...Array.from({ length: 1000 }, () => new Error('connection lost')));
    follow(group);
    await askedAgain(group, 2);
    await detector?.close();
    const { asked } = group;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(group.asked).toBe(asked);
  });
});
