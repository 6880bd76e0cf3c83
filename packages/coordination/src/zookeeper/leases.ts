import { setTimeout as sleep } from 'node:timers/promises';
import type { Epoch, LeaseRecord, NodeId } from '@mesos-elasticsearch/contract';
import { InTurn } from '../in-turn.ts';
import { encodeLease, isSame, leaseIn, mayReplace, type LeaseContent } from '../lease-content.ts';
import { LeaseUnavailableError, type LeaseService, type LeaseState } from '../lease-service.ts';
import { connectZookeeper, type ZooKeeperOptions } from './client.ts';
import type { Leadership } from './election.ts';
import {
  encodeEpoch,
  known,
  lookAt,
  OPEN_VERSION,
  recordedFor,
  UnansweredError,
  type EpochView,
  type OpenEpoch,
} from './epoch-view.ts';
import { epochPath, inWords, leasePath, leasesPath, makeFolder, nodeLeasesPath } from './layout.ts';
import { ANY_VERSION, type Operation, type Outcome, type ZooKeeper } from './zookeeper.ts';

export interface LeasePlaceInZooKeeper extends Omit<ZooKeeperOptions, 'answerWithinMs'> {
  /** The cluster's root. */
  readonly path: string;
  /** Of the leases that are held here: no call on one takes longer than a quarter of it, and a lost answer less. */
  readonly durationMs: number;
}

/** Closed epochs that stay readable, for people who look into what happened. */
const KEPT_CLOSED_EPOCHS = 5;
const RENEWALS_PER_LEASE = 4;
/** So many answers may get lost in one renewal before its time is over. */
const TRIES_PER_CALL = 3;
const CALL_WITHIN_MS = 5_000;
const PAUSE_MS = 10;

/**
 * Leases as their holder sees them. Connects at the first call; a lost connection is replaced within the call.
 * `openEpoch` and `closeEpoch` are the leading scheduler's, here they reject.
 */
export function zookeeperLeases(place: LeasePlaceInZooKeeper): LeaseService & { close(): Promise<void> } {
  const { path, durationMs, ...options } = place;
  const longest = Math.min(2_000, options.sessionTimeoutMs / 3);
  const answerWithinMs = Math.ceil(Math.min(longest, durationMs / RENEWALS_PER_LEASE / TRIES_PER_CALL));
  const zookeeper = connectZookeeper({ ...options, answerWithinMs });
  return Object.assign(leasesIn({ zookeeper, root: path }), { close: () => zookeeper.close() });
}

/** Leases as the leading scheduler sees them: whatever it writes is refused once another one leads. */
export function zookeeperLeasesOf(leadership: Leadership): LeaseService {
  return leasesIn({ zookeeper: leadership.zookeeper, root: leadership.root, leadership });
}

export interface LeasePorts {
  readonly zookeeper: ZooKeeper;
  readonly root: string;
  /** Only with it epochs are opened and closed. */
  readonly leadership?: Leadership;
}

/** docs/adr/0004-zookeeper.md says what each step checks, and why that suffices. */
export function leasesIn(ports: LeasePorts): LeaseService {
  return new ZooKeeperLeases(ports);
}

/** What one try came to: an answer, or why another try is needed. */
type Try<A> = { readonly answer: A } | { readonly again: string };

class ZooKeeperLeases implements LeaseService {
  readonly #zookeeper: ZooKeeper;
  readonly #root: string;
  readonly #leadership: Leadership | undefined;
  /** One holder's renewals must not overtake each other. */
  readonly #turn = new InTurn();

  constructor({ zookeeper, root, leadership }: LeasePorts) {
    this.#zookeeper = zookeeper;
    this.#root = root;
    this.#leadership = leadership;
  }

