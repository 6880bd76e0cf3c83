/** `demo`: everything for people on stderr; with `--json` one object on stdout. */
import { bundlesBeside } from '../bundles.ts';
import { Interrupted } from '../demo/interrupted.ts';
import { chooseNarrator } from '../demo/narrator.ts';
import type { DemoOptions } from '../demo/options.ts';
import { runDemo } from '../demo/run.ts';
import { EXIT } from './exit-code.ts';

/** @returns the exit code @throws what went wrong */
export async function runDemoCommand(options: DemoOptions): Promise<number> {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort(new Interrupted());
  // A second Ctrl-C changes nothing: what is shutting down goes on until nothing is left.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  const narrator = chooseNarrator(process);
  const bundles = bundlesBeside(import.meta.url);
  const report = await runDemo(options, { bundles, environment: process.env, narrator, interrupt });
  if (report !== undefined) {
    const { lostNodeId, lostAgent, documents, seconds } = report;
    narrator.line(
      `Verified: node ${lostNodeId} left ${lostAgent} when it died and came back elsewhere with all ${documents.after} documents, ` +
        `running after ${seconds.toRunning} s, green after ${seconds.toGreen} s.`,
    );
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  return EXIT.done;
}
