/** The hands of a task that migrates, beside those that every task has: the old volumes, the new ones, and the copier. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  COPY_MARKER_FILE,
  MARKER_FILE,
  VOLUME_ROLES,
  type LaunchSpec,
  type MarkerRecord,
  type MigrationReport,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import type { Attachment, Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import type { CopyWork } from '../core/effects.ts';
import type { MachineEvent } from '../core/events.ts';
import type { CopyTask } from '../core/migration-decision.ts';
import { newSlot, viewSlot, volumeAt, volumeText, type VolumeSlot, type ViewSlot } from '../core/slots.ts';
import {
  findClosedToNode,
  giveRootTo,
  inspectVolume,
  probeVolume,
  removeVolumeFile,
  VolumeFilesError,
  writeVolumeFile,
} from '../files/volume-files.ts';
import type { GuardDeadline } from '../guard/control-directory.ts';
import type { PlanVolume } from '../migration/copy-plan.ts';
import type { CopyTools } from '../migration/copy-tools.ts';
import type { Copier } from '../migration/start-copier.ts';
import { SetupError, type CommandRunner } from '../ports.ts';
import type { ExecutorPorts } from './ports.ts';
import { VolumeStepError } from './volume-steps.ts';

/** What these hands share with those of the task as a whole. */
interface Shared {
  readonly ports: ExecutorPorts;
  readonly spec: LaunchSpec;
  readonly emit: (event: MachineEvent) => void;
  readonly volumes: Volumes;
  readonly attachments: Readonly<Partial<Record<VolumeSlot, Attachment>>>;
  readonly deadline: () => GuardDeadline;
  readonly mustBeFresh: () => void;
}

const LOOK_AGAIN_MS = 1_000;

