/** Executors as processes: each in a session of its own, in its sandbox, watched until nothing of it is left. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { constants } from 'node:os';
import type { CommandInfo, FrameworkInfo, TaskInfo } from '@mesos-elasticsearch/mesos-v1';
import { executorEnvironment } from '../core/agent/environment.ts';
import type { ExecutorSurroundings } from '../core/agent/environment.ts';
import type { ExecutorRun } from '../core/agent/state.ts';
import { killFamily } from '../processes/kill-family.ts';
import { environmentHas, familyOf, readProcess, readProcessTable } from '../processes/process-table.ts';
import { fetchUris } from './fetcher.ts';
import { inMountNamespace, type Bind, type Isolators } from './isolators.ts';
import { accountFor } from './users.ts';

const WATCH_MS = 200;

export interface ContainerEvents {
  readonly started: (key: string, pid: number, startTime: string) => void;
  readonly failed: (key: string, message: string) => void;
  /** Everything of the container is gone. `status`: raw waitpid word of its first process, -1 unknown. */
  readonly exited: (key: string, status: number) => void;
}

interface Container {
  readonly run: ExecutorRun;
  readonly pid: number;
  readonly startTime: string;
  /** Everything ever seen below it: a process that changed parent and session is still ours. */
  readonly seen: Map<number, string>;
  /** Started by an earlier life of this agent: not our child, so its end has to be looked for. */
  readonly adopted: boolean;
  ending: boolean;
}

function nothing(run: ExecutorRun): Container {
  return { run, pid: -1, startTime: '', seen: new Map(), adopted: true, ending: false };
}

function argvOf(command: CommandInfo): { file: string; args: string[]; argv0?: string } {
  const value = command.value ?? '';
  if (command.shell !== false) return { file: '/bin/sh', args: ['-c', value] };
  const [argv0, ...args] = command.arguments ?? [];
  return { file: value, args, ...(argv0 === undefined ? {} : { argv0 }) };
}

