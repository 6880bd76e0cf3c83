/** The opposite of a dead machine: one that is only cut off from the master keeps its node for as long as it lives. */
import { pathToFileURL } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bringUp,
  bundlesBeside,
  findCommand,
  LEASE_MS,
  PAUSE_BOUND_MS,
  plainNarrator,
  Undo,
  type RunningDemo,
} from '@mesos-elasticsearch/cli';
import { COMMAND, commandIsBuilt } from './demo-run.ts';

const why = !commandIsBuilt
  ? 'the command is not built (npm run build)'
  : (await findCommand('java', process.env)) === undefined
    ? 'Java is not installed'
    : undefined;
const MARGIN_MS = 5000;
const SEEN_WITHIN_MS = 60_000;
/** The agent looks for its master after the silence of all pings, and the scheduler asks after its task. */
const HEALED_WITHIN_MS = 60_000;

describe.skipIf(why !== undefined)(
  `a partitioned agent${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const undo = new Undo();
    const interrupt = new AbortController();
    const told: string[] = [];
    let demo: RunningDemo;

    beforeAll(async () => {
      const options = {
        ...({
          runtime: 'jar',
          driver: 'hostdir',
          elasticsearchVersion: '7.17.29',
          nodes: 1,
          agents: 2,
        } as const),
        ...{ keepVolumes: false, verify: false, json: false },
      };
      const narrator = plainNarrator(() => undefined);
      const bundles = bundlesBeside(pathToFileURL(COMMAND).href);
      demo = await bringUp(
        options,
        { bundles, environment: { ...process.env, ELASTICSEARCH_HOME: '' }, narrator, interrupt },
        undo,
      );
      demo.follow((line) => told.push(line));
    }, 400_000);
    afterAll(async () => {
      expect(await undo.run(() => undefined)).toEqual([]);
    }, 180_000);

    it('keeps its node longer than every time-out, and heals to the same task and epoch', async () => {
      const { board, machines, signal } = demo;
      const before = board.node(1)!;
      const victim = { kind: 'agent', agent: before.host } as const;

      await machines.cluster.control.partition(victim);
      await board.until('node 1 is suspect', () => board.node(1) === undefined, SEEN_WITHIN_MS, signal);
      // Time itself is what is tested here: nobody may take over while the lease is being renewed.
      await pause(LEASE_MS + PAUSE_BOUND_MS + MARGIN_MS);
      expect(told.filter((line) => / is released| → /.test(line))).toEqual([]);
      expect((await fetch(`http://${before.http}/_cluster/health`)).ok).toBe(true);

      await machines.cluster.control.heal(victim);
      await board.until('node 1 runs', () => board.node(1) !== undefined, HEALED_WITHIN_MS, signal);
      expect(board.node(1)).toEqual(before);
    }, 180_000);
  },
);
