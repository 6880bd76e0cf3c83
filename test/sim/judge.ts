/**
 * What must hold after every step, whatever happened. It knows the truth of the world, not what the scheduler
 * believes; each check is made where the truth changes, so that it costs next to nothing.
 */
import { markerSchema, VOLUME_ROLES, type LaunchSpec, type NodeRecord } from '@mesos-elasticsearch/contract';
import type { SchedulerCall } from '@mesos-elasticsearch/mesos-v1';
import type { Step } from '@mesos-elasticsearch/scheduler/core';
import type { Elasticsearch } from './elasticsearch.ts';
import type { Machine } from './machines.ts';
import type { Scheduler } from './scheduler.ts';
import type { Volume } from './volumes.ts';
import type { World } from './world.ts';

/** One of the rules that always hold (docs/safety.md), by a short name. */
export type Invariant =
  | 'one-holder'
  | 'record-then-act'
  | 'release-on-proof'
  | 'self-fencing'
  | 'right-volume'
  | 'lowest-free-number'
  | 'stop-kills-nothing'
  | 'no-volume-removed'
  | 'copy-verified'
  | 'former-kept'
  | 'no-silent-wait'
  | 'no-document-lost'
  | 'leader'
  | 'whole-again'
  | 'no-crash';

export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

const NOBODY: ReadonlySet<Elasticsearch> = new Set();

