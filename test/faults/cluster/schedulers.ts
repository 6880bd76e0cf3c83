/** The schedulers under test, one or with a standby: started, killed, frozen and started again, as rows want. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProgressLine } from '@mesos-elasticsearch/cli';

export interface SchedulersOptions {
  readonly argv: readonly string[];
  readonly logs: string;
  readonly onProgress: (line: ProgressLine) => void;
  /** One has ended that nobody here has ended. */
  readonly onLost: (words: string) => void;
}

interface One {
  readonly child: ChildProcess;
  readonly pid: number;
  url: string | undefined;
  /** When it last subscribed with the master; undefined: never. Grows from one to the next. */
  subscribed: number | undefined;
  standsBy: boolean;
  endWanted: boolean;
}

const LEADS_WITHIN_MS = 60_000;
const POLL_MS = 50;

export class Schedulers {
  readonly #options: SchedulersOptions;
  #all: One[] = [];
  #subscriptions = 0;

  constructor(options: SchedulersOptions) {
    this.#options = options;
  }

  /** Of all that run. */
  pids(): number[] {
    return this.#all.map(({ pid }) => pid);
  }

  /** Of the one that subscribed last. @throws Error when none did */
  get pid(): number {
    return this.#leader().pid;
  }

  get leads(): boolean {
    return this.#all.some(({ subscribed, url }) => subscribed !== undefined && url !== undefined);
  }

  /** Of its API. */
  get url(): string {
    const { url } = this.#leader();
    if (url === undefined) throw new Error('the scheduler has no address yet');
    return url;
  }

  /** Resolves when it runs; it leads when it can. @param other flags that it gets instead of the usual ones */
  async start(other: Readonly<Record<string, string>> = {}): Promise<void> {
    const { logs } = this.#options;
    const argv = withFlags(this.#options.argv, other);
    const log = await open(join(logs, 'scheduler.log'), 'a');
    const [program = process.execPath, ...rest] = argv;
    // A group of its own: Ctrl-C in the terminal must not end it before everything is cleared up.
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', log.fd], detached: true });
    await log.close();
    if (child.pid === undefined || child.stdout === null) throw new Error('the scheduler cannot be started');
    const one: One = {
      child,
      pid: child.pid,
      url: undefined,
      subscribed: undefined,
      standsBy: false,
      endWanted: false,
    };
    this.#all.push(one);
    createInterface({ input: child.stdout }).on('line', (text) =>
      this.#take(one, JSON.parse(text) as ProgressLine),
    );
    child.once('exit', (code, signal) => {
      this.#all = this.#all.filter((other) => other !== one);
      const how = `process ${one.pid} ended with ${signal ?? `code ${code ?? 'none'}`}`;
      if (!one.endWanted) this.#options.onLost(`${how}: ${lastWords(join(logs, 'scheduler.log'))}`);
    });
  }

  /** Starts one and waits until one leads. @throws Error when none does in time */
  async startLeader(other: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.start(other);
    await this.untilLeads();
  }

  /** Starts one beside the leader; resolves when it stands by. */
  async startStandby(): Promise<void> {
    const others = this.pids();
    await this.start();
    await this.#until(
      'the new scheduler stands by',
      ({ pid, standsBy }) => !others.includes(pid) && standsBy,
    );
  }

  /** Resolves when one other than `but` leads. @throws Error when none does in time */
  untilLeads(but?: number): Promise<void> {
    const leads = ({ pid, subscribed, url }: One) =>
      pid !== but && subscribed !== undefined && url !== undefined;
    return this.#until('a scheduler leads', leads);
  }

  /** Resolves when that one has ended. */
  async untilEnded(one: number): Promise<void> {
    const deadline = performance.now() + LEADS_WITHIN_MS;
    while (this.pids().includes(one)) {
      if (performance.now() > deadline) throw new Error(`scheduler ${one}, deposed, does not end`);
      await pause(POLL_MS);
    }
  }

  async #until(what: string, holds: (one: One) => boolean): Promise<void> {
    const deadline = performance.now() + LEADS_WITHIN_MS;
    while (!this.#all.some(holds)) {
      if (performance.now() > deadline) throw new Error(`${what}: not within ${LEADS_WITHIN_MS / 1000} s`);
      await pause(POLL_MS);
    }
  }

  /** The end of this one is no surprise: it is killed, or deposed. `expected` false: it is one again. */
  expectEnd(pid: number, expected = true): void {
    for (const one of this.#all) if (one.pid === pid) one.endWanted = expected;
  }

  /** SIGKILL to the one that subscribed last; resolves when it is gone. */
  async kill(): Promise<void> {
    await killed(this.#leader());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(killed));
  }

  #take(one: One, line: ProgressLine): void {
    if (line.kind === 'standby') one.standsBy = true;
    if (line.kind === 'listening') one.url = line.url;
    if (line.kind === 'subscribed') one.subscribed = this.#subscriptions += 1;
    this.#options.onProgress(line);
  }

  #leader(): One {
    const [first] = [...this.#all].sort((a, b) => (b.subscribed ?? 0) - (a.subscribed ?? 0));
    if (first?.subscribed === undefined) throw new Error('no scheduler leads');
    return first;
  }
}

function withFlags(argv: readonly string[], other: Readonly<Record<string, string>>): string[] {
  const kept = argv.filter((word) => !Object.keys(other).some((name) => word.startsWith(`--${name}=`)));
  return [...kept, ...Object.entries(other).map(([name, value]) => `--${name}=${value}`)];
}

/** What it said to people, not to the log. */
function lastWords(log: string): string {
  const words = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  return words.at(-1) ?? 'it said nothing';
}

async function killed(one: One): Promise<void> {
  one.endWanted = true;
  if (one.child.exitCode !== null || one.child.signalCode !== null) return;
  const gone = new Promise((resolve) => one.child.once('exit', resolve));
  one.child.kill('SIGKILL');
  await gone;
}
