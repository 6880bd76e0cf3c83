import { spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProcess } from '../processes/process-table.ts';
import { bundleForNode, bundleLocalProgram } from '../testing/bundle.ts';
import { BareFramework } from '../testing/bare-framework.ts';
import { startEmbeddedCluster } from './start-embedded-cluster.ts';
import type { EmbeddedCluster } from './start-embedded-cluster.ts';

const notRoot = process.getuid?.() !== 0;
const WHY_NOT = notRoot ? ' (skipped: needs root)' : '';

let program: string[];
let folder: string;
let cluster: EmbeddedCluster;

beforeAll(async () => {
  program = await bundleLocalProgram();
  folder = await mkdtemp(join(tmpdir(), 'embedded-'));
  const agents = ['one', 'two'].map((name) => ({
    name,
    hostname: `${name}.local`,
    resources: 'cpus:2;mem:512',
  }));
  cluster = await startEmbeddedCluster({ program, agents, workDir: join(folder, 'cluster') });
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true });
  await rm(dirname(program[1] ?? ''), { recursive: true });
});

const alive = (pid: number) => readProcess(pid) !== undefined;
const gone = (pid: number) => expect.poll(() => alive(pid), { timeout: 10_000 }).toBe(false);

/** A task that leaves a process behind in a session of its own, with an empty environment and another parent. */
const STRAY = 'env -i setsid sh -c "echo \\$\\$ > stray; exec sleep 1000" & sleep 0.4; sleep 1000';

async function pidFrom(path: string): Promise<number> {
  await expect.poll(() => readFile(path, 'utf8').catch(() => ''), { timeout: 10_000 }).toMatch(/\d/);
  return Number(await readFile(path, 'utf8'));
}

const sandboxOf = (agent: string, framework: BareFramework, task: string) =>
  join(
    cluster.agents.get(agent)!.workDir,
    'slaves',
    cluster.agents.get(agent)!.agentId,
    'frameworks',
    framework.id,
    'executors',
    task,
    'runs',
    'latest',
  );

describe('an embedded cluster', () => {
  test('a killed machine takes its agent, executors, strays and registered processes along, and no others', async () => {
    const driver = spawn('sleep', ['1000']);
    await cluster.registerOnMachine('one', driver.pid!);
    const framework = await BareFramework.subscribe(cluster.masterUrl);
    await framework.launch('stray', cluster.agents.get('one')!.agentId, STRAY);
    const stray = await pidFrom(join(sandboxOf('one', framework, 'stray'), 'stray'));
    const agent = cluster.agents.get('one')!.pid;

    const killed = await cluster.killMachine('one');

    expect([...killed]).toEqual(expect.arrayContaining([agent, driver.pid, stray]));
    for (const pid of killed) expect(alive(pid)).toBe(false);
    expect(alive(cluster.agents.get('two')!.pid)).toBe(true);
    await expect.poll(() => framework.states('stray'), { timeout: 15_000 }).toContain('TASK_LOST');
    await framework.teardown();
  });

  test('a machine that is started again keeps its agent ID and says that its task is over', async () => {
    const { agentId } = cluster.agents.get('one')!;
    await cluster.control.start({ kind: 'machine', agent: 'one' });
    const framework = await BareFramework.subscribe(cluster.masterUrl);
    await framework.offerOf(agentId);
    await framework.teardown();
  });

  test.skipIf(notRoot)(
    `a process in a PID namespace of its own dies with its machine too${WHY_NOT}`,
    async () => {
      const framework = await BareFramework.subscribe(cluster.masterUrl);
      const inside = 'sh -c "echo started > inner; exec sleep 1000"';
      await framework.launch(
        'inner',
        cluster.agents.get('one')!.agentId,
        `unshare --pid --fork --mount-proc ${inside}`,
      );
      await expect
        .poll(() => readFile(join(sandboxOf('one', framework, 'inner'), 'inner'), 'utf8').catch(() => ''))
        .toContain('started');
      const namespaceOf = (pid: number) => readlinkSync(`/proc/${pid}/ns/pid`);
      const apart = [...cluster.machinePids('one')].filter(
        (pid) => namespaceOf(pid) !== namespaceOf(process.pid),
      );
      expect(apart).toHaveLength(1);

      const killed = await cluster.killMachine('one');

      expect(killed).toContain(apart[0]);
      expect(alive(apart[0]!)).toBe(false);
      await cluster.control.start({ kind: 'machine', agent: 'one' });
      await framework.teardown();
    },
  );

  test('a partitioned agent is lost, its executor lives on; healed, it comes back', async () => {
    const framework = await BareFramework.subscribe(cluster.masterUrl, ['PARTITION_AWARE']);
    const { agentId, pid } = cluster.agents.get('two')!;
    await framework.launch('cut', agentId, 'echo $$ > pid; exec sleep 1000');
    const task = await pidFrom(join(sandboxOf('two', framework, 'cut'), 'pid'));
    await cluster.control.partition({ kind: 'agent', agent: 'two' });
    await expect.poll(() => framework.states('cut'), { timeout: 15_000 }).toContain('TASK_UNREACHABLE');
    expect([alive(task), alive(pid)]).toEqual([true, true]);
    await cluster.control.heal({ kind: 'agent', agent: 'two' });
    await framework.offerOf(agentId);
    await framework.reconcile('cut', agentId);
    await expect.poll(() => framework.states('cut').at(-1)).toBe('TASK_RUNNING');
    expect(alive(task)).toBe(true);
    await framework.teardown();
    await gone(task);
  });

  test('a restarted master gets its agents, frameworks and tasks back', async () => {
    const framework = await BareFramework.subscribe(cluster.masterUrl, ['PARTITION_AWARE']);
    const { agentId } = cluster.agents.get('two')!;
    await framework.launch('kept', agentId, 'sleep 1000');
    await expect.poll(() => framework.states('kept'), { timeout: 10_000 }).toContain('TASK_RUNNING');
    await cluster.control.kill({ kind: 'master' });
    await cluster.control.start({ kind: 'master' });
    const again = await BareFramework.subscribe(cluster.masterUrl, ['PARTITION_AWARE'], framework.id);
    await again.offerOf(agentId);
    await again.reconcile('kept', agentId);
    await expect.poll(() => again.states('kept')).toEqual(['TASK_RUNNING']);
    await again.teardown();
  });

  test('a frozen machine does nothing at all until it is thawed', async () => {
    const framework = await BareFramework.subscribe(cluster.masterUrl, ['PARTITION_AWARE']);
    const { agentId } = cluster.agents.get('two')!;
    await framework.launch('ticks', agentId, 'while true; do date +%s%N > tick; sleep 0.05; done');
    const tick = join(sandboxOf('two', framework, 'ticks'), 'tick');
    await pidFrom(tick);
    await cluster.control.freeze({ kind: 'machine', agent: 'two' });
    const frozenAt = await readFile(tick, 'utf8');
    await expect.poll(() => framework.states('ticks'), { timeout: 15_000 }).toContain('TASK_UNREACHABLE');
    expect(await readFile(tick, 'utf8')).toBe(frozenAt);
    await cluster.control.thaw({ kind: 'machine', agent: 'two' });
    await expect.poll(() => readFile(tick, 'utf8'), { timeout: 5_000 }).not.toBe(frozenAt);
    await framework.offerOf(agentId);
    await framework.teardown();
  });
});

