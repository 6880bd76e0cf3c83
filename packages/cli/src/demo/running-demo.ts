/** What the parts of a demo that is up know of it. */
import type { ElasticsearchClient } from './elasticsearch.ts';
import type { Machines } from './machines.ts';
import type { Narrator, Note } from './narrator.ts';
import type { NodeBoard } from './node-board.ts';
import type { DemoOptions } from './options.ts';
import type { Prepared } from './prepare.ts';

export interface RunningDemo {
  readonly options: DemoOptions;
  readonly frameworkName: string;
  readonly narrator: Narrator;
  readonly machines: Machines;
  readonly board: NodeBoard;
  readonly elasticsearch: ElasticsearchClient;
  readonly prepared: Prepared;
  /** Set where volumes are reached through Docker's Engine. */
  readonly engineSocket: string | undefined;
  /** Aborted by Ctrl-C, or when a part of the demo has ended by itself. */
  readonly signal: AbortSignal;
  /** From 0 up to 1. */
  random(): number;
  /** From now on what happens to nodes is told here. */
  follow(note: Note): void;
  /** @throws Error with the last health when the cluster does not become green with that many nodes */
  untilGreen(nodes: number, limitMs: number): Promise<void>;
}
