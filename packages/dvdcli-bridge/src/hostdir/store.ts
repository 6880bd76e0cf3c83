import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isVolumeName, VOLUME_NAME_RULE } from '../names.ts';
import { attachments, type AttachmentContext } from './attachments.ts';
import { addMount, dropMount, type AttachmentRecord } from './core/attachment.ts';
import { Refusal } from './refusal.ts';

export interface StoredVolume {
  readonly name: string;
  readonly createdAt: string;
  readonly options: Readonly<Record<string, string>>;
  /** Where it is mounted through this instance; empty when it is not. */
  readonly mountpoint: string;
  /** Mount IDs now holding it, through whichever instance; one for each time an ID was mounted. */
  readonly mounts: readonly string[];
  readonly attachedTo: { readonly instance: string; readonly pid: number } | undefined;
}

/**
 * Volumes as directories of one store that several instances share:
 * `<store>/volumes/<name>/{data/, volume.json, attachment.json}` and `<store>/attachments.log`.
 * Every method refuses by throwing a {@link Refusal}, and leaves the store consistent wherever it is interrupted.
 */
export interface HostdirStore {
  /** There already: reused, its options stay. */
  create(name: string, options: Readonly<Record<string, string>>): void;
  remove(name: string): void;
  get(name: string): StoredVolume;
  list(): readonly StoredVolume[];
  /** The mountpoint. */
  mount(name: string, id: string): string;
  unmount(name: string, id: string): void;
  /** Takes back what an earlier run of this instance held. @throws Refusal when that run is still alive. */
  resume(): void;
  /** Lets go of attachments that nobody has mounted; the others stay on record. */
  releaseIdle(): void;
}

/** @param context.store created when missing */
export function openStore(context: AttachmentContext): HostdirStore {
  mkdirSync(join(context.store, 'volumes'), { recursive: true, mode: 0o755 });
  const store = realpathSync(context.store);
  const volumes = join(store, 'volumes');
  const { files, claimant } = context;
  const held = attachments({ ...context, store });

  const directoryOf = (name: string): string => {
    if (!isVolumeName(name)) {
      throw new Refusal(`not a volume name: ${JSON.stringify(name)} (wanted: ${VOLUME_NAME_RULE})`);
    }
    return join(volumes, name);
  };
  const existing = (name: string): string => {
    const directory = directoryOf(name);
    if (!existsSync(join(directory, 'volume.json'))) throw new Refusal(`volume ${name} not found`);
    return directory;
  };
  const names = (): string[] => readdirSync(volumes).filter((name) => isVolumeName(name));

  const describe = (name: string): StoredVolume => {
    const directory = existing(name);
    const description = readDescription(directory);
    const record = held.read(name);
    const mounts = record === undefined ? [] : mountList(record);
    const here = record !== undefined && held.isOurs(record) && mounts.length > 0;
    return {
      name,
      ...description,
      mountpoint: here ? join(directory, 'data') : '',
      mounts,
      attachedTo: record && { instance: record.instance, pid: record.holder.pid },
    };
  };
  const releaseQuietly = (record: AttachmentRecord): void => {
    try {
      held.release(record);
    } catch {
      // The first error is the one to report; an idle attachment of a live instance is let go of at its end.
    }
  };

  return {
    create(name, options) {
      const directory = directoryOf(name);
      if (existsSync(join(directory, 'volume.json'))) return;
      const fresh = join(volumes, `.new-${claimant.instance}-${randomUUID()}`);
      mkdirSync(join(fresh, 'data'), { recursive: true, mode: 0o755 });
      const description = { createdAt: context.now().toISOString(), options };
      files.replace(join(fresh, 'volume.json'), `${JSON.stringify(description, null, 2)}\n`);
      try {
        files.rename(fresh, directory);
      } catch (error) {
        rmSync(fresh, { recursive: true, force: true });
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      }
    },
    remove(name) {
      const directory = existing(name);
      const record = held.read(name);
      if (record !== undefined && !(held.isOurs(record) && mountList(record).length === 0)) {
        throw new Refusal(
          `volume ${name} is in use: attached to instance ${record.instance} (pid ${record.holder.pid}); unmount it there first`,
        );
      }
      // Attached to us, nobody else can attach it while it goes.
      held.logEnd(held.acquire(name));
      const doomed = join(volumes, `.removed-${claimant.instance}-${randomUUID()}`);
      files.rename(directory, doomed);
      rmSync(doomed, { recursive: true, force: true });
    },
    get: describe,
    list: () => names().map(describe),
    mount(name, id) {
      const directory = existing(name);
      const record = held.acquire(name);
      try {
        held.setMounts(record, addMount(record.mounts, id));
      } catch (error) {
        if (mountList(record).length === 0) releaseQuietly(record);
        throw error;
      }
      return join(directory, 'data');
    },
    unmount(name, id) {
      existing(name);
      const record = held.read(name);
      if (record === undefined) throw new Refusal(`volume ${name} is not mounted`);
      if (!held.isOurs(record)) {
        throw new Refusal(`volume ${name} is not mounted here but by instance ${record.instance}`);
      }
      const mounts = dropMount(record.mounts, id);
      if (mounts === undefined) throw new Refusal(`volume ${name} is not mounted by this id`);
      if (Object.keys(mounts).length === 0) held.release(record);
      else held.setMounts(record, mounts);
    },
    resume() {
      for (const leftover of readdirSync(volumes)) {
        const ours = new RegExp(`^\\.(new|removed)-${escapeForPattern(claimant.instance)}-[0-9a-f-]{36}$`);
        if (ours.test(leftover)) rmSync(join(volumes, leftover), { recursive: true, force: true });
      }
      for (const name of names()) {
        const record = held.read(name);
        if (record?.instance !== claimant.instance) continue;
        const taken = held.acquire(name);
        if (mountList(taken).length === 0) held.release(taken);
      }
    },
    releaseIdle() {
      for (const name of names()) {
        const record = held.read(name);
        if (record === undefined || !held.isOurs(record) || mountList(record).length > 0) continue;
        held.release(record);
      }
    },
  };
}

function mountList(record: AttachmentRecord): string[] {
  return Object.entries(record.mounts).flatMap(([id, count]) => Array.from({ length: count }, () => id));
}

function readDescription(directory: string): Pick<StoredVolume, 'createdAt' | 'options'> {
  const value = JSON.parse(readFileSync(join(directory, 'volume.json'), 'utf8')) as Pick<
    StoredVolume,
    'createdAt' | 'options'
  >;
  return { createdAt: value.createdAt, options: value.options };
}

function escapeForPattern(text: string): string {
  return text.replace(/[.\\+*?[^\]$(){}=!<>|:#-]/g, '\\$&');
}
