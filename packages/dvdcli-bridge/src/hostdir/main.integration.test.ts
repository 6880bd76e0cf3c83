/** The plugin as it runs: real processes, real kills, a real /proc. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { volumePlugin, type VolumePlugin } from '../plugin/client.ts';
import type { Outcome } from '../outcome.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startHostdirPlugin, type RunningPlugin } from './start.ts';

let program: string;
let home: string;
let running: RunningPlugin[];
let users: ChildProcess[];
beforeAll(async () => {
  program = (await buildPrograms(mkdtempSync(join(tmpdir(), 'hostdir-program-')))).hostdir;
});
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hd-'));
  running = [];
  users = [];
});
afterEach(async () => {
  for (const user of users) user.kill('SIGKILL');
  for (const plugin of running) await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});

async function start(instance: string): Promise<RunningPlugin> {
  const plugin = await startHostdirPlugin({
    program,
    store: join(home, 'store'),
    instance,
    pluginDirectory: join(home, instance),
  });
  running.push(plugin);
  return plugin;
}
const reach = (instance: string): VolumePlugin =>
  volumePlugin({ driver: 'hostdir', directories: [join(home, instance)], timeLimits: { reachMs: 300 } });
async function kill(plugin: RunningPlugin): Promise<void> {
  process.kill(plugin.pid, 'SIGKILL');
  await plugin.stop();
}
function wordsOf(outcome: Outcome<unknown>): string {
  return outcome.kind === 'done' ? 'done' : (outcome.error.driverMessage ?? outcome.error.message);
}
/** A process that keeps the volume in use, in one of the ways there are. */
async function use(path: string, script: string): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `${script}; echo ready; read wait`], {
    cwd: '/',
    env: { ...process.env, V: path },
  });
  users.push(child);
  await once(child.stdout, 'data');
  return child;
}
async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}
/** An instance of an unprivileged user. */
async function startAsNobody(instance: string): Promise<ChildProcess> {
  chmodSync(dirname(program), 0o755);
  chmodSync(home, 0o777);
  const pluginDirectory = join(home, instance);
  mkdirSync(pluginDirectory, { recursive: true });
  chmodSync(pluginDirectory, 0o777);
  const child = spawn(
    process.execPath,
    [program, '--store', join(home, 'store'), '--instance', instance, '--plugin-directory', pluginDirectory],
    { uid: 65534, gid: 65534, cwd: '/' },
  );
  users.push(child);
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  return child;
}
const WHY_NOT_ROOT = process.getuid?.() === 0 ? '' : ' (skipped: needs root, to become another user)';
const events = (): { instance: string; event: string }[] =>
  readFileSync(join(home, 'store/attachments.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { instance: string; event: string });

describe('hostdir', () => {
  it.each([
    ['an open file', 'exec 3>"$V/file"', /has .*\/file open/],
    ['an open file that was deleted', 'exec 3>"$V/file"; rm "$V/file"', /has .*\/file \(deleted\) open/],
    ['its working directory', 'cd "$V"', /works in /],
  ])('lets a killed instance keep its volume while a process has %s there', async (_, script, how) => {
    const first = await start('agent1');
    await start('agent2');
    const two = reach('agent2');
    await two.create('vol1', {});
    const path = await reach('agent1').mount('vol1', 'id1');
    if (path.kind !== 'done') throw path.error;
    const user = await use(path.value, script);
    await kill(first);
    expect(wordsOf(await two.mount('vol1', 'id2'))).toMatch(how);
    await end(user);
    expect(wordsOf(await two.mount('vol1', 'id2'))).toBe('done');
    expect(events().map(({ instance, event }) => `${instance} ${event}`)).toEqual([
      'agent1 attached',
      'agent2 taken-over',
    ]);
  });

  it('does not take a volume from an instance that is stopped, for it may go on', async () => {
    const first = await start('agent1');
    await start('agent2');
    await reach('agent1').create('vol1', {});
    await reach('agent1').mount('vol1', 'id1');
    process.kill(first.pid, 'SIGSTOP');
    expect(wordsOf(await reach('agent2').mount('vol1', 'id2'))).toMatch(/instance agent1 \(pid \d+, alive\)/);
    process.kill(first.pid, 'SIGCONT');
    expect(wordsOf(await reach('agent1').unmount('vol1', 'id1'))).toBe('done');
  });

  it('keeps attachments on record over SIGTERM and kill -9, and takes them back', async () => {
    const first = await start('agent1');
    await start('agent2');
    await reach('agent1').create('vol1', {});
    const path = await reach('agent1').mount('vol1', 'id1');
    if (path.kind !== 'done') throw path.error;
    await use(path.value, 'cd "$V"');
    await first.stop();
    expect(wordsOf(await reach('agent2').mount('vol1', 'id2'))).toMatch(/gone.*works in/);
    const second = await start('agent1');
    await kill(second);
    await start('agent1');
    expect(await reach('agent1').path('vol1')).toEqual({ kind: 'done', value: path.value });
    expect(wordsOf(await reach('agent1').unmount('vol1', 'id1'))).toBe('done');
  });

  it('gives a free volume, and a dead holder’s, to exactly one of many that ask at once', async () => {
    const instances = ['agent1', 'agent2', 'agent3', 'agent4'];
    const plugins = new Map<string, RunningPlugin>();
    for (const instance of instances) plugins.set(instance, await start(instance));
    for (let round = 0; round < 6; round += 1) {
      const name = `vol${round}`;
      await reach('agent4').create(name, {});
      const raced = instances.slice(0, 3);
      const answers = await Promise.all(raced.map((instance) => reach(instance).mount(name, instance)));
      const winners = raced.filter((_, index) => answers[index]?.kind === 'done');
      expect(winners).toHaveLength(1);
      const winner = winners[0]!;
      await kill(plugins.get(winner)!);
      const rest = instances.filter((instance) => instance !== winner);
      const again = await Promise.all(rest.map((instance) => reach(instance).mount(name, instance)));
      expect(again.filter(({ kind }) => kind === 'done')).toHaveLength(1);
      plugins.set(winner, await start(winner));
      expect(wordsOf(await reach(winner).mount(name, winner))).toMatch(/alive/);
    }
  });

  it('works without root', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'the whole suite runs without root already');
    // The program lies where anybody may read it.
    await startAsNobody('agent1');
    await reach('agent1').create('vol1', {});
    expect(wordsOf(await reach('agent1').mount('vol1', 'id1'))).toBe('done');
  });

  it.skipIf(process.getuid?.() !== 0)(
    `takes a volume over without root while programs of root start${WHY_NOT_ROOT}`,
    async () => {
      const first = await startAsNobody('agent1');
      await reach('agent1').create('vol1', {});
      const mounted = await reach('agent1').mount('vol1', 'id1');
      await startAsNobody('agent2');
      // Of root, started after the attachment: nobody without root can look into it.
      users.push(spawn('sleep', ['600'], { cwd: '/' }));
      await end(first);
      expect(wordsOf(await reach('agent2').mount('vol1', 'id2'))).toBe('done');

      // Handed to another user, as root's executor does before Elasticsearch runs: then root may well be in there.
      const path = mounted.kind === 'done' ? mounted.value : '';
      chownSync(path, 9200, 9200);
      users.push(spawn('sleep', ['600'], { cwd: '/' }));
      await startAsNobody('agent1');
      await end(users.find((user) => user.spawnargs.includes('agent2'))!);
      expect(wordsOf(await reach('agent1').mount('vol1', 'id3'))).toContain('cannot be inspected');
    },
  );

  it('refuses a socket path that no socket can have, and a second run of one instance', async () => {
    const pluginDirectory = join(home, 'x'.repeat(120));
    const options = { program, store: join(home, 'store'), instance: 'agent1', pluginDirectory };
    await expect(startHostdirPlugin(options)).rejects.toThrow('takes 107 at most');
    await start('agent1');
    await expect(startHostdirPlugin({ ...options, pluginDirectory: join(home, 'agent1') })).rejects.toThrow(
      'is served by another process',
    );
    expect(existsSync(join(home, 'agent1/hostdir.sock'))).toBe(true);
  });

  it('ends when its standard input does', async () => {
    const child = spawn(process.execPath, [
      ...[program, '--store', join(home, 'store'), '--instance', 'agent1'],
      ...['--plugin-directory', join(home, 'agent1'), '--stop-on-stdin-end'],
    ]);
    await once(child.stdout, 'data');
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
  });
});