test('when the parent is killed without a word, nothing of its cluster outlives it', async () => {
  const main = join(folder, 'parent.ts');
  const source = new URL('./start-embedded-cluster.ts', import.meta.url).pathname;
  await writeFile(
    main,
    `import { startEmbeddedCluster } from ${JSON.stringify(source)};
     const [program, workDir] = JSON.parse(process.argv[2]);
     const agents = [{ name: 'a', hostname: 'a.local', resources: 'cpus:1;mem:256' }];
     const cluster = await startEmbeddedCluster({ program, workDir, agents });
     const agent = cluster.agents.get('a');
     console.log(JSON.stringify({ master: cluster.masterUrl, agent }));
     setInterval(() => undefined, 1000);`,
  );
  const bundle = await bundleForNode(main, 'parent.mjs');
  const parent = spawn(process.execPath, [bundle, JSON.stringify([program, join(folder, 'orphans')])]);
  const line = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (data) => resolve(String(data))),
  );
  const { master, agent } = JSON.parse(line) as {
    master: string;
    agent: { agentId: string; pid: number; workDir: string };
  };
  const framework = await BareFramework.subscribe(master);
  await framework.launch('t', agent.agentId, 'echo $$ > pid; exec sleep 1000');
  const path = join(
    agent.workDir,
    'slaves',
    agent.agentId,
    'frameworks',
    framework.id,
    'executors/t/runs/latest/pid',
  );
  const task = await pidFrom(path);

  parent.kill('SIGKILL');

  await gone(task);
  await gone(agent.pid);
  await expect
    .poll(
      () =>
        fetch(`${master}/health`).then(
          () => 'up',
          () => 'down',
        ),
      { timeout: 10_000 },
    )
    .toBe('down');
  await rm(dirname(bundle), { recursive: true });
});

/** How a start that must not succeed ends. */
async function refused(...argv: string[]): Promise<{ code: unknown; words: string }> {
  const child = spawn(program[0]!, [...program.slice(1), ...argv]);
  let words = '';
  child.stderr.on('data', (data) => (words += String(data)));
  return { code: await new Promise((resolve) => child.once('close', resolve)), words };
}

test('a port that is taken is said so, with what to do', async () => {
  const port = cluster.master.split(':')[1]!;
  const { code, words } = await refused('master', '--port', port);
  expect(code).toBe(1);
  expect(words).toContain(`cannot listen on 127.0.0.1:${port}: it is in use; choose another --port`);
});

test('a work directory serves one agent or master at a time, be that one frozen', async () => {
  const { workDir } = cluster.agents.get('two')!;
  await cluster.control.freeze({ kind: 'agent', agent: 'two' });
  const link = join(folder, 'same-place');
  await symlink(workDir, link);
  for (const directory of [workDir, link]) {
    const { code, words } = await refused('agent', '--master', cluster.master, '--work_dir', directory);
    expect(code).toBe(1);
    expect(words).toContain(`the work directory ${directory} is in use by another agent or master`);
  }
  await cluster.control.thaw({ kind: 'agent', agent: 'two' });
  const { words } = await refused('master', '--port', '0', '--work_dir', join(folder, 'cluster/master'));
  expect(words).toContain('end that one, or choose another --work_dir');
});
