/** In place of `run/task-hands.ts`: the same order of checks and acts, on simulated volumes and processes. */
import {
  isOrphanMark,
  type LaunchSpec,
  type LeaseRecord,
  type MigrationReport,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import type { Effect, MachineEvent, VolumeFinding } from '@mesos-elasticsearch/executor/core';
import { copyPlanOf, copyReportOf, ownRole } from './copy.ts';
import { Guard } from './guard.ts';
import type { Executor } from './executor.ts';
import { askLeases, type LeaseAsker } from './lease-asker.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { oneByOne, type DriverAnswer, type Volume } from './volumes.ts';
import type { World } from './world.ts';

const TAKE_TRIES = 3;
const TAKE_RETRY_MS = 1_000;
const ORPHANS_LIMIT_MS = 10_000;
/** How long the guard gets to obey before it is killed itself. */
const ORDER_LIMIT_MS = 2_000;

type TaskEffect = Exclude<Effect, { kind: 'send-status' | 'start-timer' | 'log' | 'finish' }>;
type Step = Extract<MachineEvent, { kind: 'step-failed' }>['step'];

export class Hands {
  readonly #world: World;
  readonly #executor: Executor;
  readonly #spec: LaunchSpec;
  readonly #asker: LeaseAsker;
  #keeper: LeaseKeeper | undefined;
  #guard: Guard | undefined;

  constructor(executor: Executor, spec: LaunchSpec) {
    this.#executor = executor;
    this.#world = executor.world;
    this.#spec = spec;
    this.#asker = { world: executor.world, process: executor.process, lane: { lastAtMs: 0 } };
  }

  /** An ambush meets it before it acts, or between a check and what follows from that. */
  act(effect: TaskEffect): void {
    const { process } = this.#executor;
    const before = this.#world.onHands(process, effect.kind);
    if (before === 'before') process.deliver(() => this.#act(effect));
    else if (process.alive) this.#act(effect);
  }

  #act(effect: TaskEffect): void {
    switch (effect.kind) {
      case 'prepare': {
        this.#after(50, 2_500, () => this.#prepare());
        return;
      }
      case 'take-lease': {
        this.#takeLease();
        return;
      }
      case 'detach-former': {
        this.#detachFormer();
        return;
      }
      case 'ensure': {
        this.#after(5, 200, () => this.#answer({ kind: 'ensured' }));
        return;
      }
      case 'attach': {
        this.#attach(ownRole(effect.role));
        return;
      }
      case 'start-process': {
        this.#after(20, 800, () => this.#startProcess());
        return;
      }
      case 'inspect': {
        this.#after(5, 300, () => this.#inspect());
        return;
      }
      case 'claim': {
        this.#claim(effect.markers);
        return;
      }
      case 'configure': {
        this.#configure();
        return;
      }
      case 'go': {
        this.#go();
        return;
      }
      case 'stop-process':
        if (this.#guard) this.#guard.control.stop = true;
        return;
      case 'kill-process': {
        this.#kill();
        return;
      }
      case 'detach': {
        this.#detach(ownRole(effect.role));
        return;
      }
      case 'give-back':
        if (!this.#keeper) {
          this.#answer({ kind: 'lease-given-back' });
          return;
        }
        this.#keeper.giveBack(() => this.#answer({ kind: 'lease-given-back' }));
        return;
      case 'write-seed-hosts':
        return;
      default:
        throw new TypeError(`${effect.kind}: no node migrates here`);
    }
  }

  close(): void {
    this.#keeper?.stop();
  }

  #after(fromMs: number, toMs: number, work: () => void): void {
    this.#executor.process.after(this.#world.random.between(fromMs, toMs), work);
  }

  #answer(event: MachineEvent): void {
    this.#executor.process.deliver(() => this.#executor.receive(event));
  }

  #failed(step: Step, message: string, role?: VolumeRole): void {
    const failed = { kind: 'step-failed', step, outcome: 'not-done', message } as const;
    this.#answer(role === undefined ? failed : { ...failed, role });
  }

  /** Whatever an earlier epoch of this node left on the machine is ended, and seen to be gone. */
  #prepare(waitedMs = 0): void {
    const { nodeId, epoch } = this.#spec;
    const executors = this.#executor.agent.executors().filter(({ mark }) => isOrphanMark(mark, this.#spec));
    const guards = [...this.#world.guards].filter(
      ({ at }) => at.machine === this.#machine && at.nodeId === nodeId && at.epoch < epoch,
    );
    const orphans = [...executors.map(({ process }) => process), ...guards.map(({ process }) => process)];
    if (orphans.length === 0 || this.#world.mutations.has('orphans-not-ended')) {
      this.#answer({ kind: 'prepared' });
      return;
    }
    if (waitedMs >= ORPHANS_LIMIT_MS) {
      this.#failed('prepare', 'processes of an earlier epoch do not end');
      return;
    }
    for (const orphan of orphans) orphan.die();
    this.#executor.process.after(100, () => this.#prepare(waitedMs + 100));
  }

  #takeLease(): void {
    const { nodeId, epoch, taskId, lease: terms } = this.#spec;
    const { machine } = this.#executor.process;
    const lease: LeaseRecord = {
      ...{ nodeId, epoch, taskId, holder: this.#world.random.uuid(), host: machine.name },
      ...{ durationMs: terms.durationMs, selfFencing: terms.policy === 'fence', guarded: true, counter: 0 },
    };
    const sentMs = machine.uptimeMs();
    const attempt = (number: number): void => {
      askLeases(
        this.#asker,
        8_000,
        (leases) => leases.take(lease),
        ({ value, error }) => {
          if (value === 'taken') {
            this.#taken(lease, sentMs);
            return;
          }
          if (value === 'refused') {
            this.#answer({ kind: 'lease-refused', why: 'closed, or taken' });
            return;
          }
          if (number >= TAKE_TRIES) {
            this.#failed('take-lease', error ?? 'no answer');
            return;
          }
          this.#executor.process.after(TAKE_RETRY_MS, () => attempt(number + 1));
        },
      );
    };
    attempt(1);
  }

  #taken(lease: LeaseRecord, sentMs: number): void {
    const executor = this.#executor;
    this.#keeper = new LeaseKeeper(
      this.#world,
      this.#asker,
      { lease, sentMs },
      {
        onExtended: () => this.#extendGuard(),
        onClosed: () => executor.emit({ kind: 'lease-closed' }),
        onExpired: (message) => executor.emit({ kind: 'lease-expired', message }),
      },
    );
    this.#answer({ kind: 'lease-taken' });
  }

  /** Every volume of every former holder on this agent, one after the other. */
  #detachFormer(): void {
    const all = this.#spec.formerConsumers.flatMap((former) =>
      (['data', 'config'] as const).flatMap((role) =>
        this.#attachable(role).map((volume) => ({ former, role, volume })),
      ),
    );
    const next = (index: number): void => {
      const each = all[index];
      if (each === undefined) {
        this.#answer({ kind: 'former-detached' });
        return;
      }
      this.#world.volumes.detach(this.#machine, each.volume, each.former, (answer) => {
        if (answer.kind === 'done') next(index + 1);
        else this.#driverFailed('detach-former', each.role, answer);
      });
    };
    next(0);
  }

  #attach(role: VolumeRole): void {
    if (!this.#isFresh()) {
      this.#failed('attach', 'the lease was not renewed in time', role);
      return;
    }
    this.#eachVolume('attach', role);
  }

  #eachVolume(verb: 'attach' | 'detach', role: VolumeRole): void {
    const { taskId } = this.#spec;
    oneByOne(
      this.#attachable(role),
      (volume, done) => this.#world.volumes[verb](this.#machine, volume, taskId, done),
      (answer) => {
        if (answer.kind !== 'done') this.#driverFailed(verb, role, answer);
        else this.#answer({ kind: verb === 'attach' ? 'attached' : 'detached', role });
      },
    );
  }

  /** The old one, and the new one beside it where that is copied to. */
  #attachable(role: VolumeRole): Volume[] {
    const { nodeId, migration } = this.#spec;
    const to = migration?.to[role].driver;
    return [this.#volume(role), ...(to === undefined ? [] : [this.#world.volumes.of(nodeId, to)[role]])];
  }

  #driverFailed(step: Step, role: VolumeRole, answer: Exclude<DriverAnswer, { kind: 'done' }>): void {
    this.#answer({ kind: 'step-failed', step, role, outcome: answer.kind, message: answer.message });
  }

  #startProcess(): void {
    const { nodeId, epoch, taskId, runtime } = this.#spec;
    const tied = runtime.kind === 'jar' || this.#world.settings.tied;
    const { driver } = this.#spec.volumes.data;
    const at = { machine: this.#machine, nodeId, epoch, taskId, driver, copy: copyPlanOf(this.#spec) };
    const guard = new Guard(this.#world, at, tied);
    this.#guard = guard;
    this.#extendGuard();
    guard.onGone = (how) => this.#after(10, 60, () => this.#answer({ kind: 'process-gone', how }));
    guard.onJoined = () => this.#after(1, 500, () => this.#answer({ kind: 'node-joined' }));
    this.#answer({ kind: 'process-started', tied, mountpoints: { config: '/config', data: '/data' } });
  }

  #inspect(): void {
    const { random } = this.#world;
    if (!this.#canTouch('config') || !this.#canTouch('data')) {
      this.#failed('inspect', 'it cannot be read');
      return;
    }
    this.#answer({
      kind: 'volumes-inspected',
      findings: { config: this.#finding('config'), data: this.#finding('data') },
      freshIdentities: { config: random.uuid(), data: random.uuid() },
    });
  }

  #finding(role: VolumeRole): VolumeFinding {
    const { marker, used } = this.#volume(role).content;
    return { marker, entries: used ? [role === 'data' ? 'nodes' : 'elasticsearch.yml'] : [] };
  }

  /** One file after the other, each by a program of its own: the executor may be frozen between any two. */
  #claim(markers: Extract<Effect, { kind: 'claim' }>['markers']): void {
    const write = (role: VolumeRole, then: () => void): void => {
      this.#after(5, 150, () => {
        if (!this.#isFresh() || !this.#canTouch(role)) {
          this.#failed('claim', 'the volume cannot be marked');
          return;
        }
        this.#volume(role).content.marker = `${JSON.stringify(markers[role].marker)}\n`;
        this.#world.judge.onWritten(this.#volume(role), this.#spec, this.#machine);
        then();
      });
    };
    if (!this.#isFresh()) {
      this.#failed('claim', 'the lease was not renewed in time');
      return;
    }
    write('config', () => write('data', () => this.#wipe()));
  }

  #wipe(): void {
    if (this.#spec.wipeVolumes) {
      if (!this.#isFresh()) {
        this.#failed('claim', 'the lease was not renewed in time');
        return;
      }
      for (const role of ['config', 'data'] as const) {
        if (!this.#canTouch(role)) {
          this.#failed('claim', 'the volume cannot be emptied');
          return;
        }
        this.#world.judge.onWiped(this.#volume(role), this.#spec);
        this.#volume(role).content.used = false;
        this.#volume(role).content.synced.clear();
      }
    }
    this.#answer({ kind: 'claimed' });
  }

  #configure(): void {
    if (!this.#isFresh()) {
      this.#failed('configure', 'the lease was not renewed in time');
      return;
    }
    this.#after(5, 300, () => {
      if (copyPlanOf(this.#spec) !== undefined) {
        this.#answer({ kind: 'configured', elasticsearchVersion: '8.0.0' });
        return;
      }
      if (!this.#isFresh() || !this.#canTouch('config')) {
        this.#failed('configure', 'the volume cannot be written');
        return;
      }
      this.#volume('config').content.used = true;
      this.#world.judge.onWritten(this.#volume('config'), this.#spec, this.#machine);
      this.#answer({ kind: 'configured', elasticsearchVersion: '8.0.0' });
    });
  }

  #go(): void {
    if (!this.#isFresh()) {
      this.#failed('go', 'the lease was not renewed in time');
      return;
    }
    if (this.#guard) this.#guard.control.go = true;
    this.#after(1, 10, () => this.#answer({ kind: 'gone-ahead' }));
  }

  #kill(): void {
    const guard = this.#guard;
    if (!guard) return;
    guard.control.kill = true;
    this.#executor.process.after(ORDER_LIMIT_MS, () => guard.kill());
  }

  #detach(role: VolumeRole): void {
    const checked = this.#spec.runtime.kind === 'jar' && !this.#world.mutations.has('detached-before-gone');
    if (
      checked &&
      this.#attachable(role).some((volume) => this.#world.judge.isInUse(volume, this.#machine))
    ) {
      this.#failed('detach', 'the volume is still held open', role);
      return;
    }
    this.#eachVolume('detach', role);
  }

  /** Of a task that copies: what it says in place of a node. */
  get copyReport(): MigrationReport | undefined {
    return copyReportOf(this.#spec, this.#guard?.elasticsearch);
  }

  get #machine() {
    return this.#executor.process.machine;
  }

  #volume(role: VolumeRole): Volume {
    return this.#world.volumes.of(this.#spec.nodeId, this.#spec.volumes[role].driver)[role];
  }

  /** In docker the programs run in the guard's container, and end with it. */
  #canTouch(role: VolumeRole): boolean {
    if (!this.#volume(role).attachments.has(this.#machine)) return false;
    return this.#spec.runtime.kind === 'jar' || this.#guard?.process.alive === true;
  }

  #extendGuard(): void {
    if (!this.#guard) return;
    const fences = this.#spec.lease.policy === 'fence';
    this.#guard.control.deadline = fences ? String(this.#keeper?.deadlineSeconds ?? 0) : 'never';
  }

  #isFresh(): boolean {
    return this.#keeper?.isFresh() === true || this.#world.mutations.has('freshness-unchecked');
  }
}
