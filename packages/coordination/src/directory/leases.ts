import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import type { Epoch, LeaseRecord, NodeId } from '@mesos-elasticsearch/contract';
import { encodeLease, isSame, leaseIn, mayReplace, type LeaseContent } from '../lease-content.ts';
import { LeaseUnavailableError, type LeaseService, type LeaseState } from '../lease-service.ts';
import { nodeFiles, systemCode, type Files } from './files.ts';
import { InTurn } from '../in-turn.ts';
import {
  CLOSED,
  CLOSING,
  epochOfDirectory,
  epochPaths,
  LEASE,
  readLeaseFile,
  type EpochPaths,
} from './lease-file.ts';

/** The scheduler makes the epochs. */
const NODE_MODE = 0o755;
/**
 * Executors may run as any user: each may add files to an epoch and replace its own, as in /tmp. That keeps
 * a lease from accidents, not from a hostile user of the same machines.
 */
const EPOCH_MODE = 0o1777;
const LEASE_MODE = 0o644;
/** Closed epochs that stay readable, for people who look into what happened. */
const KEPT_CLOSED_EPOCHS = 5;
const REMOVED = 'removed-';

/**
 * Leases as files below `<root>/leases`, for scheduler and executors that share a directory. `root` must exist: a
 * folder below the mount point of a share, so that it is missing where the share is not mounted. Every answer
 * rests on steps that the file-system makes atomic by themselves; the protocol and why its interleavings are
 * safe: docs/adr/0002-lease.md.
 */
export function directoryLeases(root: string, files: Files = nodeFiles): LeaseService {
  return new DirectoryLeases(root, files);
}

class DirectoryLeases implements LeaseService {
  readonly #root: string;
  readonly #files: Files;
  /** One holder's renewals must not overtake each other. */
  readonly #turn = new InTurn();

  constructor(root: string, files: Files) {
    this.#root = root;
    this.#files = files;
  }

  openEpoch(nodeId: NodeId, epoch: Epoch): Promise<void> {
    const paths = epochPaths(this.#root, nodeId, epoch);
    return this.#certain(paths, async () => {
      const names = await this.#namesIfThere(paths.epoch);
      if (names?.includes(CLOSING) === true || (await this.#newestEpoch(paths)) > epoch) {
        throw new LeaseUnavailableError(`${paths.epoch} cannot be opened: the epoch is closed or past`);
      }
      await this.#makeEpoch(paths);
      await this.#removeOldEpochs(paths, epoch);
    });
  }

