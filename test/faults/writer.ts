/**
 * Writes documents all the time and keeps the id of each that was acknowledged, in memory and in a file. A node
 * that is away makes writes fail; only what was acknowledged must be there at the end.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ElasticsearchClient } from '@mesos-elasticsearch/cli';

export interface WriterOptions {
  readonly elasticsearch: ElasticsearchClient;
  /** `host:port` of every node that was ever known to run. */
  readonly addresses: () => readonly string[];
  readonly nodes: number;
  /** One id a line, appended when it is acknowledged. */
  readonly file: string;
}

export interface Verdict {
  readonly acknowledged: number;
  /** Acknowledged and not there; empty, or documents were lost. */
  readonly missing: readonly string[];
}

const BATCH = 8;
const PAUSE_MS = 150;
const CALL_LIMIT_MS = 4000;
/** How long Elasticsearch waits for a shard whose node is away, before it says so. */
const SHARD_LIMIT = '1s';
const IDS_A_CALL = 1000;

/** single: one shard a node and no copy, so every node has documents that are nowhere else. copied: a replica each,
 * where there is a second node to put it on. */
const INDICES = ['single', 'copied'] as const;
type Index = (typeof INDICES)[number];

interface BulkAnswer {
  readonly items: readonly { readonly index: { readonly _id: string; readonly status: number } }[];
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #acknowledged: Record<Index, string[]> = { single: [], copied: [] };
  readonly #end = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #next = 0;
  #failed = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get acknowledged(): number {
    return INDICES.reduce((sum, index) => sum + this.#acknowledged[index].length, 0);
  }

  /** Batches that were not answered, or not with a list of documents. */
  get failedBatches(): number {
    return this.#failed;
  }

  /** @throws ElasticsearchError when the indices cannot be made */
  async start(): Promise<void> {
    const { elasticsearch, nodes } = this.#options;
    await elasticsearch.createIndex('single', nodes);
    const settings = { 'index.number_of_shards': nodes, 'index.number_of_replicas': Math.min(1, nodes - 1) };
    await elasticsearch.call('PUT', '/copied?wait_for_active_shards=all', JSON.stringify({ settings }));
    this.#running = Promise.all(INDICES.map((index) => this.#write(index)));
  }

  /** @throws Error when not that many more documents are acknowledged within `limitMs` */
  async untilAcknowledged(more: number, limitMs: number): Promise<void> {
    const wanted = this.acknowledged + more;
    const deadline = performance.now() + limitMs;
    while (this.acknowledged < wanted) {
      if (performance.now() > deadline)
        throw new Error(`no ${more} documents acknowledged within ${limitMs / 1000} s`);
      await pause(PAUSE_MS);
    }
  }

  /** Ends the writing, not what is written. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Looks for every document that was acknowledged until now, by its id. The cluster must be whole. */
  async verify(): Promise<Verdict> {
    const { elasticsearch } = this.#options;
    let acknowledged = 0;
    const missing: string[] = [];
    for (const index of INDICES) {
      const ids = [...this.#acknowledged[index]];
      acknowledged += ids.length;
      await elasticsearch.refresh(index);
      for (let start = 0; start < ids.length; start += IDS_A_CALL) {
        const lost = await elasticsearch.missing(index, ids.slice(start, start + IDS_A_CALL));
        missing.push(...lost.map((id) => `${index}/${id}`));
      }
    }
    return { acknowledged, missing };
  }

  async #write(index: Index): Promise<void> {
    for (let turn = 0; !this.#end.signal.aborted; turn += 1) {
      const ids = Array.from({ length: BATCH }, () => String((this.#next += 1)));
      const addresses = this.#options.addresses();
      const address = addresses[turn % addresses.length];
      const taken =
        address === undefined ? undefined : await send(address, index, ids).catch(() => undefined);
      if (taken === undefined) this.#failed += 1;
      else this.#keep(index, taken);
      await pause(PAUSE_MS, undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }

  #keep(index: Index, ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#acknowledged[index].push(...ids);
    appendFileSync(this.#options.file, ids.map((id) => `${index} ${id}\n`).join(''));
  }
}

/** @returns those of the ids whose document is durable, as Elasticsearch says of each */
async function send(address: string, index: Index, ids: readonly string[]): Promise<string[]> {
  const lines = ids.flatMap((id) => [JSON.stringify({ index: { _id: id } }), JSON.stringify({ id })]);
  const response = await fetch(
    `http://${address}/${index}/_bulk?timeout=${SHARD_LIMIT}&filter_path=items.*._id,items.*.status`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${lines.join('\n')}\n`,
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
    },
  );
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { items } = (await response.json()) as BulkAnswer;
  return items
    .filter(({ index: { status } }) => status === 200 || status === 201)
    .map(({ index: { _id } }) => _id);
}