export class MigrationHands {
  readonly #shared: Shared;
  readonly #views = new Set<ViewSlot>();
  readonly #waiting = new AbortController();
  #tools: CopyTools | undefined;
  #copier: Copier | undefined;
  #ticker: NodeJS.Timeout | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  async ensureNew(): Promise<MachineEvent> {
    const { spec, volumes } = this.#shared;
    for (const role of VOLUME_ROLES) {
      const slot = newSlot(role);
      const outcome = await volumes.ensure(volumeAt(spec, slot));
      if (outcome.kind === 'done') continue;
      const message = outcome.error.message;
      return { kind: 'step-failed', step: 'ensure-new', role: slot, outcome: outcome.kind, message };
    }
    return { kind: 'ensured' };
  }

  /** @throws Error where the driver refuses a second volume of the same storage: then nothing can be proven */
  async ensureView(slot: ViewSlot): Promise<void> {
    const { spec, volumes } = this.#shared;
    const outcome = await volumes.ensure(volumeAt(spec, slot));
    if (outcome.kind !== 'done') throw outcome.error;
    this.#views.add(slot);
  }

  /** Its name, not what it shows. One that stays is no harm: it is found again by the next try. */
  async forgetView(slot: ViewSlot): Promise<void> {
    const { spec, volumes, ports } = this.#shared;
    if (!this.#views.delete(slot)) return;
    const outcome = await volumes.remove(volumeAt(spec, slot));
    if (outcome.kind === 'done') return;
    ports.log.warn({ why: outcome.error.message }, 'the view of a new volume is not removed');
  }

  async inspect(): Promise<MachineEvent> {
    const { ports } = this.#shared;
    const look = (slot: VolumeSlot) =>
      this.#about(slot, 'cannot be read', () => inspectVolume(this.#fresh(), this.#pathOf(slot)));
    const fileSystem = (role: VolumeRole) => this.#toolsFor().fileSystemAt(this.#pathOf(newSlot(role)));
    return {
      kind: 'migration-inspected',
      findings: {
        ...{ config: await look('config'), data: await look('data') },
        ...{ 'new-config': await look('new-config'), 'new-data': await look('new-data') },
      },
      fileSystems: { config: await fileSystem('config'), data: await fileSystem('data') },
      freshIdentities: { config: ports.randomUuid(), data: ports.randomUuid() },
    };
  }

  /** The new volumes are tried first: one that Elasticsearch could not write to costs nobody a copy. */
  async mark(task: CopyTask): Promise<MachineEvent> {
    for (const role of VOLUME_ROLES) await this.#tryNew(role);
    for (const role of VOLUME_ROLES) await this.#write(role, MARKER_FILE, task[role].source);
    for (const role of VOLUME_ROLES) {
      const slot = newSlot(role);
      await this.#write(slot, COPY_MARKER_FILE, task[role].copyMarker);
      // From now on nothing may run on it, so what it was before is over.
      await this.#remove(slot, MARKER_FILE);
      await this.#arrived(role, COPY_MARKER_FILE, lineOf(task[role].copyMarker));
    }
    return { kind: 'copy-marked' };
  }

  async start(work: CopyWork): Promise<MachineEvent> {
    const { spec, deadline, mustBeFresh, emit } = this.#shared;
    mustBeFresh();
    const plan = { work, volumes: VOLUME_ROLES.map((role) => this.#planOf(role)) };
    const copier = await this.#toolsFor().startCopier(spec, plan, deadline());
    this.#copier = copier;
    // Renewals that were answered meanwhile had no guard to tell.
    await copier.extend(deadline());
    this.#watch(copier);
    void copier.gone.then((end) => {
      clearInterval(this.#ticker);
      this.#copier = undefined;
      emit({ kind: 'process-gone', ...end });
    });
    return { kind: 'copy-started' };
  }

  async finish(task: CopyTask, volumes: MigrationReport['volumes']): Promise<MachineEvent> {
    for (const { role, notKept } of volumes) {
      if (notKept.some((what) => /^(ownership|modes)/.test(what))) await this.#mustBeOpen(newSlot(role));
    }
    for (const role of VOLUME_ROLES) {
      const slot = newSlot(role);
      // In this order, and each of them on the storage before the next: at no time has the volume neither.
      await this.#write(slot, MARKER_FILE, task[role].target);
      await this.#arrived(role, MARKER_FILE, lineOf(task[role].target));
      await this.#remove(slot, COPY_MARKER_FILE);
      await this.#arrived(role, COPY_MARKER_FILE, undefined);
    }
    // Whatever ledger somebody starts a scheduler with: nothing runs on the old volumes again by mistake.
    for (const role of VOLUME_ROLES)
      await this.#write(role, MARKER_FILE, this.#moved(role, task[role].source));
    return { kind: 'copy-finished' };
  }

  #moved(role: VolumeRole, source: MarkerRecord): MarkerRecord {
    const { migration } = this.#shared.spec;
    if (migration === undefined) return source;
    return { ...source, movedTo: { driver: migration.to[role].driver, migration: migration.id } };
  }

  async stillHolding(slot: VolumeSlot): Promise<readonly string[]> {
    const attachment = this.#shared.attachments[slot];
    if (this.#shared.spec.purpose !== 'migrate' || attachment?.kind !== 'host-path') return [];
    return this.#toolsFor().holdersOf(attachment.hostPath);
  }

  extend(deadline: GuardDeadline): Promise<void> | undefined {
    return this.#copier?.extend(deadline);
  }
  async kill(): Promise<void> {
    this.#waiting.abort();
    await this.#copier?.kill();
  }
  close(): void {
    clearInterval(this.#ticker);
  }

  async #tryNew(role: VolumeRole): Promise<void> {
    const { ports } = this.#shared;
    const { user } = this.#toolsFor();
    const slot = newSlot(role);
    const path = this.#pathOf(slot);
    if (user) {
      const refused = await giveRootTo(this.#fresh(), path, user);
      if (refused !== undefined) ports.log.warn({ says: refused }, 'the new volume keeps its owner');
    }
    const name = user ? `user ${String(user.uid)}:${String(user.gid)}` : "the executor's user";
    await this.#about(slot, `cannot be written by Elasticsearch's ${name}`, () =>
      probeVolume(this.#fresh(), path, ports.randomUuid()),
    );
  }

  async #mustBeOpen(slot: VolumeSlot): Promise<void> {
    const closed = await this.#about(slot, 'cannot be looked through', () =>
      findClosedToNode(this.#fresh(), this.#pathOf(slot)),
    );
    if (closed === undefined) return;
    throw new VolumeStepError(
      `${volumeText(this.#shared.spec, slot)} does not keep owners or modes, and Elasticsearch's user could not use ` +
        `${closed} on it: give the driver options by which that user owns everything`,
    );
  }

  #write(slot: VolumeSlot, name: string, content: object): Promise<void> {
    return this.#about(slot, 'cannot be marked', () =>
      writeVolumeFile(this.#fresh(), this.#pathOf(slot), name, lineOf(content)),
    );
  }
  #remove(slot: VolumeSlot, name: string): Promise<void> {
    return this.#about(slot, 'cannot be marked', () =>
      removeVolumeFile(this.#fresh(), this.#pathOf(slot), name),
    );
  }

  /** With a driver that writes back: waits until the storage has this text under the name, or nothing. */
  async #arrived(role: VolumeRole, name: string, text: string | undefined): Promise<void> {
    const slot = viewSlot(role);
    if (!this.#shared.attachments[slot]) return;
    const { clock, timings } = this.#shared.ports;
    const sinceMs = clock.nowMs();
    for (;;) {
      // A name that is just being replaced may be listed and not be there.
      const seen = await inspectVolume(this.#fresh(), this.#pathOf(slot)).catch((error: unknown) => {
        if (error instanceof VolumeFilesError) return error;
        throw error;
      });
      const isThere =
        !(seen instanceof Error) && (name === MARKER_FILE ? seen.marker : seen.copyMarker) === text;
      if (isThere) return;
      if (clock.nowMs() - sinceMs >= timings.arrivalLimitMs) {
        const where = volumeText(this.#shared.spec, newSlot(role));
        const why = seen instanceof Error ? `: ${seen.message}` : '';
        throw new VolumeStepError(
          `${name} of ${where} has not come to be as it should on the storage in time${why}`,
        );
      }
      await delay(LOOK_AGAIN_MS, undefined, { signal: this.#waiting.signal });
    }
  }

  #planOf(role: VolumeRole): PlanVolume {
    const { spec, attachments, ports } = this.#shared;
    const [target, view] = [this.#pathOf(newSlot(role)), viewSlot(role)];
    const writesBack = attachments[view] !== undefined;
    return {
      ...{ role, source: this.#pathOf(role), target, readBack: writesBack ? this.#pathOf(view) : target },
      ...{ sourceText: volumeText(spec, role), targetText: volumeText(spec, newSlot(role)) },
      arrivesWithinMs: writesBack ? ports.timings.arrivalLimitMs : 0,
    };
  }

  /** Says how far it is when that has changed. */
  #watch(copier: Copier): void {
    let told = '';
    const look = async () => {
      const volumes = await copier.progress();
      const text = JSON.stringify(volumes);
      if (volumes.length === 0 || text === told || copier !== this.#copier) return;
      told = text;
      this.#shared.emit({ kind: 'copy-progress', volumes });
    };
    this.#ticker = setInterval(() => void look(), this.#shared.ports.timings.progressEveryMs);
  }

  #toolsFor(): CopyTools {
    this.#tools ??= this.#shared.ports.copyToolsOf(this.#shared.spec);
    return this.#tools;
  }
  #pathOf(slot: VolumeSlot): string {
    const attachment = this.#shared.attachments[slot];
    if (attachment?.kind === 'host-path') return attachment.hostPath;
    throw new SetupError(
      `${volumeText(this.#shared.spec, slot)} has no path on this agent: a migration needs a volume path that gives ` +
        `one (plugin-socket or dvdcli)`,
    );
  }
  /** Each program is started only if the lease still stands, for a freeze may come between any two. */
  #fresh(): CommandRunner {
    const { mustBeFresh } = this.#shared;
    const { commands } = this.#toolsFor();
    return {
      run: async (argv, options) => {
        mustBeFresh();
        return commands.run(argv, options);
      },
    };
  }
  async #about<T>(slot: VolumeSlot, what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      const where = volumeText(this.#shared.spec, slot);
      throw new VolumeStepError(`${where} ${what}: ${(cause as Error).message}`, { cause });
    }
  }
}

function lineOf(content: object): string {
  return `${JSON.stringify(content)}\n`;
}
