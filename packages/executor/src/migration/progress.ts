/** How far a copier is, told in a file that is replaced at most once a second, and at its end. */
import { rename, writeFile } from 'node:fs/promises';
import type { MigrationReport, VolumeRole } from '@mesos-elasticsearch/contract';
import type { CopyStatus } from './copy-plan.ts';

const EVERY_MS = 1_000;

export type VolumeProgress = { -readonly [K in keyof Volume]: Volume[K] };
type Volume = MigrationReport['volumes'][number];

export class Progress {
  readonly #file: string;
  readonly #volumes = new Map<VolumeRole, VolumeProgress>();
  #writing: Promise<void> = Promise.resolve();
  #told = '';
  readonly #timer: NodeJS.Timeout;

  constructor(file: string) {
    this.#file = file;
    this.#timer = setInterval(() => this.#tell(), EVERY_MS);
  }

  volume(role: VolumeRole): VolumeProgress {
    const known = this.#volumes.get(role) ?? {
      ...{ role, bytesTotal: 0, bytesCopied: 0, bytesVerified: 0, files: 0, notKept: [] },
    };
    this.#volumes.set(role, known);
    return known;
  }

  /** The last word; nothing is told after it. */
  async end(end: NonNullable<CopyStatus['end']>): Promise<void> {
    clearInterval(this.#timer);
    this.#tell(end);
    await this.#writing;
  }

  #tell(end?: CopyStatus['end']): void {
    const volumes = [...this.#volumes.values()];
    const text = JSON.stringify({ volumes, ...(end && { end }) });
    if (text === this.#told) return;
    this.#told = text;
    this.#writing = this.#writing.then(async () => {
      await writeFile(`${this.#file}.new`, text);
      await rename(`${this.#file}.new`, this.#file);
    });
    // Who reads it sees that it stands still; the end is awaited, and fails.
    this.#writing.catch(() => undefined);
  }
}
