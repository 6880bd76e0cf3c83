/**
 * Entry of the executor bundle: what the agent starts. An executor starts this very program again, as `look` to look at
 * processes, and to copy volumes for a task that migrates.
 */
import { text } from 'node:stream/consumers';
import { answerLook, LOOK_COMMAND } from './jar/look.ts';
import { COPIER_ARGUMENT } from './migration/copy-plan.ts';

const EXIT_UNEXPECTED = 70;

async function run([what, planFile]: readonly string[]): Promise<number> {
  if (what === LOOK_COMMAND) {
    const answer = await answerLook(await text(process.stdin));
    await new Promise((resolve) => process.stdout.write(answer, resolve));
    return 0;
  }
  if (what === COPIER_ARGUMENT && planFile !== undefined) {
    const { runCopier } = await import('./migration/copier.ts');
    return runCopier(planFile);
  }
  // A look needs nothing of this, and is waited for.
  const { runExecutorProcess } = await import('./run/executor-process.ts');
  return runExecutorProcess(process.env);
}

const exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`executor: ${(error as Error).stack ?? String(error)}\n`);
  return EXIT_UNEXPECTED;
});
// A file system that hangs may keep a thread busy for good; it must not keep the process.
process.exit(exitCode);
