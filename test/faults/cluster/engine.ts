/** A Docker engine of the test's own, that can be lost and started again. One that the machine has is never harmed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { existingEngine, findCommand } from '@mesos-elasticsearch/cli';
import { signal } from './victims.ts';

const ANSWERS_WITHIN_MS = 60_000;
const STOPS_WITHIN_MS = 30_000;
const POLL_MS = 200;

export class Engine {
  readonly #directory: string;
  #daemon: ChildProcess | undefined;

  /** @param directory everything of it lies below; short, for the path of its socket */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** As in the environment of whoever is to use it. */
  get host(): string {
    return `unix://${this.#at('d.sock')}`;
  }

  /** Where its `local` driver keeps volumes, as the auditor wants it. */
  get store(): string {
    return join(this.#at('data'), 'volumes', '*', '_data');
  }

  /** Of dockerd; its containerd is a process beside it. @throws Error when it does not run */
  get pid(): number {
    const pid = this.#daemon?.pid;
    if (pid === undefined) throw new Error('the Docker engine does not run');
    return pid;
  }

  /** Also after a `kill`, on what it left. Resolves when it answers. */
  async start(): Promise<void> {
    const program = await findCommand('dockerd', process.env);
    if (program === undefined) throw new Error('dockerd is missing (package docker.io)');
    await mkdir(this.#directory, { recursive: true, mode: 0o711 });
    // Of the machine's own configuration nothing is meant for this engine.
    await writeFile(this.#at('daemon.json'), '{}\n');
    const places = ['--host', this.host, '--data-root', this.#at('data'), '--exec-root', this.#at('exec')];
    const files = ['--pidfile', this.#at('dockerd.pid'), '--config-file', this.#at('daemon.json')];
    const quiet = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--live-restore=false'];
    const log = await open(this.#at('dockerd.log'), 'a');
    // A group of its own: Ctrl-C in the terminal must not end it before everything is cleared up.
    const daemon = spawn(program, [...places, ...files, ...quiet], {
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    });
    await log.close();
    this.#daemon = daemon;
    const deadline = performance.now() + ANSWERS_WITHIN_MS;
    while ((await existingEngine({ DOCKER_HOST: this.host })) === undefined) {
      if (hasEnded(daemon)) throw new Error(`dockerd ended at once: ${this.#lastWords()}`);
      if (performance.now() > deadline) throw new Error(`dockerd does not answer: ${this.#lastWords()}`);
      await pause(POLL_MS);
    }
  }

  /** SIGKILL to dockerd alone. */
  async kill(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon === undefined || hasEnded(daemon)) return;
    const gone = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await gone;
  }

  /** With everything that it runs, and what a killed one left running. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon !== undefined && !hasEnded(daemon)) {
      const gone = once(daemon, 'exit');
      // A frozen one hears nothing else.
      daemon.kill('SIGCONT');
      daemon.kill('SIGTERM');
      const limit = setTimeout(() => daemon.kill('SIGKILL'), STOPS_WITHIN_MS);
      await gone;
      clearTimeout(limit);
    }
    for (;;) {
      const left = this.#ownProcesses();
      if (left.length === 0) return;
      for (const pid of left) signal(pid, 'SIGKILL');
      await pause(POLL_MS);
    }
  }

  /** containerd and its shims name our directory; containers are what shims have started. */
  #ownProcesses(): number[] {
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    const own = new Set(all.filter((pid) => read(`/proc/${pid}/cmdline`).includes(`${this.#at('exec')}/`)));
    for (let before = -1; before !== own.size;) {
      before = own.size;
      for (const pid of all) if (own.has(parentOf(pid))) own.add(pid);
    }
    return [...own].filter((pid) => read(`/proc/${pid}/cmdline`) !== '');
  }

  #at(name: string): string {
    return join(this.#directory, name);
  }

  #lastWords(): string {
    return read(this.#at('dockerd.log')).trim().split('\n').slice(-3).join(' | ');
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
