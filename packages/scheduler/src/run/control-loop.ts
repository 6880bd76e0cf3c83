/**
 * The loop: plan, carry out, reduce what came of it, plan again; sleep when there is nothing but waiting.
 * Events are reduced the moment they come, steps are carried out one after the other, so a crash between any
 * two of them leaves what the next start can read from the ledger, the leases and Mesos.
 */
import type { Logger } from 'pino';
import type { CoreEvent } from '../core/events.ts';
import type { DesiredCluster, Model, Now } from '../core/model.ts';
import { plan } from '../core/plan.ts';
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
  const { clock, desired, log } = options;
  const tickMs = Math.min(desired.timing.leasePollMs, desired.timing.retryMs, 1000);
  let model = options.model;
  let waits: readonly WaitStep[] = [];
  /** What is being waited for, and when it was last so. */
  const told = new Map<string, number>();
  /** Written by callers between any two awaits of the loop. */
  const flags = { stopping: false, pending: false };
  let wake: () => void = () => undefined;

  const now = (): Now => ({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });

  function apply(event: CoreEvent): void {
    const progress = progressOf(desired, model, event, now());
    model = reduce(desired, model, event, now());
    if (event.kind === 'step-failed') {
      log.warn({ step: event.step.kind, service: event.service, error: event.error }, 'a step failed');
    }
    if (progress !== undefined) tell(progress);
  }

  function tell(progress: ProgressEvent): void {
    const { kind, ...fields } = progress;
    log.info({ progress: kind, ...fields }, 'progress');
    options.onProgress(progress);
  }

  /** A wait that comes and goes with each retry is told once. */
  function noteWaits(steps: readonly Step[]): void {
    waits = steps.filter((step) => step.kind === 'wait');
    const atMs = clock.monotonicMs();
    for (const wait of waits) {
      const toldMs = told.get(keyOf(wait));
      told.set(keyOf(wait), atMs);
      if (toldMs !== undefined && atMs - toldMs < TELL_AGAIN_MS) continue;
      tell({
        kind: 'waiting',
        rule: wait.rule,
        nodeId: wait.nodeId,
        reason: wait.reason,
        atMs: clock.nowMs(),
      });
    }
    for (const [key, seenMs] of told) if (atMs - seenMs >= TELL_AGAIN_MS) told.delete(key);
  }

  /** @returns false when there was nothing to do */
  async function turn(): Promise<boolean> {
    const steps = plan({ desired, model, now: now(), uuid: options.random.uuid() });
    noteWaits(steps);
    const acts = steps.filter((step) => step.kind !== 'wait');
    for (const step of acts) {
      if (flags.stopping) return true;
      const event = await executeStep(step, options.world);
      if (event !== undefined) apply(event);
      // What follows in this plan may build on what has just failed.
      if (event?.kind === 'step-failed') break;
    }
    return acts.length > 0;
  }

  function sleep(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(tickMs, () => wake());
      wake = () => {
        cancel();
        wake = () => undefined;
        resolve();
      };
    });
  }

  const mayGoOn = () => !flags.stopping;
  const nothingCame = () => !flags.pending && !flags.stopping;

  async function run(): Promise<void> {
    while (mayGoOn()) {
      flags.pending = false;
      const acted = await turn();
      if (!acted && nothingCame()) await sleep();
    }
  }

  const running = run().catch((error: unknown) => {
    flags.stopping = true;
    options.onCrash(error);
  });

  return {
    model: () => model,
    waits: () => waits,
    dispatch(event) {
      if (flags.stopping) return;
      apply(event);
      flags.pending = true;
      wake();
    },
    async stop() {
      flags.stopping = true;
      wake();
      await running;
    },
  };
}

function keyOf(wait: WaitStep): string {
  return `${wait.rule} ${wait.nodeId ?? ''} ${wait.reason}`;
}