  openEpoch(nodeId: NodeId, epoch: Epoch): Promise<void> {
    const path = epochPath(this.#root, nodeId, epoch);
    return this.#until(path, CALL_WITHIN_MS, async () => {
      const { acls } = this.#reign();
      const folder = nodeLeasesPath(this.#root, nodeId);
      const there = known(folder, await this.#zookeeper.children(folder));
      if (there === undefined) {
        known(folder, await makeFolder(this.#zookeeper, folder, acls.readable));
      }
      const epochs = (there ?? []).map(Number);
      const view = await this.#look(nodeId, epoch, CALL_WITHIN_MS);
      if (view.state === 'closed' || Math.max(0, ...epochs) > epoch) {
        throw new LeaseUnavailableError(`${path} cannot be opened: the epoch is closed or past`);
      }
      if (view.state === 'absent') {
        const opened = await this.#write([
          { kind: 'create', path, data: encodeEpoch({ state: 'open' }), acl: acls.readable },
          // Made by the scheduler, so that it belongs to it; taking the lease is its first change.
          {
            ...{ kind: 'create', path: leasePath(this.#root, nodeId, epoch), acl: acls.lease },
            data: encodeLease({ state: 'never-taken' }),
          },
        ]);
        if (opened.kind !== 'done') return { again: inWords(opened) };
      }
      await this.#removeOldEpochs(nodeId, epochs, epoch);
      return { answer: undefined };
    });
  }

  closeEpoch(nodeId: NodeId, epoch: Epoch): Promise<LeaseRecord | undefined> {
    const path = epochPath(this.#root, nodeId, epoch);
    return this.#until(path, CALL_WITHIN_MS, async () => {
      this.#reign();
      const view = await this.#look(nodeId, epoch, CALL_WITHIN_MS);
      if (view.state === 'closed') return { answer: view.last };
      const closed =
        view.state === 'absent'
          ? await this.#closeUnopened(nodeId, epoch)
          : await this.#closeOpen(nodeId, epoch, view);
      if (closed.kind !== 'done') return { again: inWords(closed) };
      return { answer: view.state === 'open' ? leaseIn(view.lease.content) : undefined };
    });
  }

  read(nodeId: NodeId, epoch: Epoch): Promise<LeaseState> {
    return this.#until<LeaseState>(epochPath(this.#root, nodeId, epoch), CALL_WITHIN_MS, async () => {
      const view = await this.#look(nodeId, epoch, CALL_WITHIN_MS);
      if (view.state === 'absent') {
        await this.#needFolder(leasesPath(this.#root));
        return { answer: { state: 'absent' } };
      }
      if (view.state === 'closed') {
        return { answer: { state: 'closed', lease: view.last } };
      }
      const { content } = view.lease;
      return content.state === 'given-back'
        ? { answer: { state: 'given-back', lease: content.lease } }
        : { answer: { state: 'open', lease: leaseIn(content) } };
    });
  }

