/** One process of the embedded cluster. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const READY_DEADLINE_MS = 20_000;
const SHOWN_LOG_CHARACTERS = 2_000;

type Line = Record<string, unknown>;

interface Wait {
  readonly wanted: (line: Line) => boolean;
  readonly resolve: (line: Line) => void;
}

export class Child {
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #logPath: string;
  readonly #lines: Line[] = [];
  #waits: Wait[] = [];

  /** stderr is appended to `logPath`; stdin stays open as long as we live, so that the child can end with us. */
  constructor(argv: readonly string[], logPath: string) {
    const [file = '', ...args] = argv;
    const log = openSync(logPath, 'a', 0o644);
    // A session of its own: Ctrl-C on our terminal is ours to handle, in order.
    this.#child = spawn(file, args, { detached: true, stdio: ['pipe', 'pipe', log] });
    closeSync(log);
    this.#logPath = logPath;
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        resolve();
      });
      this.#child.once('error', () => {
        resolve();
      });
    });
    this.pid = this.#child.pid ?? -1;
    this.#child.stdin?.on('error', () => undefined);
    if (this.#child.stdout)
      createInterface({ input: this.#child.stdout }).on('line', (text) => this.#take(text));
  }

  /** The first line on stdout that fits, past or future. Rejects when the process ends or takes too long. */
  async line(wanted: (line: Line) => boolean): Promise<Line> {
    const past = this.#lines.find(wanted);
    if (past !== undefined) return past;
    let timer: NodeJS.Timeout | undefined;
    const waiting = new Promise<Line>((resolve, reject) => {
      this.#waits.push({ wanted, resolve });
      timer = setTimeout(() => reject(new Error(this.#complaint('does not answer'))), READY_DEADLINE_MS);
      void this.exited.then(() => reject(new Error(this.#complaint('has ended'))));
    });
    return waiting.finally(() => clearTimeout(timer));
  }

  async listening(): Promise<{ host: string; port: number }> {
    const { listening } = await this.line((line) => 'listening' in line);
    return listening as { host: string; port: number };
  }

  /** Sends a command and waits until it is carried out. */
  async command(text: string): Promise<void> {
    this.#lines.length = 0;
    this.#child.stdin?.write(`${text}\n`);
    await this.line((line) => line.done === text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  #take(text: string): void {
    const line = JSON.parse(text) as Line;
    this.#lines.push(line);
    const fitting = this.#waits.filter((wait) => wait.wanted(line));
    this.#waits = this.#waits.filter((wait) => !wait.wanted(line));
    for (const wait of fitting) wait.resolve(line);
  }

  #complaint(what: string): string {
    const log = readFileSync(this.#logPath, 'utf8').slice(-SHOWN_LOG_CHARACTERS);
    return `${this.#child.spawnargs.slice(0, 4).join(' ')} ${what}; the end of ${this.#logPath}:\n${log}`;
  }
}
