/** The demo from set-up to the last trace removed. */
import { bringUp, type DemoContext } from './bring-up.ts';
import { Interrupted } from './interrupted.ts';
import type { DemoOptions } from './options.ts';
import type { VerifyReport } from './report.ts';
import type { RunningDemo } from './running-demo.ts';
import { Undo } from './undo.ts';
import { verify } from './verify.ts';

/**
 * @returns the report of `--verify`; undefined after a demo that was ended by Ctrl-C
 * @throws what went wrong, after everything was cleared up; also when something could not be
 */
export async function runDemo(options: DemoOptions, context: DemoContext): Promise<VerifyReport | undefined> {
  const undo = new Undo();
  const { narrator } = context;
  let report: VerifyReport | undefined;
  let failure: Error | undefined;
  try {
    const demo = await bringUp(options, context, undo);
    if (options.verify) report = await verify(demo);
    else await stayUp(demo);
  } catch (error) {
    // Ctrl-C is the ordinary end of a demo, and an unfinished verification.
    if (!(error instanceof Interrupted) || options.verify) failure = error as Error;
  }
  const left = await narrator.step('Shutting down', (note) => undo.run(note));
  if (failure !== undefined) throw failure;
  if (left.length > 0) throw new Error(`left behind:\n${left.map((what) => `  ${what}`).join('\n')}`);
  return report;
}

async function stayUp(demo: RunningDemo): Promise<void> {
  const { narrator, signal } = demo;
  narrator.line('Everything is up. Ctrl-C shuts it down.');
  demo.follow((text) => narrator.line(text));
  await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    if (signal.aborted) reject(signal.reason as Error);
  });
}