  closeEpoch(nodeId: NodeId, epoch: Epoch): Promise<LeaseRecord | undefined> {
    const paths = epochPaths(this.#root, nodeId, epoch);
    return this.#certain(paths, async () => {
      const before = await readLeaseFile(this.#files, paths.closed);
      if (before !== undefined) return leaseIn(before);
      if ((await this.#namesIfThere(paths.epoch)) === undefined) {
        // Never opened, if this is the directory where it would have been opened.
        await this.#files.list(join(this.#root, 'leases'));
        if ((await this.#newestEpoch(paths)) > epoch) {
          throw new LeaseUnavailableError(`${paths.epoch} is past and its records have been removed`);
        }
        await this.#makeEpoch(paths);
      }
      // From here on no renewal is answered, for each looks for this file after it has written.
      await this.#create(paths, CLOSING, '');
      // Taken or not is decided by who creates lease.json: a taker, or we.
      const taken = await readLeaseFile(this.#files, paths.lease);
      if (taken === undefined) await this.#create(paths, LEASE, encodeLease({ state: 'never-taken' }));
      const last = await this.#need(paths.lease);
      // Kept apart, for a renewal under way at this moment may still change lease.json (and be answered `closed`).
      await this.#create(paths, CLOSED, encodeLease(last));
      return leaseIn(await this.#need(paths.closed));
    });
  }

  read(nodeId: NodeId, epoch: Epoch): Promise<LeaseState> {
    const paths = epochPaths(this.#root, nodeId, epoch);
    return this.#certain(paths, async () => {
      const closed = await readLeaseFile(this.#files, paths.closed);
      if (closed !== undefined) return { state: 'closed', lease: leaseIn(closed) };
      const content = await readLeaseFile(this.#files, paths.lease);
      switch (content?.state) {
        case 'held':
          return { state: 'open', lease: content.lease };
        case 'given-back':
          return { state: 'given-back', lease: content.lease };
        case 'never-taken':
          return { state: 'closed', lease: undefined };
        case undefined:
          return (await this.#namesIfThere(paths.epoch)) === undefined
            ? this.#absent()
            : { state: 'open', lease: undefined };
      }
    });
  }

  take(lease: LeaseRecord): Promise<'taken' | 'refused'> {
    const paths = epochPaths(this.#root, lease.nodeId, lease.epoch);
    const content: LeaseContent = { state: 'held', lease };
    return this.#holding(paths, 'refused', async () => {
      if (await this.#isClosing(paths)) return 'refused';
      await this.#create(paths, LEASE, encodeLease(content));
      // Again by the path: what was created in an epoch that is being removed is not there any more.
      return isSame(await readLeaseFile(this.#files, paths.lease), content) ? 'taken' : 'refused';
    });
  }

  renew(lease: LeaseRecord): Promise<'renewed' | 'closed'> {
    return this.#rewrite({ state: 'held', lease }, 'renewed');
  }

  giveBack(lease: LeaseRecord): Promise<'given-back' | 'closed'> {
    return this.#rewrite({ state: 'given-back', lease }, 'given-back');
  }

  /** Write first, look for `closing` afterwards: who closes creates it first and reads afterwards. */
  #rewrite<A extends string>(
    content: LeaseContent & { lease: LeaseRecord },
    answer: A,
  ): Promise<A | 'closed'> {
    const { lease } = content;
    const paths = epochPaths(this.#root, lease.nodeId, lease.epoch);
    return this.#holding<A | 'closed'>(paths, 'closed', async () => {
      if (await this.#isClosing(paths)) return 'closed';
      const there = await readLeaseFile(this.#files, paths.lease);
      if (!mayReplace(there, content)) return 'closed';
      const temporary = await this.#writeTemporary(paths, encodeLease(content));
      await this.#files.rename(temporary, paths.lease);
      await this.#files.sync(paths.epoch);
      return (await this.#isClosing(paths)) ? 'closed' : answer;
    });
  }

  /** An epoch that is not there is closed or was never opened: certain, as long as its node's directory is there. */
  #holding<A>(paths: EpochPaths, withoutEpoch: A, step: () => Promise<A>): Promise<A> {
    return this.#turn.run(() =>
      this.#certain(paths, async () => {
        try {
          return await step();
        } catch (error) {
          if (systemCode(error) !== 'ENOENT') throw error;
          // Rejects where the shared directory is not mounted: then nothing is known of the epoch.
          const epochs = await this.#files.list(paths.node);
          if (epochs.includes(basename(paths.epoch))) throw error;
          return withoutEpoch;
        }
      }),
    );
  }

  /** Only after a look at the root: a shared directory that is not mounted here holds no epochs either. */
  async #absent(): Promise<LeaseState> {
    await this.#files.list(this.#root);
    return { state: 'absent' };
  }

  async #isClosing(paths: EpochPaths): Promise<boolean> {
    return (await this.#files.list(paths.epoch)).includes(CLOSING);
  }

  async #namesIfThere(directory: string): Promise<readonly string[] | undefined> {
    try {
      return await this.#files.list(directory);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #newestEpoch(paths: EpochPaths): Promise<number> {
    const names = (await this.#namesIfThere(paths.node)) ?? [];
    return Math.max(0, ...names.map((name) => epochOfDirectory(name) ?? 0));
  }

  async #makeEpoch(paths: EpochPaths): Promise<void> {
    // The root itself is never made: where the share is not mounted, an epoch would open in the wrong place.
    await this.#files.list(this.#root);
    await this.#files.makeDirectory(paths.epoch);
    await this.#files.setMode(join(this.#root, 'leases'), NODE_MODE);
    await this.#files.setMode(paths.node, NODE_MODE);
    await this.#files.setMode(paths.epoch, EPOCH_MODE);
  }

  /** Moved aside first, so that nobody finds an epoch by its path that has lost half of its files. */
  async #removeOldEpochs(paths: EpochPaths, current: number): Promise<void> {
    for (const name of await this.#files.list(paths.node)) {
      const old = epochOfDirectory(name);
      const directory = join(paths.node, name);
      if (name.startsWith(REMOVED)) {
        await this.#files.remove(directory);
      } else if (old !== undefined && old < current - KEPT_CLOSED_EPOCHS) {
        if (!(await this.#files.list(directory)).includes(CLOSED)) continue;
        const aside = join(paths.node, `${REMOVED}${name}`);
        await this.#files.rename(directory, aside);
        await this.#files.remove(aside);
      }
    }
  }

  /** Creates a file whole and durable; one that is there already stays, of several callers one wins. */
  async #create(paths: EpochPaths, name: string, text: string): Promise<void> {
    const temporary = await this.#writeTemporary(paths, text);
    try {
      await this.#files.link(temporary, join(paths.epoch, name));
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    } finally {
      await this.#files.remove(temporary);
    }
    // Also for one that was there: nobody acts on what another process has not made durable yet.
    await this.#files.sync(paths.epoch);
  }

  async #writeTemporary(paths: EpochPaths, text: string): Promise<string> {
    const temporary = join(paths.epoch, `${randomUUID()}.tmp`);
    await this.#files.write(temporary, text, LEASE_MODE);
    // An empty file has only its name, which the directory's own sync makes durable.
    if (text !== '') await this.#files.sync(temporary);
    return temporary;
  }

  async #need(path: string): Promise<LeaseContent> {
    const content = await readLeaseFile(this.#files, path);
    if (content === undefined) throw new LeaseUnavailableError(`${path} vanished while it was read`);
    return content;
  }

  async #certain<A>(paths: EpochPaths, step: () => Promise<A>): Promise<A> {
    try {
      return await step();
    } catch (cause) {
      if (cause instanceof LeaseUnavailableError) throw cause;
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new LeaseUnavailableError(
        `nothing certain can be said of the lease in ${paths.epoch}: ${words}; ` +
          `${this.#root} must be there (make it once), mounted and writable here`,
        { cause },
      );
    }
  }
}
