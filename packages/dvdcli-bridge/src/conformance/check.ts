/** What a behavioural check of a way to reach volumes is: data, so that tests and plugin authors run the same ones. */
import { deepStrictEqual } from 'node:assert/strict';
import type { VolumeName, VolumeSpec } from '@mesos-elasticsearch/contract';
import type { Outcome } from '../outcome.ts';
import type { Attachment, ConsumerId, Volumes } from '../volumes.ts';

/** What the checks need of one way to reach volumes. */
export interface ContractSubject {
  readonly volumes: Volumes;
  readonly driver: string;
  optionsFor(name: VolumeName): Readonly<Record<string, string>>;
  /** The same driver through a bridge that remembers nothing, as after a restart of whoever attached. */
  restarted(): Volumes;
  /** Another machine's way to the same volumes, where the driver keeps machines apart. */
  readonly elsewhere?: Volumes;
  /** container-mount only: has a container use the volume until the returned function is called. */
  readonly use?: (attachment: Attachment) => Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A subject, and volumes on it that nobody else has. */
export interface Trial {
  readonly subject: ContractSubject;
  /** A name that was never used, and the subject's options for it; nothing is made. */
  readonly fresh: () => VolumeSpec;
  /** The same, and the driver has made it. */
  readonly made: () => Promise<VolumeSpec>;
}

export interface ConformanceCheck {
  /** Which promise of {@link Volumes} it looks at. */
  readonly capability: 'catalogue' | 'attachment' | 'removal' | 'host-path' | 'sharing' | 'container-mount';
  /** What holds when it passes, as the end of a sentence: "it …". */
  readonly name: string;
  /** Why it says nothing about this subject; absent or undefined: it applies. */
  readonly skip?: (subject: ContractSubject) => string | undefined;
  /** @throws AssertionError, or the driver's VolumeError, when it does not hold */
  readonly run: (trial: Trial) => Promise<void>;
}

export const alice = 'task-alice' as ConsumerId;
export const bob = 'task-bob' as ConsumerId;
/** Everybody who attaches anything in the checks. */
export const CONSUMERS: readonly ConsumerId[] = [alice, bob];

/** @param nextName a name that was never used, each time */
export function trialOn(subject: ContractSubject, nextName: () => VolumeName): Trial {
  const fresh = (): VolumeSpec => {
    const name = nextName();
    return { name, driver: subject.driver, options: { ...subject.optionsFor(name) } };
  };
  return {
    subject,
    fresh,
    async made() {
      const volume = fresh();
      value(await subject.volumes.ensure(volume));
      return volume;
    },
  };
}

export function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'done') throw outcome.error;
  return outcome.value;
}

/** `done`, or kind and code: `not-done in-use`. */
export function codeOf(outcome: Outcome<unknown>): string {
  return outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;
}

/** Compares {@link codeOf}; a failure shows the driver's words. */
export function expectCode(outcome: Outcome<unknown>, wanted: string, what: string): void {
  const words = outcome.kind === 'done' ? '' : ` (${outcome.error.message})`;
  deepStrictEqual(codeOf(outcome), wanted, `${what}: wanted ${wanted}, got ${codeOf(outcome)}${words}`);
}

export function pathOf(attachment: Attachment): string {
  if (attachment.kind !== 'host-path') throw new Error('not a host path');
  return attachment.hostPath;
}