export class Judge {
  readonly #world: World;
  readonly live = new Set<Elasticsearch>();
  readonly #byNode = new Map<number, Set<Elasticsearch>>();
  /** Acknowledged, and not yet seen on the volume of a later holder. */
  readonly #unverified = new Map<number, number[]>();
  /** Where the last Elasticsearch of a node was started. */
  readonly #lastStart = new Map<number, Elasticsearch['at']>();
  /** Tasks whose assignment was durable at some time. */
  readonly #recordedTasks = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  fail(invariant: Invariant, message: string): never {
    throw new Violation(invariant, message);
  }

  livesOf(nodeId: number): ReadonlySet<Elasticsearch> {
    return this.#byNode.get(nodeId) ?? NOBODY;
  }

  // Elasticsearch

  onStarted(started: Elasticsearch): void {
    const { nodeId, epoch, taskId, machine } = started.at;
    // A guard that was frozen after its go starts on storage that was taken from its machine meanwhile: it holds nothing.
    if (this.#world.settings.policy === 'preempt' && !this.canWrite(started)) {
      this.live.add(started);
      return;
    }
    for (const other of this.livesOf(nodeId)) {
      // What was taken from it it cannot write any more.
      if (this.#world.settings.policy === 'preempt' && !this.canWrite(other)) continue;
      this.fail('one-holder', `${taskId} starts on ${machine.name} while ${nameOf(other)} lives`);
    }
    const record = this.#world.ledger.record(nodeId);
    const recorded = record?.epoch ?? 0;
    // What is left of an earlier epoch on this very machine is ended before the next one attaches anything.
    const orphan = record?.phase === 'assigned' && record.holder?.host === machine.name;
    if (recorded > epoch && !orphan) {
      this.fail('release-on-proof', `${taskId} starts in epoch ${epoch}, but epoch ${recorded} was assigned`);
    }
    const volumes = this.#world.volumes.of(nodeId, started.at.driver);
    for (const role of VOLUME_ROLES) this.#checkVolume(started, volumes[role]);
    this.#checkDocuments(nodeId, volumes.data);
    this.live.add(started);
    if (started.at.copy === undefined) this.#lastStart.set(nodeId, started.at);
    const there = this.#byNode.get(nodeId);
    if (there === undefined) this.#byNode.set(nodeId, new Set([started]));
    else there.add(started);
    if (this.#world.settings.policy === 'fence') this.#watchLease(started);
  }

  onEnded(ended: Elasticsearch): void {
    this.live.delete(ended);
    this.#byNode.get(ended.at.nodeId)?.delete(ended);
  }

  onAcknowledged(nodeId: number, document: number): void {
    const known = this.#unverified.get(nodeId);
    if (known === undefined) this.#unverified.set(nodeId, [document]);
    else known.push(document);
  }

  canWrite({ process, at }: Elasticsearch): boolean {
    const drivers = [at.driver, ...(at.copy === undefined ? [] : [at.copy.to])];
    const isAttached = (driver: string) =>
      this.#world.volumes.of(at.nodeId, driver).data.attachments.has(at.machine);
    return process.alive && drivers.every(isAttached);
  }

  /** The live ones that can write, or will be able to when they thaw. */
  #holders(nodeId: number): Elasticsearch[] {
    const { policy } = this.#world.settings;
    return [...this.livesOf(nodeId)].filter((each) => policy !== 'preempt' || this.canWrite(each));
  }

  /** The attach of the next holder is what takes the volume from the one before. */
  get #driverRevokes(): boolean {
    const { policy, revokes } = this.#world.settings;
    return policy === 'preempt' && revokes === 'driver';
  }

  isInUse(volume: Volume, machine: Machine): boolean {
    return [...this.livesOf(volume.nodeId)].some(
      ({ at }) => at.machine === machine && (at.driver === volume.driver || at.copy?.to === volume.driver),
    );
  }

  #checkVolume(started: Elasticsearch, volume: Volume): void {
    const { epoch, machine, taskId } = started.at;
    const what = `${volume.role} volume of node ${volume.nodeId}`;
    if (!volume.attachments.has(machine)) {
      this.fail('right-volume', `${taskId} starts on ${machine.name}, where the ${what} is not attached`);
    }
    const text = volume.content.marker;
    const marker = text === undefined ? undefined : markerSchema.safeParse(JSON.parse(text)).data;
    const ours =
      marker?.clusterIdentity === this.#world.ledger.framework?.record.clusterIdentity &&
      marker?.nodeId === volume.nodeId &&
      marker.role === volume.role &&
      marker.epoch === epoch;
    if (!ours)
      this.fail('right-volume', `${taskId} starts on a ${what} that is marked ${text ?? 'by nobody'}`);
    if (volume.displaced !== undefined)
      this.fail('right-volume', `${taskId} starts on a ${what} that is not its own`);
    if (volume.content.unfinished)
      this.fail('copy-verified', `${taskId} starts on a ${what} that is half a copy`);
  }

  #checkDocuments(nodeId: number, { content: { synced } }: Volume): void {
    const missing = (this.#unverified.get(nodeId) ?? []).filter((document) => !synced.has(document));
    if (missing.length > 0) {
      this.fail('no-document-lost', `node ${nodeId} starts without its documents ${missing.join(', ')}`);
    }
    this.#unverified.set(nodeId, []);
  }

  /** Not before the last counter that anybody can have seen has stood still for as long as anybody waits. */
  #watchLease(watched: Elasticsearch): void {
    const { leaseMs, pauseBoundMs, drift } = this.#world.settings;
    const { nodeId, epoch } = watched.at;
    const check = (): void => {
      if (!watched.process.alive) return;
      const changedAtMs = this.#world.leases.find(nodeId, epoch)?.changedAtMs ?? 0;
      const expiresAtMs = changedAtMs + (leaseMs + pauseBoundMs) / (1 + drift);
      if (this.#world.now >= expiresAtMs) {
        this.fail('self-fencing', `${nameOf(watched)} lives though its lease has run out for every observer`);
      }
      this.#world.after(expiresAtMs - this.#world.now, check);
    };
    check();
  }

  // Volumes

  onAttached(volume: Volume): void {
    const writers = [...this.livesOf(volume.nodeId)].filter((each) => this.canWrite(each));
    if (writers.length > 1) {
      this.fail(
        'one-holder',
        `${writers.map(nameOf).join(' and ')} write to one volume of node ${volume.nodeId}`,
      );
    }
  }

  onDetached(volume: Volume, machine: Machine): void {
    if (this.isInUse(volume, machine) && !volume.attachments.has(machine)) {
      this.fail(
        'one-holder',
        `the ${volume.role} volume of node ${volume.nodeId} is detached under Elasticsearch`,
      );
    }
  }

  /** What a node had before a move stays as it was: nobody writes to it but who copies to it. */
  onTouched(volume: Volume, taskId: string): void {
    const { formerVolumes = [], volumes } = this.#world.ledger.record(volume.nodeId) ?? {};
    const former = formerVolumes.some((each) => each.volumes[volume.role].driver === volume.driver);
    if (!former || volumes?.[volume.role].driver === volume.driver) return;
    this.fail('former-kept', `${taskId} writes to the former ${volume.role} volume of node ${volume.nodeId}`);
  }

  /** A piece of a copy is about to be written: only where its own turn wants it. */
  onCopied(volume: Volume, copier: Elasticsearch): void {
    const { nodeId, taskId } = copier.at;
    const record = this.#world.ledger.record(nodeId);
    const wanted = record?.holder?.taskId === taskId && record.migration?.stage === 'copying';
    if (!wanted || record.volumes?.[volume.role].driver === volume.driver) {
      this.fail(
        'copy-verified',
        `${taskId} copies to the ${volume.role} volume of node ${nodeId} out of turn`,
      );
    }
  }

  /** Whoever was started on the new volumes may have acknowledged something there. */
  #onTurnOver({ migration }: NodeRecord, { nodeId, volumes }: NodeRecord): void {
    const [counts, last] = [volumes?.data.driver, this.#lastStart.get(nodeId)];
    if (migration === undefined || last === undefined || last.epoch <= migration.sinceEpoch) return;
    if (last.driver === counts) return;
    this.fail(
      'no-document-lost',
      `node ${nodeId} is taken back to ${counts ?? 'nothing'} after ${last.taskId} ran`,
    );
  }

  /** From then on the new volumes count, so they must hold everything. */
  #onCopyBelieved({ nodeId, migration }: NodeRecord): void {
    if (migration === undefined) return;
    for (const role of VOLUME_ROLES) {
      const [from, to] = [migration.from, migration.to].map(
        (volumes) => this.#world.volumes.of(nodeId, volumes[role].driver)[role].content,
      );
      const missing = [...(from?.synced ?? [])].filter((document) => to?.synced.has(document) !== true);
      if (to?.unfinished !== false || missing.length > 0) {
        this.fail('copy-verified', `node ${nodeId} moves to a ${role} volume that is not a whole copy`);
      }
    }
  }

  /** An executor has written a marker or the configuration. */
  onWritten(volume: Volume, { taskId, epoch, nodeId }: LaunchSpec, machine: Machine): void {
    this.onTouched(volume, taskId);
    for (const other of this.#holders(nodeId)) {
      if (other.at.taskId === taskId) continue;
      this.fail(
        'one-holder',
        `${taskId} on ${machine.name} writes to the ${volume.role} volume of ${nameOf(other)}`,
      );
    }
    if (volume.displaced !== undefined) {
      this.fail(
        'right-volume',
        `${taskId} writes to a ${volume.role} volume that is not the one of node ${nodeId}`,
      );
    }
    const recorded = this.#world.ledger.record(nodeId)?.epoch ?? 0;
    if (recorded > epoch) {
      this.fail(
        'right-volume',
        `${taskId} writes to the ${volume.role} volume, though epoch ${recorded} is assigned`,
      );
    }
  }

  /** Only what is retired, and is to be emptied by the operator's word or setting. */
  onWiped(volume: Volume, { nodeId, epoch, taskId }: LaunchSpec): void {
    const record = this.#world.ledger.record(nodeId);
    if (record?.wipe !== true || record.epoch !== epoch) {
      this.fail('no-document-lost', `${taskId} empties the ${volume.role} volume of node ${nodeId}`);
    }
    if (volume.role === 'data') this.#unverified.set(nodeId, []);
  }

  // Ledger

  onRecorded(before: NodeRecord | undefined, after: NodeRecord): void {
    if (after.holder !== undefined) this.#recordedTasks.add(after.holder.taskId);
    if (after.phase === 'assigned' && after.epoch > (before?.epoch ?? 0)) this.#onAssigned(before, after);
    if (before?.holder !== undefined && after.holder === undefined) this.#onVacated(before, after);
    if (before?.migration !== undefined && after.migration === undefined) this.#onTurnOver(before, after);
    const isCopied = after.migration?.stage === 'copied';
    if (isCopied && before?.migration?.stage !== 'copied') this.#onCopyBelieved(after);
  }

  #onAssigned(before: NodeRecord | undefined, { nodeId, epoch, holder }: NodeRecord): void {
    for (const other of this.#driverRevokes ? [] : this.#holders(nodeId)) {
      // On its own machine the next executor ends it before it attaches anything.
      if (other.at.machine.name === holder?.host && before?.phase === 'releasing') continue;
      this.fail(
        'release-on-proof',
        `node ${nodeId} is assigned in epoch ${epoch} while ${nameOf(other)} lives`,
      );
    }
    const former = before?.epoch ?? 0;
    if (former > 0 && this.#world.leases.find(nodeId, former)?.closed !== true) {
      this.fail('release-on-proof', `node ${nodeId} is assigned again while epoch ${former} stands`);
    }
    this.#checkNumber(nodeId, before);
  }

  /** Only as many numbers as nodes are wanted, and the lowest ones. */
  #checkNumber(nodeId: number, before: NodeRecord | undefined): void {
    if (before !== undefined && before.phase !== 'vacant' && before.phase !== 'retired') return;
    const held = this.#world.heldNodeIds();
    const wanted = this.#world.wantedNodes();
    if (held.length > wanted) {
      this.fail('lowest-free-number', `nodes ${held.join(', ')} are held, but ${wanted} are wanted`);
    }
    const lowerFree = Array.from({ length: nodeId - 1 }, (_, at) => at + 1).filter(
      (id) => !held.includes(id),
    );
    if (lowerFree.length > wanted - held.length) {
      this.fail(
        'lowest-free-number',
        `number ${nodeId} is handed out while ${lowerFree.join(', ')} are free`,
      );
    }
  }

  #onVacated({ nodeId, holder }: NodeRecord, after: NodeRecord): void {
    const left = after.lastAgent?.left ?? 'nothing';
    for (const other of this.#holders(nodeId)) {
      // Whoever was preempted lives until the next one attaches.
      if (this.#driverRevokes && (left === 'preempted' || other.at.taskId !== holder?.taskId)) continue;
      this.fail('release-on-proof', `node ${nodeId} is vacated (${left}) while ${nameOf(other)} lives`);
    }
    if (left !== 'released' && left !== 'lease-given-back') return;
    for (const volume of this.#world.volumes.ofNode(nodeId)) {
      for (const [machine, consumers] of volume.attachments) {
        if (!consumers.has(holder?.taskId ?? '')) continue;
        this.fail(
          'release-on-proof',
          `node ${nodeId} is vacated (${left}), but ${machine.name} has its ${volume.role} volume`,
        );
      }
    }
  }

  // Scheduler

  onWriteAttempt({ mustLoad, process }: Scheduler): void {
    if (mustLoad)
      this.fail('record-then-act', `${process.name} writes after a failure, without having read again`);
  }

  onAccept({ mustLoad, process }: Scheduler, { accept }: Extract<SchedulerCall, { type: 'ACCEPT' }>): void {
    const tasks = accept.operations?.flatMap(({ launch }) => launch?.taskInfos ?? []) ?? [];
    for (const { taskId } of tasks) {
      if (!this.#recordedTasks.has(taskId))
        this.fail('record-then-act', `${process.name} launches ${taskId}, which the ledger does not know`);
      if (mustLoad) this.fail('record-then-act', `${process.name} launches ${taskId} after the store failed`);
    }
  }

  /** Nobody orders a holder's end as long as its epoch stands. */
  onKill(taskId: string): void {
    for (const { record } of this.#world.ledger.nodes.values()) {
      if (record.holder?.taskId !== taskId) continue;
      if (this.#world.leases.find(record.nodeId, record.epoch)?.closed === true) continue;
      if (record.migration !== undefined) continue;
      if (this.#world.heldNodeIds().indexOf(record.nodeId) >= this.#world.wantedNodes()) continue;
      this.fail('stop-kills-nothing', `a KILL for ${taskId}, the holder of node ${record.nodeId}`);
    }
  }

  /** A plan without a step: whoever is not running has a reason by name. */
  onIdle({ model, process }: Scheduler, steps: readonly Step[]): void {
    for (const { record } of model.nodes.values()) {
      if (record.phase !== 'suspect') continue;
      const told = steps.some(
        (step) => step.kind === 'wait' && (step.nodeId ?? record.nodeId) === record.nodeId,
      );
      if (!told)
        this.fail('no-silent-wait', `${process.name} says nothing of node ${record.nodeId}, a suspect`);
    }
  }
}

function nameOf({ at, process }: Elasticsearch): string {
  return `${at.taskId} on ${at.machine.name}${process.isFrozen ? ' (frozen)' : ''}`;
}
