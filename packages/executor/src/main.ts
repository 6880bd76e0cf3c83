/** Entry of the executor bundle: what the agent starts. */
import { runExecutorProcess } from './run/executor-process.ts';

const EXIT_UNEXPECTED = 70;

const exitCode = await runExecutorProcess(process.env).catch((error: unknown) => {
  process.stderr.write(`executor: ${(error as Error).stack ?? String(error)}\n`);
  return EXIT_UNEXPECTED;
});
// A file system that hangs may keep a thread busy for good; it must not keep the process.
process.exit(exitCode);
