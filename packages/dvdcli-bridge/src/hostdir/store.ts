import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isVolumeName, VOLUME_NAME_RULE } from '../names.ts';
import { attachments, type AttachmentContext, type Attachments } from './attachments.ts';
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
  const open: OpenStore = {
    ...context,
    store,
    volumes: join(store, 'volumes'),
    held: attachments({ ...context, store }),
  };
  return {
    create: (name, options) => create(open, name, options),
    remove: (name) => remove(open, name),
    get: (name) => describe(open, name),
    list: () => namesIn(open).map((name) => describeOrDoubt(open, name)),
    mount: (name, id) => mount(open, name, id),
    unmount: (name, id) => unmount(open, name, id),
    resume: () => resume(open),
    releaseIdle() {
      for (const name of namesIn(open)) {
        const record = readIfPossible(open, name);
        if (record !== undefined && isIdleAndOurs(open, record)) open.held.release(record);
      }
    },
  };
}

interface OpenStore extends AttachmentContext {
  readonly volumes: string;
  readonly held: Attachments;
}

function directoryOf(store: OpenStore, name: string): string {
  if (!isVolumeName(name))
    throw new Refusal(`not a volume name: ${JSON.stringify(name)} (wanted: ${VOLUME_NAME_RULE})`);
  return join(store.volumes, name);
}

function exists(directory: string): boolean {
  return existsSync(join(directory, 'volume.json'));
}

function existing(store: OpenStore, name: string): string {
  const directory = directoryOf(store, name);
  if (!exists(directory)) throw new Refusal(`volume ${name} not found`);
  return directory;
}

/** Names with a leading dot are volumes in the making or on their way out. */
function namesIn(store: OpenStore): string[] {
  return readdirSync(store.volumes).filter((name) => isVolumeName(name) && exists(join(store.volumes, name)));
}

function isIdleAndOurs(store: OpenStore, record: AttachmentRecord): boolean {
  return store.held.isOurs(record) && Object.keys(record.mounts).length === 0;
}

/** Complete under another name, then renamed: there is no moment at which half a volume has the name. */
function create(store: OpenStore, name: string, options: Readonly<Record<string, string>>): void {
  const directory = directoryOf(store, name);
  if (exists(directory)) return;
  const fresh = join(store.volumes, `.new-${store.claimant.instance}-${randomUUID()}`);
  mkdirSync(join(fresh, 'data'), { recursive: true, mode: 0o755 });
  const description = { createdAt: store.now().toISOString(), options };
  store.files.replace(join(fresh, 'volume.json'), `${JSON.stringify(description, null, 2)}\n`);
  try {
    store.files.rename(fresh, directory);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

function remove(store: OpenStore, name: string): void {
  const directory = existing(store, name);
  const record = store.held.read(name);
  if (record !== undefined && !isIdleAndOurs(store, record)) {
    throw new Refusal(
      `volume ${name} is in use: attached to instance ${record.instance} (pid ${record.holder.pid}); unmount it there first`,
    );
  }
  // Attached to us, nobody else can attach it while it goes.
  store.held.logEnd(store.held.acquire(name));
  const doomed = join(store.volumes, `.removed-${store.claimant.instance}-${randomUUID()}`);
  store.files.rename(directory, doomed);
  rmSync(doomed, { recursive: true, force: true });
}

function mount(store: OpenStore, name: string, id: string): string {
  const directory = existing(store, name);
  const record = store.held.acquire(name);
  try {
    store.held.setMounts(record, addMount(record.mounts, id));
  } catch (error) {
    if (isIdleAndOurs(store, record)) releaseQuietly(store, record);
    throw error;
  }
  return join(directory, 'data');
}

function releaseQuietly(store: OpenStore, record: AttachmentRecord): void {
  try {
    store.held.release(record);
  } catch {
    // The first error is the one to report; an idle attachment is let go of when the instance ends.
  }
}

function unmount(store: OpenStore, name: string, id: string): void {
  existing(store, name);
  const record = store.held.read(name);
  if (record === undefined) throw new Refusal(`volume ${name} is not mounted`);
  if (!store.held.isOurs(record))
    throw new Refusal(`volume ${name} is not mounted here but by instance ${record.instance}`);
  const mounts = dropMount(record.mounts, id);
  if (mounts === undefined) throw new Refusal(`volume ${name} is not mounted by this id`);
  if (Object.keys(mounts).length === 0) store.held.release(record);
  else store.held.setMounts(record, mounts);
}

function resume(store: OpenStore): void {
  const { instance } = store.claimant;
  for (const leftover of readdirSync(store.volumes)) {
    const ours = [`.new-${instance}-`, `.removed-${instance}-`].some(
      (prefix) => leftover.startsWith(prefix) && leftover.length === prefix.length + UUID_LENGTH,
    );
    if (ours) rmSync(join(store.volumes, leftover), { recursive: true, force: true });
  }
  for (const name of namesIn(store)) {
    const record = readIfPossible(store, name);
    if (record?.instance !== instance) continue;
    const taken = store.held.acquire(name);
    if (isIdleAndOurs(store, taken)) store.held.release(taken);
  }
}

const UUID_LENGTH = 36;

function describe(store: OpenStore, name: string): StoredVolume {
  const directory = existing(store, name);
  const record = store.held.read(name);
  const mounts = record === undefined ? [] : mountList(record);
  const here = record !== undefined && store.held.isOurs(record) && mounts.length > 0;
  return {
    name,
    ...readDescription(directory),
    mountpoint: here ? join(directory, 'data') : '',
    mounts,
    attachedTo: record && { instance: record.instance, pid: record.holder.pid },
  };
}

/** One damaged record must not hide the other volumes; the damaged one counts as mounted by somebody. */
function describeOrDoubt(store: OpenStore, name: string): StoredVolume {
  try {
    return describe(store, name);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const doubt = { createdAt: new Date(0).toISOString(), options: {}, mountpoint: '' };
    return { name, ...doubt, mounts: [error.message], attachedTo: undefined };
  }
}

function readIfPossible(store: OpenStore, name: string): AttachmentRecord | undefined {
  try {
    return store.held.read(name);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
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
