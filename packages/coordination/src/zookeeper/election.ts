import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  clusterAcls,
  electionPath,
  inWords,
  leaderEpochPath,
  makeCluster,
  type ClusterAcls,
  type ZooKeeperAccess,
} from './layout.ts';
import type { Operation, Outcome, ZooKeeper } from './zookeeper.ts';

export interface CampaignOptions {
  /** A client of its own: its session is the candidacy, and it is closed with it. */
  readonly zookeeper: ZooKeeper;
  /** The cluster's root. */
  readonly root: string;
  readonly access?: ZooKeeperAccess;
  /** For people who look into ZooKeeper, e.g. `host:pid`. */
  readonly name?: string;
  /** Gives the candidacy up. */
  readonly signal?: AbortSignal;
  /** Another one leads, by this name (empty: it has none); called again when that changes. */
  readonly onStandby?: (leader: string) => void;
}

/** The time in which one scheduler leads. */
export interface Leadership {
  /** Grows with each reign. */
  readonly number: number;
  readonly isLost: boolean;
  /**
   * Certain: ZooKeeper has answered, to a question that was sent within the session's length, that this scheduler leads.
   * Without that another one may lead by now, though nobody could say so; then nothing new is begun.
   */
  readonly isConfirmed: boolean;
  /** Resolves once, with the reason, when this scheduler leads no more. */
  readonly lost: Promise<string>;
  /** The first operations of each transaction: refused when another one leads, or when the session is over. */
  readonly guard: readonly Operation[];
  readonly zookeeper: ZooKeeper;
  readonly root: string;
  readonly acls: ClusterAcls;
  /** Said by whose transaction was refused by the guard. */
  depose(why: string): void;
  /** The next candidate leads at once. Resolves when the session is closed. */
  resign(): Promise<void>;
}

/** It cannot lead, and trying again will not help. */
export class CampaignError extends Error {
  override readonly name = 'CampaignError';
}

const PAUSE_MS = 200;
/** So often within a session's length a leader asks whether it still leads. */
const CONFIRMATIONS_PER_SESSION = 6;

/**
 * Resolves when this scheduler leads. Each candidate watches only the one before it, so a leader's end wakes one
 * standby. While ZooKeeper does not answer it goes on trying.
 * @throws CampaignError when the credentials do not suffice, or when `signal` aborts
 */
export async function campaign(options: CampaignOptions): Promise<Leadership> {
  const candidacy = new Candidacy(options);
  try {
    return await candidacy.succeed();
  } catch (error) {
    await options.zookeeper.close();
    throw error;
  }
}

interface Candidate {
  readonly path: string;
  readonly sequence: number;
  readonly isOurs: boolean;
}

/** Before the next look something has to happen. */
interface Wait {
  readonly until: Promise<unknown>;
}

class Candidacy {
  readonly #options: CampaignOptions;
  readonly #acls: ClusterAcls;
  /** Part of the znode's name: so it is found again after the answer to its creation was lost. */
  readonly #token = randomUUID();
  #toldLeader: string | undefined;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#acls = clusterAcls(options.access);
  }

  async succeed(): Promise<Leadership> {
    for (;;) {
      this.#checkSignal();
      const step = await this.#step();
      if (step instanceof Reign) return step;
      await this.#wait(step);
    }
  }

  async #step(): Promise<Reign | Wait> {
    const { zookeeper, root } = this.#options;
    const listed = this.#certain(await zookeeper.children(electionPath(root)));
    if (listed === undefined) return pause();
    const names = listed.value;
    if (names === undefined) {
      return this.#retried(await makeCluster(zookeeper, root, this.#acls));
    }
    const candidates = this.#inOrder(names);
    const place = candidates.findIndex(({ isOurs }) => isOurs);
    if (place < 0) return this.#retried(await zookeeper.transact([this.#announcement()]));
    const [ours, predecessor] = [candidates[place], candidates[place - 1]];
    if (predecessor !== undefined) {
      const [leader] = candidates;
      if (leader !== undefined) await this.#tellWhoLeads(leader);
      return this.#follow(predecessor);
    }
    return ours === undefined ? pause() : this.#begin(ours.path);
  }

  #announcement(): Operation {
    const { root, name = '' } = this.#options;
    return {
      ...{ kind: 'create', path: `${electionPath(root)}/candidate-${this.#token}-`, data: name },
      ...{ acl: this.#acls.schedulerOnly, lives: 'ephemeral-sequential' },
    };
  }

  #inOrder(names: readonly string[]): Candidate[] {
    const candidates = names.map((name) => ({
      path: `${electionPath(this.#options.root)}/${name}`,
      sequence: Number(name.slice(name.lastIndexOf('-') + 1)),
      isOurs: name.includes(this.#token),
    }));
    return candidates.sort((a, b) => a.sequence - b.sequence);
  }

  /** For people: the leader is the first candidate, though we watch the one before us. */
  async #tellWhoLeads({ path }: Candidate): Promise<void> {
    const { zookeeper, onStandby } = this.#options;
    if (onStandby === undefined || path === this.#toldLeader) return;
    const read = await zookeeper.read(path);
    if (read.kind !== 'done' || read.value === undefined) return;
    this.#toldLeader = path;
    onStandby(read.value.data);
  }

  async #follow(predecessor: Candidate): Promise<Wait> {
    const { zookeeper } = this.#options;
    let changed: () => void = () => undefined;
    const change = new Promise<void>((resolve) => (changed = resolve));
    const read = this.#certain(await zookeeper.read(predecessor.path, { watch: changed }));
    if (read === undefined) return pause();
    return { until: read.value === undefined ? Promise.resolve() : change };
  }

  /** The number grows before anything is written under it. */
  async #begin(ours: string): Promise<Reign | Wait> {
    const { zookeeper, root, name = '' } = this.#options;
    const path = leaderEpochPath(root);
    const askedMs = performance.now();
    const read = this.#certain(await zookeeper.read(path));
    if (read === undefined) return pause();
    if (read.value === undefined) return this.#retried(await makeCluster(zookeeper, root, this.#acls));
    const { data, stat } = read.value;
    if (data.includes(this.#token)) {
      return new Reign(this.#options, { acls: this.#acls, candidate: ours, number: stat.version, askedMs });
    }
    const claim = `${JSON.stringify({ reign: stat.version + 1, candidate: this.#token, name })}\n`;
    const begun = await zookeeper.transact([
      { kind: 'check', path: ours, version: 0 },
      { kind: 'set', path, data: claim, version: stat.version },
    ]);
    if (begun.kind !== 'done') return this.#retried(begun);
    return new Reign(this.#options, { acls: this.#acls, candidate: ours, number: stat.version + 1, askedMs });
  }

  /** Only what no other try can change ends the campaign; whatever else it was, the next look tells. */
  #certain<T>(outcome: Outcome<T>): { readonly value: T } | undefined {
    if (outcome.kind === 'done') return { value: outcome.value };
    if (outcome.kind === 'not-done' && outcome.code === 'no-auth') {
      throw new CampaignError(`cannot campaign at ${this.#options.root}: ${inWords(outcome)}`);
    }
    return undefined;
  }

  #retried(outcome: Outcome<unknown>): Wait {
    return this.#certain(outcome) === undefined ? pause() : { until: Promise.resolve() };
  }

  async #wait({ until }: Wait): Promise<void> {
    const { signal } = this.#options;
    if (signal === undefined) {
      await until;
      return;
    }
    let aborted: () => void = () => undefined;
    const abortion = new Promise<void>((resolve) => (aborted = resolve));
    signal.addEventListener('abort', aborted, { once: true });
    if (!signal.aborted) await Promise.race([until, abortion]);
    signal.removeEventListener('abort', aborted);
  }

  #checkSignal(): void {
    if (this.#options.signal?.aborted === true) {
      throw new CampaignError(`gave up the candidacy at ${this.#options.root}`);
    }
  }
}

