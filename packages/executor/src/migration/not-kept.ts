/** What the new volume does not keep of what the old one has beside names and content: the operator is told. */
import type { BigIntStats } from 'node:fs';

type Stats = Pick<BigIntStats, 'uid' | 'gid' | 'mode' | 'mtimeNs'>;

const PERMISSIONS = 0o7777n;

export class NotKept {
  /** What → one place where it is so, and how many there are. */
  readonly #found = new Map<string, { readonly example: string; count: number }>();
  readonly #said: string[] = [];

  add(what: string, where: string): void {
    const known = this.#found.get(what);
    if (known) known.count += 1;
    else this.#found.set(what, { example: where, count: 1 });
  }
  say(words: string): void {
    this.#said.push(words);
  }

  compareOwner(where: string, source: Stats, there: Stats): void {
    if (source.uid !== there.uid || source.gid !== there.gid) this.add('ownership', where);
  }
  compareAccess(where: string, source: Stats, there: Stats): void {
    this.compareOwner(where, source, there);
    if ((source.mode & PERMISSIONS) !== (there.mode & PERMISSIONS)) this.add('modes', where);
  }
  compareTimes(where: string, source: Stats, there: Stats): void {
    if (source.mtimeNs !== there.mtimeNs) this.add('times', where);
  }

  /** `ownership (of nodes/0 and 12 more)` */
  words(): readonly string[] {
    const found = [...this.#found].map(([what, { example, count }]) => {
      const more = count === 1 ? '' : ` and ${String(count - 1)} more`;
      return `${what} (of ${example}${more})`;
    });
    return [...found, ...this.#said];
  }
}