export class Containers {
  readonly #on: ContainerEvents;
  readonly #workDir: string;
  readonly #commandExecutor: readonly string[];
  readonly #isolators: Isolators;
  readonly #surroundings: () => ExecutorSurroundings;
  readonly #containers = new Map<string, Container>();
  /** Destroyed before they were started. */
  readonly #cancelled = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(
    options: {
      workDir: string;
      commandExecutor: readonly string[];
      isolators: Isolators;
      surroundings: () => ExecutorSurroundings;
    },
    on: ContainerEvents,
  ) {
    this.#workDir = options.workDir;
    this.#commandExecutor = options.commandExecutor;
    this.#isolators = options.isolators;
    this.#surroundings = options.surroundings;
    this.#on = on;
    this.#timer = setInterval(() => {
      this.#watch();
    }, WATCH_MS);
  }

  async launch(key: string, run: ExecutorRun, task: TaskInfo, framework: FrameworkInfo): Promise<void> {
    try {
      const command = run.info.command ?? {};
      if (run.info.container?.type === 'DOCKER') throw new Error('this agent has no Docker containerizer');
      const account = accountFor(command.user ?? framework.user);
      this.#makeSandbox(run.directory, account);
      await fetchUris(command.uris ?? [], run.directory, join(this.#workDir, 'fetch'));
      const binds = await this.#isolators.prepare(run.containerId, run.info, run.directory);
      if (this.#closed || this.#cancelled.delete(run.containerId)) {
        await this.#isolators.cleanup(run.containerId);
        return;
      }
      this.#spawn(key, run, { account, binds }, task);
    } catch (error) {
      await this.#isolators.cleanup(run.containerId);
      this.#on.failed(key, (error as Error).message);
    }
  }

  /** Takes up a container of an earlier life of this agent. */
  adopt(key: string, run: ExecutorRun): void {
    const { process: first } = run;
    if (first === undefined || readProcess(first.pid)?.startTime !== first.startTime) {
      void this.#end(key, nothing(run), -1);
      return;
    }
    const seen = new Map([[first.pid, first.startTime]]);
    this.#containers.set(key, { run, ...first, seen, adopted: true, ending: false });
  }

  /** Kills everything of it; `exited` follows. */
  destroy(key: string, run: ExecutorRun): void {
    const container = this.#containers.get(key);
    if (container === undefined) {
      this.#cancelled.add(run.containerId);
      void this.#end(key, nothing(run), -1);
      return;
    }
    void killFamily(() => this.#members(container));
  }

  pids(): number[] {
    return [...this.#containers.values()].map((container) => container.pid);
  }

  /** Stops watching; nothing is killed. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  async destroyAll(): Promise<void> {
    this.close();
    await Promise.all([...this.#containers.values()].map((one) => killFamily(() => this.#members(one))));
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #makeSandbox(directory: string, account: { uid: number; gid: number } | undefined): void {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    // An unprivileged executor must be able to reach its sandbox, whatever the agent's umask is.
    for (let path = directory; path.length > this.#workDir.length; path = dirname(path))
      chmodSync(path, 0o755);
    if (account) chownSync(directory, account.uid, account.gid);
    const latest = join(dirname(directory), 'latest');
    rmSync(latest, { force: true });
    symlinkSync(directory, latest);
  }

  #spawn(
    key: string,
    run: ExecutorRun,
    { account, binds }: { account: { uid: number; gid: number } | undefined; binds: readonly Bind[] },
    task: TaskInfo,
  ): void {
    const [builtInFile = '', ...builtInArgs] = this.#commandExecutor;
    const plain = run.builtIn ? { file: builtInFile, args: builtInArgs } : argvOf(run.info.command ?? {});
    const [file = '', ...args] = inMountNamespace(binds, [plain.file, ...plain.args], account);
    const command = binds.length === 0 ? plain : { file, args };
    const [out, err] = ['stdout', 'stderr'].map((name) => openSync(join(run.directory, name), 'a', 0o644));
    const child = spawn(command.file, command.args, {
      cwd: run.directory,
      env: executorEnvironment(run, this.#surroundings()),
      // A session of its own: it survives this agent, and can be found and killed as a whole.
      detached: true,
      stdio: ['ignore', out, err],
      ...('argv0' in command ? { argv0: command.argv0 } : {}),
      ...(binds.length === 0 ? account : {}),
    });
    for (const descriptor of [out, err]) if (descriptor !== undefined) closeSync(descriptor);
    child.once('error', (error) => {
      appendFileSync(join(run.directory, 'stderr'), `cannot start ${task.taskId}: ${error.message}\n`);
      this.#on.failed(key, error.message);
    });
    if (child.pid !== undefined) this.#started(key, run, child, child.pid);
  }

  #started(key: string, run: ExecutorRun, child: ChildProcess, pid: number): void {
    const startTime = readProcess(pid)?.startTime ?? '';
    const container: Container = {
      run,
      pid,
      startTime,
      seen: new Map([[pid, startTime]]),
      adopted: false,
      ending: false,
    };
    this.#containers.set(key, container);
    child.once('exit', (code, signalName) => {
      const word = signalName === null ? ((code ?? 0) & 0xff) << 8 : constants.signals[signalName];
      void this.#end(key, container, word);
    });
    child.unref();
    this.#on.started(key, pid, startTime);
  }

  #members(container: Container): Set<number> {
    const table = readProcessTable();
    for (const [pid, startTime] of container.seen) {
      if (table.get(pid)?.startTime !== startTime) container.seen.delete(pid);
    }
    const marker = `MESOS_DIRECTORY=${container.run.directory}`;
    const marked = [...table.keys()].filter((pid) => environmentHas(pid, marker));
    const family = familyOf(table, [...container.seen.keys(), ...marked]);
    family.delete(process.pid);
    for (const pid of family) container.seen.set(pid, table.get(pid)?.startTime ?? '');
    return family;
  }

  /** Learns who is below each container, and notices the end of those that are not our children. */
  #watch(): void {
    if (this.#containers.size === 0) return;
    const table = readProcessTable();
    for (const [key, container] of this.#containers) {
      for (const pid of familyOf(table, container.seen.keys())) {
        container.seen.set(pid, table.get(pid)?.startTime ?? '');
      }
      const alive = table.get(container.pid)?.startTime === container.startTime;
      if (!alive && container.adopted) void this.#end(key, container, -1);
    }
  }

  /** The first process is gone: what is left of the container goes too, before anyone hears of it. */
  async #end(key: string, container: Container, status: number): Promise<void> {
    if (container.ending || this.#isClosed()) return;
    container.ending = true;
    await killFamily(() => this.#members(container));
    if (this.#containers.get(key) === container) this.#containers.delete(key);
    await this.#isolators.cleanup(container.run.containerId);
    if (!this.#isClosed()) this.#on.exited(key, status);
  }
}
