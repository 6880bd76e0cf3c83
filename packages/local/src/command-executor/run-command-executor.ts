/** The agent's built-in executor: runs one task's command and reports how it ended, as Mesos' own does (1.3.2). */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { ExecutorEvent, KillPolicy, TaskInfo } from '@mesos-elasticsearch/mesos-v1';
import { commandEnvironment } from '../core/agent/environment.ts';
import { AgentClient } from './agent-client.ts';

const DEFAULT_KILL_GRACE_MS = 3_000;
/** After the last update is acknowledged. */
const EXIT_DELAY_MS = 500;
const SIGNAL_NAMES: Partial<Record<NodeJS.Signals, string>> = {
  SIGTERM: 'Terminated',
  SIGKILL: 'Killed',
  SIGINT: 'Interrupt',
  SIGSEGV: 'Segmentation fault',
  SIGABRT: 'Aborted',
};

class CommandExecutor {
  readonly #client: AgentClient;
  #task: TaskInfo | undefined;
  #child: ChildProcess | undefined;
  #killed = false;
  #over = false;

  constructor() {
    this.#client = new AgentClient(process.env, {
      event: (event) => {
        this.#take(event);
      },
      abandoned: () => {
        this.#signal('SIGKILL');
        process.exit(1);
      },
    });
  }

  start(): void {
    this.#client.subscribe();
  }

  #take(event: ExecutorEvent): void {
    switch (event.type) {
      case 'LAUNCH':
        this.#launch(event.launch.task);
        return;
      case 'KILL':
        this.#kill(event.kill.killPolicy);
        return;
      case 'SHUTDOWN':
        this.#kill(undefined);
        if (this.#child === undefined) process.exit(0);
        return;
      case 'ACKNOWLEDGED':
        if (this.#over) setTimeout(() => process.exit(0), EXIT_DELAY_MS);
        return;
      default:
        return;
    }
  }

  #launch(task: TaskInfo): void {
    this.#task = task;
    const { command } = task;
    const [argv0, ...rest] = command?.arguments ?? [];
    const isShell = command?.shell !== false;
    const file = isShell ? '/bin/sh' : (command.value ?? '');
    const child = spawn(file, isShell ? ['-c', command?.value ?? ''] : rest, {
      stdio: 'inherit',
      detached: true,
      env: { ...process.env, ...commandEnvironment(command) },
      ...(isShell || argv0 === undefined ? {} : { argv0 }),
    });
    this.#child = child;
    child.once('error', (error) => {
      this.#end('TASK_FAILED', `Failed to start the command: ${error.message}`);
    });
    child.once('spawn', () => {
      this.#client.update({ taskId: task.taskId, state: 'TASK_RUNNING' });
    });
    child.once('exit', (code, signal) => {
      if (code !== null) {
        const state = this.#killed ? 'TASK_KILLED' : code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
        this.#end(state, `Command exited with status ${code}`);
      } else {
        const name = (signal && SIGNAL_NAMES[signal]) ?? signal ?? '';
        this.#end(this.#killed ? 'TASK_KILLED' : 'TASK_FAILED', `Command terminated with signal ${name}`);
      }
    });
  }

  #end(state: 'TASK_FINISHED' | 'TASK_FAILED' | 'TASK_KILLED', message: string): void {
    if (this.#over || this.#task === undefined) return;
    this.#over = true;
    this.#client.update({ taskId: this.#task.taskId, state, message });
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // The group is empty: there is nobody left to tell.
    }
  }

  #kill(policy: KillPolicy | undefined): void {
    if (this.#task === undefined || this.#over) return;
    const grace = (policy ?? this.#task.killPolicy)?.gracePeriod?.nanoseconds;
    const graceMs = grace === undefined ? DEFAULT_KILL_GRACE_MS : Number(grace / 1_000_000n);
    this.#killed = true;
    this.#signal('SIGTERM');
    setTimeout(() => {
      this.#signal('SIGKILL');
    }, graceMs);
  }
}

/** Runs until its task is over and reported, then ends the process. Reads the executor environment of `process.env`. */
export function runCommandExecutor(): void {
  new CommandExecutor().start();
}