function pause(): Wait {
  return { until: sleep(PAUSE_MS) };
}

interface Begun {
  readonly acls: ClusterAcls;
  /** Path of our znode. */
  readonly candidate: string;
  readonly number: number;
  /** Monotonic milliseconds before the question whose answer began the reign. */
  readonly askedMs: number;
}

class Reign implements Leadership {
  readonly number: number;
  readonly lost: Promise<string>;
  readonly guard: readonly Operation[];
  readonly zookeeper: ZooKeeper;
  readonly root: string;
  readonly acls: ClusterAcls;
  readonly #candidate: string;
  #lostBecause: string | undefined;
  /** When the last question was sent that was answered with yes. */
  #confirmedSentMs: number;
  #tell: (why: string) => void = () => undefined;

  constructor(options: CampaignOptions, { acls, candidate, number, askedMs }: Begun) {
    this.number = number;
    this.zookeeper = options.zookeeper;
    this.root = options.root;
    this.acls = acls;
    this.#candidate = candidate;
    this.lost = new Promise((resolve) => (this.#tell = resolve));
    this.guard = [
      { kind: 'check', path: leaderEpochPath(this.root), version: number },
      // Also where the store was put back, and numbers begin again: of this znode there is only one.
      { kind: 'check', path: candidate, version: 0 },
    ];
    this.#confirmedSentMs = askedMs;
    void this.#watchOver();
    void this.#keepConfirmed();
  }

  get isLost(): boolean {
    return this.#lostBecause !== undefined;
  }

  get isConfirmed(): boolean {
    return !this.isLost && performance.now() - this.#confirmedSentMs < this.zookeeper.sessionTimeoutMs;
  }

  depose(why: string): void {
    if (this.isLost) return;
    this.#lostBecause = why;
    this.#tell(why);
    void this.zookeeper.close();
  }

  async resign(): Promise<void> {
    this.depose('resigned');
    await this.zookeeper.close();
  }

  /** By a transaction, for that goes through the quorum: a read may be answered by a server that was cut off. */
  async #keepConfirmed(): Promise<void> {
    while (!this.isLost) {
      const pauseMs = this.zookeeper.sessionTimeoutMs / CONFIRMATIONS_PER_SESSION;
      await Promise.race([sleep(pauseMs, undefined, { ref: false }), this.lost]);
      const sentMs = performance.now();
      const answer = await this.zookeeper.transact(this.guard);
      if (answer.kind === 'done') this.#confirmedSentMs = sentMs;
      else if (answer.kind === 'not-done')
        this.depose('another scheduler leads by now, or the session with ZooKeeper is over');
    }
  }

  async #watchOver(): Promise<void> {
    while (!this.isLost) {
      let changed: () => void = () => undefined;
      const change = new Promise<void>((resolve) => (changed = resolve));
      const [ours, epoch] = await Promise.all([
        this.zookeeper.read(this.#candidate, { watch: changed }),
        this.zookeeper.read(leaderEpochPath(this.root), { watch: changed }),
      ]);
      if (ours.kind === 'done' && ours.value === undefined) {
        this.depose('the session with ZooKeeper is over: others may lead by now');
      } else if (epoch.kind === 'done' && epoch.value?.stat.version !== this.number) {
        this.depose('another scheduler leads by now');
      }
      const known = ours.kind === 'done' && epoch.kind === 'done';
      await Promise.race([known ? change : sleep(PAUSE_MS), this.lost]);
    }
  }
}
