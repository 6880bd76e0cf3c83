/** The scheduler under test: started, killed, frozen and started again, as often as a row wants. */
import { join } from 'node:path';
import { startSchedulerProcess, type ProgressLine, type SchedulerProcess } from '@mesos-elasticsearch/cli';

export interface SchedulersOptions {
  readonly argv: readonly string[];
  readonly logs: string;
  readonly onProgress: (line: ProgressLine) => void;
  /** A scheduler has ended that nobody here has ended. */
  readonly onLost: (words: string) => void;
}

export class Schedulers {
  readonly #options: SchedulersOptions;
  #current: SchedulerProcess | undefined;

  constructor(options: SchedulersOptions) {
    this.#options = options;
  }

  get pid(): number {
    if (this.#current === undefined) throw new Error('no scheduler runs');
    return this.#current.pid;
  }

  get url(): string {
    if (this.#current === undefined) throw new Error('no scheduler runs');
    return this.#current.url;
  }

  async start(): Promise<void> {
    const { argv, logs, onProgress, onLost } = this.#options;
    const started = await startSchedulerProcess(argv, join(logs, 'scheduler.log'), onProgress);
    this.#current = started;
    void started.ended.then((words) => {
      if (this.#current === started) onLost(words);
    });
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    process.kill(current.pid, 'SIGKILL');
    await current.ended;
  }
}