  take(lease: LeaseRecord): Promise<'taken' | 'refused'> {
    const wanted: LeaseContent = { state: 'held', lease };
    return this.#holding(lease, async (leftMs) => {
      const { nodeId, epoch } = lease;
      const view = await this.#look(nodeId, epoch, leftMs);
      if (view.state === 'absent') {
        await this.#needFolder(nodeLeasesPath(this.#root, nodeId));
        return { answer: 'refused' };
      }
      if (view.state === 'closed') return { answer: 'refused' };
      if (view.lease.content.state !== 'never-taken') {
        return { answer: isSame(view.lease.content, wanted) ? 'taken' : 'refused' };
      }
      const recorded = recordedFor(view, lease);
      if (recorded === undefined) return { answer: 'refused' };
      const taken = await this.#write([this.#stillOpen(lease), recorded, this.#put(view, wanted)], leftMs);
      return taken.kind === 'done' ? { answer: 'taken' } : { again: inWords(taken) };
    });
  }

  renew(lease: LeaseRecord): Promise<'renewed' | 'closed'> {
    return this.#rewrite({ state: 'held', lease }, 'renewed');
  }

  giveBack(lease: LeaseRecord): Promise<'given-back' | 'closed'> {
    return this.#rewrite({ state: 'given-back', lease }, 'given-back');
  }

  #rewrite<A extends string>(
    content: LeaseContent & { lease: LeaseRecord },
    answer: A,
  ): Promise<A | 'closed'> {
    const { lease } = content;
    return this.#holding<A | 'closed'>(lease, async (leftMs) => {
      const view = await this.#look(lease.nodeId, lease.epoch, leftMs);
      if (view.state === 'absent') {
        await this.#needFolder(nodeLeasesPath(this.#root, lease.nodeId));
        return { answer: 'closed' };
      }
      if (view.state === 'closed' || !mayReplace(view.lease.content, content)) return { answer: 'closed' };
      // The answer to an earlier try got lost; it was written while the epoch was open.
      if (isSame(view.lease.content, content)) return { answer };
      const written = await this.#write([this.#stillOpen(lease), this.#put(view, content)], leftMs);
      return written.kind === 'done' ? { answer } : { again: inWords(written) };
    });
  }

  #stillOpen({ nodeId, epoch }: LeaseRecord): Operation {
    return { kind: 'check', path: epochPath(this.#root, nodeId, epoch), version: OPEN_VERSION };
  }

  #put(view: OpenEpoch, content: LeaseContent & { lease: LeaseRecord }): Operation {
    const { nodeId, epoch } = content.lease;
    const path = leasePath(this.#root, nodeId, epoch);
    return { kind: 'set', path, data: encodeLease(content), version: view.lease.version };
  }

  /** Refused if the lease was renewed since it was read: what is written down is the last renewal that was answered. */
  #closeOpen(nodeId: NodeId, epoch: Epoch, view: OpenEpoch): Promise<Outcome<unknown>> {
    const { content, version } = view.lease;
    const last = content.state === 'never-taken' ? {} : { last: content };
    return this.#write([
      { kind: 'check', path: leasePath(this.#root, nodeId, epoch), version },
      {
        ...{ kind: 'set', path: epochPath(this.#root, nodeId, epoch), version: OPEN_VERSION },
        data: encodeEpoch({ state: 'closed', ...last }),
      },
    ]);
  }

  async #closeUnopened(nodeId: NodeId, epoch: Epoch): Promise<Outcome<unknown>> {
    const { acls } = this.#reign();
    const folder = nodeLeasesPath(this.#root, nodeId);
    await this.#needFolder(leasesPath(this.#root));
    known(folder, await makeFolder(this.#zookeeper, folder, acls.readable));
    const epochs = known(folder, await this.#zookeeper.children(folder)) ?? [];
    if (Math.max(0, ...epochs.map(Number)) > epoch) {
      throw new LeaseUnavailableError(
        `epoch ${epoch} below ${folder} is past and its records have been removed`,
      );
    }
    const data = encodeEpoch({ state: 'closed' });
    const path = epochPath(this.#root, nodeId, epoch);
    return this.#write([{ kind: 'create', path, data, acl: acls.readable }]);
  }

  /** As the scheduler with the guard of its reign, as an executor without. */
  async #write(operations: readonly Operation[], limitMs = CALL_WITHIN_MS): Promise<Outcome<unknown>> {
    const guard = this.#leadership?.guard ?? [];
    const outcome = await this.#zookeeper.transact([...guard, ...operations], { limitMs });
    if (outcome.kind !== 'not-done' || outcome.code === 'no-auth') {
      if (outcome.kind === 'not-done') throw new LeaseUnavailableError(inWords(outcome));
      return outcome;
    }
    if (outcome.at < guard.length) {
      this.#leadership?.depose('another scheduler leads by now, or the session with ZooKeeper is over');
      this.#reign();
    }
    return outcome;
  }

  #reign(): Leadership {
    if (this.#leadership === undefined) {
      throw new LeaseUnavailableError('epochs are opened and closed by the leading scheduler only');
    }
    if (this.#leadership.isLost) {
      const { number } = this.#leadership;
      throw new LeaseUnavailableError(
        `reign ${number} is over: no epoch is opened or closed by this scheduler`,
      );
    }
    return this.#leadership;
  }

  #look(nodeId: NodeId, epoch: Epoch, limitMs: number): Promise<EpochView> {
    return lookAt(this.#zookeeper, this.#root, nodeId, epoch, limitMs);
  }

  /** An epoch is certainly not there only where its folder is: a store that was wiped knows nothing. */
  async #needFolder(path: string): Promise<void> {
    if (known(path, await this.#zookeeper.read(path)) === undefined) {
      throw new LeaseUnavailableError(`${path} is not there: this ZooKeeper knows nothing of these leases`);
    }
  }

  #holding<A>(lease: LeaseRecord, attempt: (leftMs: number) => Promise<Try<A>>): Promise<A> {
    const path = leasePath(this.#root, lease.nodeId, lease.epoch);
    return this.#turn.run(() => this.#until(path, lease.durationMs / RENEWALS_PER_LEASE, attempt));
  }

  /** Tries until the time is over; whatever a lost try has done, the next one finds. */
  async #until<A>(path: string, limitMs: number, attempt: (leftMs: number) => Promise<Try<A>>): Promise<A> {
    const until = performance.now() + limitMs;
    let trouble = 'no answer in time';
    for (let leftMs = limitMs; leftMs > 0; leftMs = until - performance.now()) {
      const tried = await attempt(leftMs).catch((error: unknown): Try<A> => {
        if (error instanceof UnansweredError) return { again: error.message };
        throw error;
      });
      if ('answer' in tried) return tried.answer;
      trouble = tried.again;
      await sleep(PAUSE_MS);
    }
    throw new LeaseUnavailableError(
      `nothing certain can be said of the lease at ${path} within ${Math.round(limitMs)} ms: ${trouble}`,
    );
  }

  /** Best effort: what stays is removed when the next epoch is opened. */
  async #removeOldEpochs(nodeId: NodeId, epochs: readonly number[], current: number): Promise<void> {
    for (const old of epochs.filter((each) => each < current - KEPT_CLOSED_EPOCHS)) {
      const path = epochPath(this.#root, nodeId, old);
      const remove = (what: string): Operation => ({ kind: 'remove', path: what, version: ANY_VERSION });
      // Its version is another one only once it is closed; an unopened one was closed from the beginning and stays.
      const closed: Operation = { kind: 'check', path, version: OPEN_VERSION + 1 };
      await this.#write([closed, remove(leasePath(this.#root, nodeId, old)), remove(path)]);
    }
  }
}
