import { dirname, join } from 'node:path';
import type { Files } from '../directory/files.ts';

/** What a file holds in memory, and what the disk is sure to hold. */
interface FileState {
  text: string;
  synced: string | undefined;
}
type Entries = Map<string, FileState>;
interface DirectoryState {
  now: Entries;
  synced: Entries;
}

/** `none`: the machine lives on. The others say which unsynced names a power loss keeps; unsynced texts are torn. */
export type PowerLoss = 'none' | 'keeps-names' | 'loses-names';
export type FilesOperation = keyof Files;

/** A file-system in memory that knows what is durable and what a power loss may take. */
export class FakeFiles implements Files {
  /** Called before each operation; a rejection takes the operation's place. */
  before: (operation: FilesOperation, path: string) => Promise<void> = () => Promise.resolve();
  readonly #directories = new Map<string, DirectoryState>();

  /** What a machine finds when it starts again after a crash at this moment. */
  afterCrash(powerLoss: PowerLoss): FakeFiles {
    const found = new FakeFiles();
    for (const [path, directory] of this.#directories) {
      const kept = new Map<string, FileState>();
      const names = powerLoss === 'loses-names' ? directory.synced : directory.now;
      for (const [name, file] of names) {
        const text = powerLoss === 'none' ? file.text : (file.synced ?? torn(file.text));
        kept.set(name, { text, synced: text });
      }
      found.#directories.set(path, { now: kept, synced: new Map(kept) });
    }
    return found;
  }

  async makeDirectory(path: string): Promise<void> {
    await this.before('makeDirectory', path);
    for (let made = path; !this.#directories.has(made); made = dirname(made)) {
      this.#directories.set(made, { now: new Map(), synced: new Map() });
    }
  }

  async setMode(path: string): Promise<void> {
    await this.before('setMode', path);
  }

  async list(directory: string): Promise<readonly string[]> {
    await this.before('list', directory);
    const below = [...this.#directories.keys()].filter((path) => dirname(path) === directory);
    const names = below.map((path) => path.slice(directory.length + 1));
    return [...this.#directory(directory).now.keys(), ...names];
  }

  async read(path: string): Promise<string> {
    await this.before('read', path);
    return this.#file(path).text;
  }

  async write(path: string, text: string): Promise<void> {
    await this.before('write', path);
    this.#directory(dirname(path)).now.set(path.slice(dirname(path).length + 1), { text, synced: undefined });
  }

  async sync(path: string): Promise<void> {
    await this.before('sync', path);
    const directory = this.#directories.get(path);
    if (directory !== undefined) directory.synced = new Map(directory.now);
    else this.#file(path).synced = this.#file(path).text;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.before('rename', from);
    if (this.#directories.has(from)) {
      this.#renameDirectory(from, to);
      return;
    }
    const file = this.#file(from);
    this.#directory(dirname(from)).now.delete(nameIn(from));
    this.#directory(dirname(to)).now.set(nameIn(to), file);
  }

  async link(from: string, to: string): Promise<void> {
    await this.before('link', to);
    const file = this.#file(from);
    const { now } = this.#directory(dirname(to));
    if (now.has(nameIn(to))) throw systemError('EEXIST', to);
    now.set(nameIn(to), file);
  }

  async remove(path: string): Promise<void> {
    await this.before('remove', path);
    for (const each of [...this.#directories.keys()]) {
      if (each === path || each.startsWith(`${path}/`)) this.#directories.delete(each);
    }
    this.#directories.get(dirname(path))?.now.delete(nameIn(path));
  }

  #renameDirectory(from: string, to: string): void {
    for (const [path, directory] of [...this.#directories]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#directories.delete(path);
      this.#directories.set(path === from ? to : join(to, path.slice(from.length)), directory);
    }
  }

  #directory(path: string): DirectoryState {
    const directory = this.#directories.get(path);
    if (directory === undefined) throw systemError('ENOENT', path);
    return directory;
  }

  #file(path: string): FileState {
    const file = this.#directory(dirname(path)).now.get(nameIn(path));
    if (file === undefined) throw systemError('ENOENT', path);
    return file;
  }
}

/** An error as the system gives it. */
export function systemError(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}

function nameIn(path: string): string {
  return path.slice(dirname(path).length + 1);
}

function torn(text: string): string {
  return text.slice(0, text.length / 2);
}
