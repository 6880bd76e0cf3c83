import { randomBytes } from 'node:crypto';
import type { VolumeErrorCode } from '../outcome.ts';
import { CONFORMANCE_CHECKS } from './checks.ts';
import type { ContractSubject } from './check.ts';
import { ConformanceUsageError, parseCommandLine, USAGE } from './command-line.ts';
import { conformanceRun, type CheckResult, type ConformanceRun } from './run-checks.ts';
import { subjectOf } from './subject.ts';
import { tapHead, tapLine, tapSummary } from './tap.ts';

/** Nothing that a check could say would be about the driver. */
const NOT_THERE: readonly VolumeErrorCode[] = [
  'driver-not-found',
  'driver-unavailable',
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
    process.stdout.write(`${tapHead(CONFORMANCE_CHECKS.length)}Bail out! ${why}\n`);
    return 1;
  }
  const run = conformanceRun(subject, randomBytes(8).toString('hex'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void interrupted(run));
  }
  process.stdout.write(tapHead(CONFORMANCE_CHECKS.length));
  const results: CheckResult[] = [];
  for (const check of CONFORMANCE_CHECKS) {
    const result = await run.run(check);
    results.push(result);
    process.stdout.write(tapLine(results.length, check, result));
  }
  const left = await run.clearUp();
  process.stdout.write(tapSummary(results, left));
  return left.length > 0 || results.some(({ kind }) => kind === 'failed') ? 1 : 0;
}

async function notThere({ volumes, driver }: ContractSubject): Promise<string | undefined> {
  const listed = await volumes.list(driver);
  return listed.kind === 'not-done' && NOT_THERE.includes(listed.error.code)
    ? listed.error.message
    : undefined;
}

async function interrupted(run: ConformanceRun): Promise<void> {
  process.stdout.write('Bail out! interrupted\n');
  process.stdout.write(tapSummary([], await run.clearUp()));
  process.exit(1);
}

try {
  process.exit(await main());
} catch (error) {
  const usage = error instanceof ConformanceUsageError;
  process.stderr.write(`volume-conformance: ${(error as Error).message}\n${usage ? `\n${USAGE}` : ''}`);
  process.exit(usage ? 64 : 1);
}
