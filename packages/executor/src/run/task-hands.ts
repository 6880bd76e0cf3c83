/** The hands of one task: holds what was opened for it, and does the machine's effects with it. */
import type { LaunchSpec, LeaseRecord, VolumeRole } from '@mesos-elasticsearch/contract';
import { VOLUME_ROLES } from '@mesos-elasticsearch/contract';
import type { Attachment, ConsumerId, Outcome, Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import type { MarkerToWrite } from '../core/effects.ts';
import type { MachineEvent } from '../core/events.ts';
import { isRole, isViewSlot, slotsOf, volumeAt, type VolumeSlot } from '../core/slots.ts';
import { configure, writeSeedHosts } from '../elasticsearch/configure.ts';
import type { GuardDeadline } from '../guard/control-directory.ts';
import type { CommandRunner, NodeProcess, NodeRuntime } from '../ports.ts';
import { detachIsolated } from '../isolators/former-mounts.ts';
import type { IsolatedVolumes } from '../isolators/isolated-volumes.ts';
import { keepLease, type LeaseKeeper } from './lease-keeper.ts';
import { watchNode } from './node-watch.ts';
import { MigrationHands } from './migration-hands.ts';
import type { ExecutorPorts } from './ports.ts';
import { claimVolumes, inspectVolumes } from './volume-steps.ts';

const TAKE_TRIES = 3;

export class TaskHands {
  readonly #ports: ExecutorPorts;
  readonly #emit: (event: MachineEvent) => void;
  readonly #spec: LaunchSpec;
  readonly #runtime: NodeRuntime;
  readonly #volumes: Volumes;
  /** The same as `#volumes`, where an isolator has mounted them. */
  readonly #isolated: IsolatedVolumes | undefined;
  readonly #attachments: Partial<Record<VolumeSlot, Attachment>> = {};
  /** What only a task that migrates does. */
  readonly migration: MigrationHands;
  #keeper: LeaseKeeper | undefined;
  #node: NodeProcess | undefined;
  #endWatch: () => void = () => undefined;

  /** @throws SetupError where the spec wants what this executor cannot do */
  constructor(ports: ExecutorPorts, spec: LaunchSpec, emit: (event: MachineEvent) => void) {
    this.#ports = ports;
    this.#spec = spec;
    this.#emit = emit;
    this.#runtime = ports.runtimeOf(spec);
    this.#isolated = ports.isolatedOf?.(spec);
    this.#volumes = this.#isolated ?? ports.volumesOf(spec);
    this.migration = new MigrationHands({
      ...{ ports, spec, emit, volumes: this.#volumes, attachments: this.#attachments },
      deadline: () => this.#deadline(),
      mustBeFresh: () => this.#mustBeFresh(),
    });
  }

  async prepare(): Promise<MachineEvent> {
    await this.#runtime.endOrphans(this.#spec);
    if (this.#spec.purpose === 'run') await this.#runtime.prepare(this.#spec);
    return { kind: 'prepared' };
  }

  /** Counted from the first try: an unanswered one may have been seen by observers already. */
  async takeLease(): Promise<MachineEvent> {
    const { clock, host, randomUuid, leasesOf, log, timings } = this.#ports;
    const { nodeId, epoch, taskId, lease: terms } = this.#spec;
    const leases = leasesOf(this.#spec);
    const selfFencing = terms.policy === 'fence';
    const { durationMs } = terms;
    const lease: LeaseRecord = {
      ...{ nodeId, epoch, taskId, holder: randomUuid(), host: host(), durationMs },
      ...{ selfFencing, guarded: true, counter: 0 },
    };
    const takenSentMs = clock.nowMs();
    for (let attempt = 1; ; attempt += 1) {
      try {
        if ((await leases.take(lease)) === 'refused') {
          return { kind: 'lease-refused', why: 'the epoch is closed, or somebody else has it' };
        }
        break;
      } catch (error) {
        if (attempt >= TAKE_TRIES) throw error;
        log.warn({ attempt, err: error }, 'lease service does not answer, trying again');
        await new Promise((resolve) => setTimeout(resolve, timings.leaseRetryMs));
      }
    }
    this.#keeper = keepLease({
      ...{ leases, lease, takenSentMs, clock },
      onExtended: () => this.#extendGuard(),
      onClosed: () => this.#emit({ kind: 'lease-closed' }),
      onExpired: (message) => this.#emit({ kind: 'lease-expired', message }),
    });
    log.info({ nodeId, epoch, selfFencing }, 'lease taken');
    return { kind: 'lease-taken' };
  }

  /**
   * Their processes have been ended by `prepare`; a detach is repeated until the driver says that it is done. First whom
   * the scheduler names, on record or not; then who is on record, named or not.
   */
  async detachFormer(): Promise<MachineEvent> {
    // By now an isolator has mounted them again, and a driver that does not count would take them from it. What is on
    // record is undone below, where it is looked first who uses it.
    const formers = this.#isolated === undefined ? this.#spec.formerConsumers : [];
    for (const former of formers) {
      for (const slot of slotsOf(this.#spec).reverse()) {
        const outcome = await this.#volumes.detach(volumeAt(this.#spec, slot), former as ConsumerId);
        if (outcome.kind !== 'done') return failedVolumeStep('detach-former', slot, outcome);
      }
      this.#ports.log.info({ former }, 'what an earlier holder left attached is detached');
    }
    const { letGo, left, others } = await this.#ports.recoverMounts(this.#spec);
    if (letGo.length > 0)
      this.#ports.log.info({ letGo }, 'what the mount ledger had of earlier holders is detached');
    if (others.length > 0)
      this.#ports.log.warn({ others }, 'other nodes have left volumes mounted on this host');
    if (left.length > 0) {
      const message = `by the mount ledger still mounted for an earlier holder: ${left.join('; ')}`;
      return { kind: 'step-failed', step: 'detach-former', outcome: 'unknown', message };
    }
    const dvdcli = this.#ports.formerIsolatedOf?.(this.#spec);
    if (dvdcli === undefined) return { kind: 'former-detached' };
    for (const slot of slotsOf(this.#spec).reverse()) {
      if (isViewSlot(slot)) continue;
      const outcome = await detachIsolated(dvdcli, volumeAt(this.#spec, slot), this.#consumer());
      if (outcome.kind !== 'done') return failedVolumeStep('detach-former', slot, outcome);
    }
    return { kind: 'former-detached' };
  }

  async ensure(): Promise<MachineEvent> {
    for (const role of VOLUME_ROLES) {
      const outcome = await this.#volumes.ensure(this.#spec.volumes[role]);
      if (outcome.kind !== 'done') {
        return {
          kind: 'step-failed',
          step: 'ensure',
          role,
          outcome: outcome.kind,
          message: outcome.error.message,
        };
      }
    }
    return { kind: 'ensured' };
  }

  async attach(role: VolumeSlot): Promise<MachineEvent> {
    this.#mustBeFresh();
    if (isViewSlot(role)) await this.migration.ensureView(role);
    const outcome = await this.#volumes.attach(volumeAt(this.#spec, role), this.#consumer());
    if (outcome.kind === 'done') {
      this.#attachments[role] = outcome.value;
      return { kind: 'attached', role };
    }
    return failedVolumeStep('attach', role, outcome);
  }

  async startProcess(): Promise<MachineEvent> {
    const { config, data } = this.#attachments;
    if (!config || !data) throw new TypeError('start-process before both volumes are attached');
    const node = await this.#runtime.start(this.#spec, { config, data }, this.#deadline());
    this.#node = node;
    // Renewals that were answered meanwhile had no guard to tell.
    this.#extendGuard();
    void node.gone.then((how) => {
      this.#endWatch();
      this.#emit({ kind: 'process-gone', how });
    });
    return { kind: 'process-started', tied: node.tied, mountpoints: node.mountpoints };
  }

  async inspect(): Promise<MachineEvent> {
    const findings = await inspectVolumes(this.#started(), this.#spec);
    const freshIdentities = { config: this.#ports.randomUuid(), data: this.#ports.randomUuid() };
    return { kind: 'volumes-inspected', findings, freshIdentities };
  }

  async claim(markers: Readonly<Record<VolumeRole, MarkerToWrite>>): Promise<MachineEvent> {
    this.#mustBeFresh();
    const changed = this.#isolated?.changed();
    if (changed !== undefined) throw new Error(changed);
    const { log, randomUuid } = this.#ports;
    await claimVolumes(this.#fresh(), this.#spec, markers, {
      log,
      probeContent: randomUuid(),
      secondsLeft: () => this.#secondsLeft(),
    });
    return { kind: 'claimed' };
  }

  async configure(): Promise<MachineEvent> {
    this.#mustBeFresh();
    const { log } = this.#ports;
    const { version, overridden, proven } = await configure(this.#fresh(), this.#spec);
    if (overridden.length > 0)
      log.warn({ keys: overridden }, "the framework's own settings replace the user's");
    if (!proven) log.warn({ version }, 'this version was never seen running under this framework');
    return { kind: 'configured', elasticsearchVersion: version };
  }

  async go(): Promise<MachineEvent> {
    this.#mustBeFresh();
    const { clock, askNode, timings } = this.#ports;
    await this.#started().go();
    const endNodeWatch = watchNode({
      ask: () => askNode(this.#spec),
      emit: this.#emit,
      everyMs: timings.askEveryMs,
      silenceLimitMs: timings.silenceLimitMs,
      nowMs: () => clock.nowMs(),
    });
    const endMountWatch = this.#isolated === undefined ? () => undefined : this.#watchMounts(this.#isolated);
    this.#endWatch = () => {
      endNodeWatch();
      endMountWatch();
    };
    return { kind: 'gone-ahead' };
  }

  async stopProcess(): Promise<void> {
    await this.#node?.stop();
  }
  async killProcess(): Promise<void> {
    await this.#killNode();
    await this.migration.kill();
  }

  /** What hangs in the kernel outlives SIGKILL. It is not gone then, its lease stays with it, and that is said. */
  async #killNode(): Promise<void> {
    const node = this.#node;
    if (!node) return;
    const { log, timings } = this.#ports;
    const says = 'killed but not gone: it hangs in the kernel, as at a volume that does not answer';
    const timer = setInterval(() => {
      log.error({ waitsFor: 'the volume to answer, or to be torn down' }, says);
    }, timings.notGoneMs);
    void node.gone.then(() => clearInterval(timer));
    await node.kill();
  }

  async detach(role: VolumeSlot): Promise<MachineEvent> {
    // Not ours to unmount; and that path may be held by another node, in a mount namespace of its own.
    if (this.#isolated !== undefined) return { kind: 'detached', role };
    const node = isRole(role) ? this.#node : undefined;
    const holders =
      node && isRole(role) ? await node.stillHolding(role) : await this.migration.stillHolding(role);
    const { name, driver } = volumeAt(this.#spec, role);
    if (holders.length > 0) {
      const message = `volume ${name} of driver ${driver} is still held open by ${holders.join(', ')}`;
      return { kind: 'step-failed', step: 'detach', role, outcome: 'not-done', message };
    }
    const outcome = await this.#volumes.detach({ name, driver }, this.#consumer());
    if (outcome.kind !== 'done') return failedVolumeStep('detach', role, outcome);
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- one of six names
    delete this.#attachments[role];
    if (isViewSlot(role)) await this.migration.forgetView(role);
    return { kind: 'detached', role };
  }

  /** The volumes are free by now; a lease service that does not answer only makes the next holder wait. */
  async giveBack(): Promise<MachineEvent> {
    const { log, timings } = this.#ports;
    const limit = AbortSignal.timeout(timings.giveBackLimitMs);
    const over = new Promise<'no answer'>((resolve) => {
      limit.addEventListener('abort', () => resolve('no answer'), { once: true });
    });
    const answer = this.#keeper?.giveBack().catch((error: unknown) => (error as Error).message);
    log.info({ answer: await Promise.race([answer, over]) }, 'lease given back');
    return { kind: 'lease-given-back' };
  }

  async writeSeedHosts(hosts: readonly string[]): Promise<void> {
    // What runs goes on where nobody fences: an outage of the lease service must not cut it off from the others.
    const node = this.#spec.lease.policy === 'fence' ? this.#fresh() : this.#started();
    await writeSeedHosts(node, hosts);
  }

  /** Nothing more will be asked. */
  close(): void {
    this.#keeper?.stop();
    this.#endWatch();
    this.migration.close();
  }

  #watchMounts(isolated: IsolatedVolumes): () => void {
    const timer = setInterval(() => {
      const message = isolated.changed();
      if (message !== undefined) this.#emit({ kind: 'mount-changed', message });
    }, this.#ports.timings.mountWatchMs);
    return () => clearInterval(timer);
  }
  #consumer(): ConsumerId {
    return this.#spec.taskId as ConsumerId;
  }
  #started(): NodeProcess {
    if (!this.#node) throw new TypeError('the guard is not started');
    return this.#node;
  }
  /** For writing: each program is started only if the lease still stands, for a freeze may come between any two. */
  #fresh(): NodeProcess {
    const node = this.#started();
    const run: CommandRunner['run'] = async (argv, options) => {
      this.#mustBeFresh();
      return node.commands.run(argv, options);
    };
    return { ...node, commands: { run } };
  }
  #deadline(): GuardDeadline {
    if (this.#spec.lease.policy !== 'fence') return 'never';
    return this.#keeper?.deadlineSeconds ?? 0;
  }
  /** Until everything of ours must have ended. */
  #secondsLeft(): number {
    const deadline = this.#deadline();
    const nowMs = this.#ports.clock.nowMs();
    return deadline === 'never' ? Number.POSITIVE_INFINITY : deadline - nowMs / 1000;
  }
  #extendGuard(): void {
    const deadline = this.#deadline();
    for (const extended of [this.#node?.extend(deadline), this.migration.extend(deadline)]) {
      extended?.catch((error: unknown) => {
        this.#ports.log.error({ err: error }, "the guard's deadline cannot be extended");
      });
    }
  }
  /** An executor that was frozen for long must not write where somebody else may be by now. */
  #mustBeFresh(): void {
    if (this.#keeper?.isFresh() === true) return;
    throw new Error('the lease was not renewed in time');
  }
}

export function failedVolumeStep(
  step: 'attach' | 'detach' | 'detach-former' | 'ensure-new',
  role: VolumeSlot,
  outcome: Exclude<Outcome<unknown>, { kind: 'done' }>,
): MachineEvent {
  return { kind: 'step-failed', step, role, outcome: outcome.kind, message: outcome.error.message };
}
