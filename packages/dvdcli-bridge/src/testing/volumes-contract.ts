import { afterAll, beforeAll, describe, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import { trialOn, type ContractSubject, type Trial } from '../conformance/check.ts';
import { CONFORMANCE_CHECKS } from '../conformance/checks.ts';

export type { ContractSubject } from '../conformance/check.ts';

let volumesMade = 0;

/**
 * The behavioural suite of Volumes (conformance/checks.ts) as tests.
 * @param unavailable why this machine cannot run it; the rows are then skipped under their names
 */
export function volumesContract(
  name: string,
  make: () => Promise<ContractSubject>,
  unavailable?: string,
): void {
  const title = unavailable === undefined ? name : `${name} (skipped: ${unavailable})`;
  describe.skipIf(unavailable !== undefined)(title, () => {
    const setting: { trial?: Trial } = {};
    beforeAll(async () => {
      setting.trial = trialOn(await make(), () => {
        volumesMade += 1;
        return volumeName(`contract${process.pid}x${volumesMade}data`);
      });
    });
    afterAll(async () => setting.trial?.subject.close());
    for (const check of CONFORMANCE_CHECKS) {
      it(check.name, async ({ skip }) => {
        const trial = setting.trial!;
        const why = check.skip?.(trial.subject);
        skip(why !== undefined, why);
        await check.run(trial);
      });
    }
  });
}
