/** Brings a whole demo up: set-up, machines, scheduler, nodes. Each part says how it is undone. */
import { randomInt } from 'node:crypto';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bundles } from '../bundles.ts';
import { ElasticsearchClient } from './elasticsearch.ts';
import { startMachines, type Machines } from './machines.ts';
import type { Narrator, Note } from './narrator.ts';
import { describeProgress, NodeBoard } from './node-board.ts';
import type { DemoOptions } from './options.ts';
import { prepare, type Prepared } from './prepare.ts';
import { removeVolumes } from './remove-volumes.ts';
import type { RunningDemo } from './running-demo.ts';
import { schedulerArgv, volumePathOf } from './scheduler-flags.ts';
import { startSchedulerProcess } from './scheduler-process.ts';
import { stopNodes } from './stop-nodes.ts';
import type { Undo } from './undo.ts';
import { makeWorkDirectory, removeWorkDirectory, type WorkDirectory } from './work-directory.ts';

const NODES_WITHIN_MS = 240_000;
const GREEN_WITHIN_MS = 120_000;
const POLL_MS = 500;

export interface DemoContext {
  readonly bundles: Bundles;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly narrator: Narrator;
  /** Aborted by Ctrl-C. */
  readonly interrupt: AbortController;
}

/** @throws what went wrong; what was begun by then is in `undo` */
export async function bringUp(options: DemoOptions, context: DemoContext, undo: Undo): Promise<RunningDemo> {
  const { narrator, environment, bundles, interrupt } = context;
  const frameworkName = `demo-${randomLetters(6)}`;
  const work = await makeWorkDirectory(frameworkName);
  undo.add(`the folder ${work.path}`, () => clearFolder(work, options, narrator));

  const prepared = await narrator.step('Set-up', (tell) =>
    prepare(options, work, { environment, tell, undo }),
  );
  interrupt.signal.throwIfAborted();
  if (prepared.docker !== undefined) {
    narrator.line(
      'The agents of this demo share one Docker host: that a volume is held by one host only is not shown.',
    );
  }
  const machines = await narrator.step(`Starting a master and ${options.agents} agents`, async (note) => {
    const started = await startMachines({
      count: options.agents,
      driver: options.driver,
      work,
      bundles,
      random: Math.random(),
    });
    note(`master ${started.cluster.masterUrl}; agents ${started.list.map(({ name }) => name).join(', ')}`);
    return started;
  });
  const board = new NodeBoard();
  if (!options.keepVolumes)
    undo.add('volumes of this run', () => removeVolumes(options, frameworkName, machines, prepared, board));
  undo.add('master, agents and volume drivers', () => machines.stop());
  const demo = assemble({ options, frameworkName, narrator, machines, board, prepared, interrupt });
  await startScheduler(demo, { context, work, undo, board });
  return demo;
}

interface Parts {
  readonly options: DemoOptions;
  readonly frameworkName: string;
  readonly narrator: Narrator;
  readonly machines: Machines;
  readonly board: NodeBoard;
  readonly prepared: Prepared;
  readonly interrupt: AbortController;
}
type Demo = RunningDemo & { told(line: string): void };

function assemble(parts: Parts): Demo {
  const { board, prepared, options, interrupt } = parts;
  const { signal } = interrupt;
  const elasticsearch = new ElasticsearchClient(() => board.running().map((node) => node.http));
  let note: Note | undefined;
  return {
    ...parts,
    signal,
    elasticsearch,
    engineSocket: volumePathOf(options) === 'engine' ? prepared.docker?.engine.socket : undefined,
    random: () => randomInt(1_000_000) / 1_000_000,
    follow: (next) => (note = next),
    told: (line) => note?.(line),
    async untilGreen(nodes, limitMs) {
      const deadline = performance.now() + limitMs;
      let last = 'it did not answer';
      for (;;) {
        signal.throwIfAborted();
        const health = await elasticsearch.health().catch(() => undefined);
        if (health?.status === 'green' && health.nodes === nodes) return;
        if (health !== undefined) last = `it is ${health.status} with ${health.nodes} nodes`;
        if (performance.now() > deadline)
          throw new Error(`the cluster is not green within ${limitMs / 1000} s: ${last}`);
        await pause(POLL_MS, undefined, { signal });
      }
    },
  };
}

async function startScheduler(
  demo: Demo,
  { context, work, undo, board }: { context: DemoContext; work: WorkDirectory; undo: Undo; board: NodeBoard },
): Promise<void> {
  const { narrator, machines, options, frameworkName, prepared, signal } = demo;
  const url = await narrator.step('Starting the scheduler', async () => {
    const { bundles } = context;
    const argv = await schedulerArgv({
      options,
      frameworkName,
      master: machines.cluster.master,
      work,
      bundles,
      prepared,
    });
    const process = await startSchedulerProcess(argv, join(work.logs, 'scheduler.log'), (line) => {
      board.take(line);
      const words = describeProgress(line);
      if (words !== undefined) demo.told(words);
    });
    undo.add('the nodes', () => stopNodes(demo, userInfo().username));
    undo.add('the scheduler', () => process.stop());
    void process.ended.then((words) => context.interrupt.abort(new Error(`the scheduler is gone: ${words}`)));
    return process.url;
  });
  await narrator.step(`Starting ${options.nodes} Elasticsearch nodes`, async (note) => {
    demo.follow(note);
    const complete = () => board.running().length === options.nodes;
    await board.until(`${options.nodes} nodes run`, complete, NODES_WITHIN_MS, signal);
    await demo.untilGreen(options.nodes, GREEN_WITHIN_MS);
  });
  narrator.line(
    `Elasticsearch  ${board
      .running()
      .map((node) => `http://${node.http}`)
      .join('  ')}`,
  );
  narrator.line(`Scheduler      ${url}/v1/nodes`);
  narrator.line(`Mesos master   ${machines.cluster.masterUrl}/state`);
}

async function clearFolder(work: WorkDirectory, options: DemoOptions, narrator: Narrator): Promise<string[]> {
  const left = await removeWorkDirectory(work, options.keepVolumes);
  if (options.keepVolumes)
    narrator.line(`The volumes are kept: driver ${options.driver}, files of this run in ${work.store}`);
  return left;
}

function randomLetters(count: number): string {
  // No digits: a node ID follows the name in the names of volumes.
  return Array.from({ length: count }, () => String.fromCharCode(97 + randomInt(26))).join('');
}
