/** Runs the checks one by one against a driver that somebody cares about, and clears up after itself. */
import { volumeName, type VolumeName } from '@mesos-elasticsearch/contract';
import { CONSUMERS, trialOn, type ConformanceCheck, type ContractSubject } from './check.ts';

export type CheckResult =
  | { readonly kind: 'passed' }
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

export interface ConformanceRun {
  /** In the order of the checks. */
  run(check: ConformanceCheck): Promise<CheckResult>;
  /**
   * Detaches and removes what the checks made, and nothing else.
   * @returns the names of what would not go, with the driver's words
   */
  clearUp(): Promise<readonly string[]>;
}

/** @param runId random, part of every volume's name: 16 hexadecimal digits */
export function conformanceRun(subject: ContractSubject, runId: string): ConformanceRun {
  const names: VolumeName[] = [];
  const trial = trialOn(subject, () => {
    // Lower case, digits and "-" are what every driver takes.
    const name = volumeName(`vc-${runId}-${names.length + 1}`);
    names.push(name);
    return name;
  });
  return {
    async run(check) {
      const why = check.skip?.(subject);
      if (why !== undefined) return { kind: 'skipped', why };
      try {
        await check.run(trial);
        return { kind: 'passed' };
      } catch (error) {
        return { kind: 'failed', why: (error as Error).message };
      }
    },
    clearUp: () => clearUp(subject, names),
  };
}

async function clearUp(
  { volumes, elsewhere, driver }: ContractSubject,
  names: readonly VolumeName[],
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const name of names) {
    const volume = { name, driver };
    const found = await volumes.inspect(volume);
    if (found.kind === 'done' && found.value === undefined) continue;
    for (const consumer of CONSUMERS) {
      await elsewhere?.detach(volume, consumer);
      await volumes.detach(volume, consumer);
    }
    const removed = await volumes.remove(volume);
    if (removed.kind !== 'done') left.push(`${name}: ${removed.error.message}`);
  }
  return left;
}
