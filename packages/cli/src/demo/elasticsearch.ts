/** What the demo asks of Elasticsearch, over its REST API. Any of the nodes may be gone: each call tries them in turn. */
import { messageOf } from '../setup/setup-error.ts';

export interface ShardPlace {
  readonly shard: number;
  readonly node: string;
}
export interface Recovery {
  readonly shard: number;
  /** EMPTY_STORE, EXISTING_STORE, PEER… */
  readonly type: string;
  readonly node: string;
}

export class ElasticsearchError extends Error {
  override readonly name = 'ElasticsearchError';
}

const TIME_LIMIT_MS = 30_000;

export class ElasticsearchClient {
  readonly #addresses: () => readonly string[];

  /** @param addresses `host:port` of the nodes as known at the time of each call */
  constructor(addresses: () => readonly string[]) {
    this.#addresses = addresses;
  }

  /** @throws ElasticsearchError when no node answers, or the answer is an error. */
  async call<T>(method: string, path: string, body?: string): Promise<T> {
    let failure: unknown = new ElasticsearchError('no node is known');
    for (const address of this.#addresses()) {
      let response: Response;
      try {
        response = await fetch(`http://${address}${path}`, {
          method,
          signal: AbortSignal.timeout(TIME_LIMIT_MS),
          ...(body === undefined ? {} : { body, headers: { 'content-type': contentType(path) } }),
        });
      } catch (error) {
        failure = error;
        continue;
      }
      const text = await response.text();
      if (response.ok) return JSON.parse(text) as T;
      failure = new ElasticsearchError(`${method} ${path}: HTTP ${response.status}: ${text.slice(0, 300)}`);
      if (response.status < 500) break;
    }
    throw failure instanceof ElasticsearchError
      ? failure
      : new ElasticsearchError(`${method} ${path}: no node answers (${messageOf(failure)})`, {
          cause: failure,
        });
  }

  async health(): Promise<{ status: string; nodes: number }> {
    const answer = await this.call<{ status: string; number_of_nodes: number }>(
      'GET',
      '/_cluster/health?timeout=2s',
    );
    return { status: answer.status, nodes: answer.number_of_nodes };
  }

  /** Of any node; `GET /` is a module of its own, which small distributions lack. */
  async version(): Promise<string> {
    const answer = await this.call<{ nodes: Record<string, { version: string }> }>(
      'GET',
      '/_nodes/_all/http',
    );
    return Object.values(answer.nodes)[0]?.version ?? '';
  }

  /** When the process of the node with this name began; milliseconds since the Unix epoch. */
  async startedAtMs(nodeName: string): Promise<number | undefined> {
    const answer = await this.call<{ nodes: Record<string, { jvm: { start_time_in_millis: number } }> }>(
      'GET',
      `/_nodes/${nodeName}/jvm`,
    );
    return Object.values(answer.nodes)[0]?.jvm.start_time_in_millis;
  }

  /** No replicas, one shard a node. */
  async createIndex(index: string, shards: number): Promise<void> {
    const settings = {
      'index.number_of_shards': shards,
      'index.number_of_replicas': 0,
      'index.routing.allocation.total_shards_per_node': 1,
    };
    await this.#json('PUT', `/${index}?wait_for_active_shards=all`, { settings });
  }

  /** Indexes documents with these ids; returns when all are acknowledged and can be found. */
  async index(index: string, ids: readonly string[]): Promise<void> {
    const lines = ids.flatMap((id) => [
      JSON.stringify({ index: { _id: id } }),
      JSON.stringify({ id, text: `document ${id}` }),
    ]);
    const answer = await this.call<{ errors: boolean }>(
      'POST',
      `/${index}/_bulk?refresh=true`,
      `${lines.join('\n')}\n`,
    );
    if (answer.errors) throw new ElasticsearchError(`not every document was taken into ${index}`);
  }

  async refresh(index: string): Promise<void> {
    const answer = await this.call<{ _shards: { failed: number } }>('POST', `/${index}/_refresh`);
    if (answer._shards.failed > 0)
      throw new ElasticsearchError(`${answer._shards.failed} shards of ${index} fail`);
  }

  /** Fails when a shard does not answer: a count without it would look like a loss, or hide one. */
  async count(index: string): Promise<number> {
    const answer = await this.call<{ count: number; _shards: { failed: number } }>('GET', `/${index}/_count`);
    if (answer._shards.failed > 0)
      throw new ElasticsearchError(`${answer._shards.failed} shards of ${index} fail`);
    return answer.count;
  }

  /** Of these ids, those that are not there. */
  async missing(index: string, ids: readonly string[]): Promise<string[]> {
    const answer = await this.call<{ docs: { _id: string; found?: boolean }[] }>(
      'POST',
      `/${index}/_mget?_source=false`,
      JSON.stringify({ ids }),
    );
    const found = new Set(answer.docs.filter((doc) => doc.found === true).map((doc) => doc._id));
    return ids.filter((id) => !found.has(id));
  }

  async shards(index: string): Promise<ShardPlace[]> {
    const rows = await this.call<{ shard: string; node: string | null }[]>(
      'GET',
      `/_cat/shards/${index}?format=json&h=shard,node`,
    );
    return rows.map((row) => ({ shard: Number(row.shard), node: row.node ?? '' }));
  }

  async recoveries(index: string): Promise<Recovery[]> {
    interface Row {
      readonly id: number;
      readonly type: string;
      readonly target: { readonly name: string };
    }
    const answer = await this.call<Record<string, { shards: Row[] }>>('GET', `/${index}/_recovery`);
    return (answer[index]?.shards ?? []).map(({ id, type, target }) => ({
      shard: id,
      type,
      node: target.name,
    }));
  }

  async #json(method: string, path: string, body: unknown): Promise<void> {
    await this.call(method, path, JSON.stringify(body));
  }
}

function contentType(path: string): string {
  return path.includes('/_bulk') ? 'application/x-ndjson' : 'application/json';
}
