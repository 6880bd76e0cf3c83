/** Entry of the executor bundle: what the agent starts. */
import { runCopier } from './migration/copier.ts';
import { COPIER_ARGUMENT } from './migration/copy-plan.ts';
import { runExecutorProcess } from './run/executor-process.ts';

const EXIT_UNEXPECTED = 70;

/** An executor that migrates starts this very program again, to copy. */
function run(argv: readonly string[]): Promise<number> {
  const [what, planFile] = argv;
  return what === COPIER_ARGUMENT && planFile !== undefined
    ? runCopier(planFile)
    : runExecutorProcess(process.env);
}

const exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`executor: ${(error as Error).stack ?? String(error)}\n`);
  return EXIT_UNEXPECTED;
});
// A file system that hangs may keep a thread busy for good; it must not keep the process.
process.exit(exitCode);
