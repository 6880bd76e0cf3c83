/**
 * A volume whose file system stops to answer under a running node: rclone, which serves it by FUSE, gets SIGSTOP. Everything
 * is real but the agent, the lease service and Elasticsearch, for which a small program stands.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeJson, epoch, nodeId, volumeName } from '@mesos-elasticsearch/contract';
import { MemoryLeases } from '@mesos-elasticsearch/coordination/testing';
import {
  openMountLedger,
  pluginSocketVolumes,
  rcloneVolumeOptions,
  recorded,
  startRclonePlugin,
  type Attachment,
  type RunningPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { rcloneUnavailable } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { createControlDirectory } from '../guard/control-directory.ts';
import { startGuarded } from '../jar/guarded-process.ts';
import { localCommands, lookByProgram } from '../jar/local-commands.ts';
import { holdersOf } from '../jar/process-table.ts';
import type { CommandRunner, NodeRuntime } from '../ports.ts';
import { executorForTests, type TestedExecutor } from '../testing/executor-harness.ts';
import { launchSpec } from '../testing/launch-specs.ts';

const missing = process.getuid?.() === 0 ? rcloneUnavailable() : 'mounting for another user needs root';
const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
const IDLE = 'while :; do sleep 0.05; done';
const WITH_FILE = `exec 3>"$DATA/held"; ${IDLE}`;

describe.skipIf(missing !== undefined)(
  `a volume that hangs under a running node${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let root: string;
    let plugin: RunningPlugin;
    let leases: MemoryLeases;
    let said: string[];

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'hv-'));
      await chmod(root, 0o755);
      leases = new MemoryLeases();
      said = [];
      const pluginDirectory = join(root, 'plugins');
      plugin = await startRclonePlugin({ directory: join(root, 'rclone'), pluginDirectory });
    });
    afterEach(async () => {
      process.kill(plugin.pid, 'SIGCONT');
      await plugin.stop();
      await rm(root, { recursive: true, force: true });
    });

    const ledger = () => openMountLedger({ directory: join(root, 'mounts') });
    const records = () =>
      ledger()
        .keys()
        .map((key) => ledger().peek(key)?.uses[0])
        .map((use) => `${use?.consumer ?? ''} ${use?.state ?? ''} ${String(use?.errors?.count ?? 0)}`);
    const counter = async () => {
      const seen = await leases.read(nodeId(1), epoch(1));
      return seen.state === 'absent' ? 0 : (seen.lease?.counter ?? 0);
    };

    const executor = async (number: number, program: string): Promise<TestedExecutor> => {
      await leases.openEpoch(nodeId(1), epoch(number));
      const sandbox = await mkdtemp(join(root, 'sandbox-'));
      const volumes = pluginSocketVolumes({
        directories: [join(root, 'plugins')],
        timeLimits: { reachMs: 300, createMs: 2_000, mountMs: 2_000, otherMs: 500 },
        lookAt: lookByProgram(environment, 1_000),
      });
      return executorForTests({
        ...{ sandbox, leases, detachTries: 2, timings: { notGoneMs: 500 } },
        volumes: recorded(volumes, ledger()),
        runtime: standIn(sandbox, program),
        // No node has joined before its go was answered.
        askNode: () => delay(200, { kind: 'joined' }),
        say: (message) => said.push(message),
      });
    };
    const spec = async (number: number, parts: Parameters<typeof launchSpec>[0] = {}) => {
      const volume = async (role: string) => {
        const directory = join(root, 'remotes', role);
        await mkdir(directory, { recursive: true });
        const name = volumeName(`elasticsearch1${role}`);
        return { name, driver: 'rclone', options: rcloneVolumeOptions({ directory }) };
      };
      return launchSpec({
        epoch: number,
        taskId: `elasticsearch-1.${String(number)}`,
        volumes: { config: await volume('config'), data: await volume('data') },
        lease: { durationMs: 5_000 },
        ...parts,
      });
    };
    const running = async (program: string): Promise<TestedExecutor> => {
      const tested = await executor(1, program);
      tested.launch(await spec(1));
      await tested.status('TASK_RUNNING');
      process.kill(plugin.pid, 'SIGSTOP');
      return tested;
    };
    /** More of it than Node has threads for files. */
    const touchMuch = ({ executor: seen }: TestedExecutor) => {
      for (let round = 0; round < 6; round += 1) {
        const hosts = [`10.0.0.${String(round)}:9300`];
        seen.dispatch({ kind: 'message', data: encodeJson({ version: 1, kind: 'seed-hosts', hosts }) });
      }
    };

    it('does not stop the executor: it renews its lease, and its own files answer', async () => {
      const tested = await running(IDLE);
      touchMuch(tested);
      const before = await counter();
      await expect.poll(counter, { timeout: 10_000 }).toBeGreaterThan(before + 3);
      const started = performance.now();
      await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/uptime')));
      expect(performance.now() - started).toBeLessThan(1_000);
      await expect.poll(() => said.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(6);
      expect(tested.executor.state().phase).toBe('up');
      process.kill(plugin.pid, 'SIGCONT');
      tested.executor.dispatch({ kind: 'shutdown' });
      await tested.status('TASK_KILLED');
    });

    it('is left behind by a stop as "gone but mounted", on record, for the next epoch to undo', async () => {
      const tested = await running(IDLE);
      tested.executor.dispatch({ kind: 'shutdown' });
      expect(await tested.executor.finished).toBe(75);
      expect(said.at(-1)).toContain('gone but mounted');
      expect(tested.statuses.at(-1)?.state).toBe('TASK_RUNNING');
      expect(await leases.read(nodeId(1), epoch(1))).not.toMatchObject({ state: 'given-back' });
      expect(records().sort()).toEqual(['elasticsearch-1.1 attached 0', 'elasticsearch-1.1 detaching 2']);

      process.kill(plugin.pid, 'SIGCONT');
      const release = await executor(2, IDLE);
      release.launch(await spec(2, { purpose: 'release', formerConsumers: ['elasticsearch-1.1'] }));
      await release.status('TASK_FINISHED');
      expect(records()).toEqual([]);
      expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(root);
    });

    it('keeps a killed process that has a file open from being gone: that is said, and the lease stays', async () => {
      const tested = await running(WITH_FILE);
      tested.executor.dispatch({ kind: 'kill', taskId: 'elasticsearch-1.1', graceMs: 0 });
      await expect.poll(() => said.at(-1), { timeout: 10_000 }).toContain('killed but not gone');
      const before = await counter();
      await expect.poll(counter, { timeout: 10_000 }).toBeGreaterThan(before + 1);
      expect(tested.executor.state().phase).toBe('stopping');
      process.kill(plugin.pid, 'SIGCONT');
      await tested.status('TASK_KILLED');
      expect(records()).toEqual([]);
    });
  },
);

