/**
 * The loop: plan, carry out the first step, reduce what came of it, plan again; sleep when there is nothing but
 * waiting. Events are reduced the moment they come, so no step is ever carried out that was planned before the last
 * one had its effect; and a crash between any two leaves what the next start reads from ledger, leases and Mesos.
 */
import type { Logger } from 'pino';
import type { CoreEvent } from '../core/events.ts';
import type { DesiredCluster, Model, Now } from '../core/model.ts';
import { nextStep, plan } from '../core/plan.ts';
import { progressOf } from '../core/progress-of.ts';
import { reduce } from '../core/reduce.ts';
import type { Step, WaitStep } from '../core/steps.ts';
import type { Clock, Random } from '../ports.ts';
import type { ProgressEvent } from '../progress.ts';
import { executeStep, type StepWorld } from './execute-step.ts';

export interface ControlLoopOptions {
  readonly desired: DesiredCluster;
  readonly model: Model;
  readonly world: StepWorld;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onProgress: (event: ProgressEvent) => void;
  /** A fault in our own code: the loop has ended. */
  readonly onCrash: (error: unknown) => void;
}

export interface ControlLoop {
  model(): Model;
  /** What the last plan was waiting for. */
  waits(): readonly WaitStep[];
  dispatch(event: CoreEvent): void;
  /** Ends after the step that is being carried out. */
  stop(): Promise<void>;
}

/** A wait that was over for this long is news again. */
const TELL_AGAIN_MS = 60_000;

export function startControlLoop(options: ControlLoopOptions): ControlLoop {
  return new Loop(options);
}

class Loop implements ControlLoop {
  readonly #options: ControlLoopOptions;
  readonly #tickMs: number;
  readonly #running: Promise<void>;
  #model: Model;
  #waits: readonly WaitStep[] = [];
  /** What is being waited for, and when it was last so. */
  readonly #told = new Map<string, number>();
  #stopping = false;
  /** An event came since the last plan was begun. */
  #pending = false;
  #wake: () => void = () => undefined;

  constructor(options: ControlLoopOptions) {
    const { timing } = options.desired;
    this.#options = options;
    this.#model = options.model;
    this.#tickMs = Math.min(timing.leasePollMs, timing.retryMs, 1000);
    this.#running = this.#run().catch((error: unknown) => {
      this.#stopping = true;
      options.onCrash(error);
    });
  }

  model(): Model {
    return this.#model;
  }

  waits(): readonly WaitStep[] {
    return this.#waits;
  }

  dispatch(event: CoreEvent): void {
    if (this.#stopping) return;
    this.#apply(event);
    this.#pending = true;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#pending = false;
      const acted = await this.#turn();
      if (!acted && !this.#hasNews()) await this.#sleep();
    }
  }

  #hasNews(): boolean {
    return this.#pending || this.#stopping;
  }

  /** @returns false when there was nothing to do */
  async #turn(): Promise<boolean> {
    const { desired, random, world } = this.#options;
    const steps = plan({ desired, model: this.#model, now: this.#now(), uuid: random.uuid() });
    this.#noteWaits(steps);
    const step = nextStep(steps);
    if (step === undefined) return false;
    const event = await executeStep(step, world);
    if (event !== undefined) this.#apply(event);
    return true;
  }

  #apply(event: CoreEvent): void {
    const { desired, log } = this.#options;
    const progress = progressOf(desired, this.#model, event, this.#now());
    this.#model = reduce(desired, this.#model, event, this.#now());
    if (event.kind === 'step-failed') {
      log.warn({ step: event.step.kind, service: event.service, error: event.error }, 'a step failed');
    }
    if (progress !== undefined) this.#tell(progress);
  }

  #tell(progress: ProgressEvent): void {
    const { kind, ...fields } = progress;
    this.#options.log.info({ progress: kind, ...fields }, 'progress');
    this.#options.onProgress(progress);
  }

  /** A wait that comes and goes with each retry is told once. */
  #noteWaits(steps: readonly Step[]): void {
    this.#waits = steps.filter((step) => step.kind === 'wait');
    const { wallMs, monotonicMs } = this.#now();
    for (const wait of this.#waits) {
      const toldMs = this.#told.get(keyOf(wait));
      this.#told.set(keyOf(wait), monotonicMs);
      if (toldMs !== undefined && monotonicMs - toldMs < TELL_AGAIN_MS) continue;
      this.#tell({
        kind: 'waiting',
        rule: wait.rule,
        nodeId: wait.nodeId,
        reason: wait.reason,
        atMs: wallMs,
      });
    }
    for (const [key, seenMs] of this.#told) {
      if (monotonicMs - seenMs >= TELL_AGAIN_MS) this.#told.delete(key);
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(this.#tickMs, () => this.#wake());
      this.#wake = () => {
        cancel();
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  #now(): Now {
    const { clock } = this.#options;
    return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  }
}

function keyOf(wait: WaitStep): string {
  return `${wait.rule} ${wait.nodeId ?? ''} ${wait.reason}`;
}
