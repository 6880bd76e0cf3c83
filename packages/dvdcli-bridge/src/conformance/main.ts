import { randomBytes } from 'node:crypto';
import type { VolumeErrorCode } from '../outcome.ts';
import { CONFORMANCE_CHECKS } from './checks.ts';
import type { ContractSubject } from './check.ts';
import { ConformanceUsageError, parseCommandLine, USAGE } from './command-line.ts';
import { conformanceRun, type CheckResult } from './run-checks.ts';
import { subjectOf } from './subject.ts';
import { tapBailOut, tapHead, tapLine, tapSummary } from './tap.ts';

/** Nothing that a check could say would be about the driver. */
const NOT_THERE: readonly VolumeErrorCode[] = [
  'driver-not-found',
  'driver-unavailable',
  'driver-disabled',
  'not-a-volume-driver',
  'permission',
  'invalid',
];

async function main(): Promise<number> {
  const options = parseCommandLine(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const subject = subjectOf(options, process.env);
  const why = await notThere(subject);
  if (why !== undefined) {
    process.stdout.write(`${tapHead(CONFORMANCE_CHECKS.length)}${tapBailOut(why)}`);
    return 1;
  }
  const run = conformanceRun(subject, randomBytes(8).toString('hex'));
  const interrupted = untilInterrupted();
  process.stdout.write(tapHead(CONFORMANCE_CHECKS.length));
  const results: CheckResult[] = [];
  for (const check of CONFORMANCE_CHECKS) {
    const result = await run.run(check);
    if (interrupted()) break;
    results.push(result);
    process.stdout.write(tapLine(results.length, check, result));
  }
  if (interrupted()) process.stdout.write(tapBailOut('interrupted'));
  const left = await run.clearUp();
  process.stdout.write(tapSummary(results, left));
  return interrupted() || left.length > 0 || results.some(({ kind }) => kind === 'failed') ? 1 : 0;
}

/** The check under way is waited for, so that nothing is made after the clearing up. */
function untilInterrupted(): () => boolean {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      interrupted = true;
      process.stderr.write('interrupted: clearing up after this check (once more: leave all behind)\n');
    });
  }
  return () => interrupted;
}

/** Why no check would say anything about the driver. */
async function notThere({ volumes, driver }: ContractSubject): Promise<string | undefined> {
  const listed = await volumes.list(driver);
  if (listed.kind === 'done') return undefined;
  const { code, message } = listed.error;
  return NOT_THERE.includes(code) || code === 'time-limit' ? message : undefined;
}

try {
  process.exit(await main());
} catch (error) {
  const usage = error instanceof ConformanceUsageError;
  process.stderr.write(`volume-conformance: ${(error as Error).message}\n${usage ? `\n${USAGE}` : ''}`);
  process.exit(usage ? 64 : 1);
}