/** Runs the program under the guard, with what `configure` reads of a distribution. */
function standIn(sandbox: string, program: string): NodeRuntime {
  return {
    endOrphans: () => Promise.resolve(),
    prepare: () => Promise.resolve(),
    start: async (_, attachments, deadline) => {
      const mountpoints = { config: pathOf(attachments.config), data: pathOf(attachments.data) };
      const control = await createControlDirectory(sandbox, { deadline, writableByAll: false });
      const home = await distribution(join(sandbox, 'home'));
      const guarded = await startGuarded({
        ...{ control, argv: ['sh', '-c', program], ownNamespace: false, workDirectory: sandbox },
        environment: { ...environment, DATA: mountpoints.data },
        consoleFile: join(sandbox, 'console.log'),
      });
      return {
        ...{ tied: true, mountpoints, home, logDirectory: sandbox, user: undefined },
        commands: impatient(localCommands(undefined, environment)),
        extend: (value) => control.extend(value),
        go: () => control.go(),
        stop: () => control.stop(),
        kill: () => guarded.kill(),
        gone: guarded.gone,
        stillHolding: (role) => holdersOf(mountpoints[role]),
      };
    },
  };
}

function impatient(commands: CommandRunner): CommandRunner {
  return { run: (argv, options) => commands.run(argv, { ...options, limitMs: 1_500 }) };
}

function pathOf(attachment: Attachment): string {
  if (attachment.kind === 'host-path') return attachment.hostPath;
  throw new TypeError('no host path');
}

async function distribution(home: string): Promise<string> {
  const files = {
    'lib/elasticsearch-8.19.5.jar': '',
    'modules/transport-netty4/x': '',
    'config/jvm.options': '-XX:+UseG1GC\n',
    'config/log4j2.properties': 'status = error\n',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(home, path, '..'), { recursive: true });
    await writeFile(join(home, path), text);
  }
  return home;
}
