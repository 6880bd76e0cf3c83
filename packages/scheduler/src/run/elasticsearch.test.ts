import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import type { ElasticsearchQuestion } from '../core/migration/health.ts';
import { askElasticsearch } from './elasticsearch.ts';

const HEALTH = {
  status: 'yellow',
  number_of_data_nodes: 3,
  relocating_shards: 1,
  initializing_shards: 2,
  delayed_unassigned_shards: 4,
  number_of_pending_tasks: 5,
};

/** A node that answers what the test tells it to, by method and path. */
let answers: Record<string, { status?: number; body: unknown }>;
let asked: { what: string; body: unknown }[];
let server: http.Server;
let address: string;
beforeEach(async () => {
  asked = [];
  answers = {
    'GET /_cluster/health': { body: HEALTH },
    'GET /_cluster/settings': { body: { persistent: {}, transient: {} } },
    'PUT /_cluster/settings': { body: { acknowledged: true } },
    'POST /_flush': { body: { _shards: { failed: 0 } } },
  };
  server = http.createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const what = `${request.method ?? ''} ${request.url?.split('?')[0] ?? ''}`;
      asked.push({ what, body: text === '' ? undefined : JSON.parse(text) });
      const { status = 200, body } = answers[what] ?? { status: 404, body: {} };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => server.close());

async function ask(question: ElasticsearchQuestion, addresses: readonly string[] = [address]) {
  const step = { kind: 'ask-elasticsearch', number: 7, question, addresses } as const;
  return (await askElasticsearch(step, pino({ level: 'silent' }))).outcome;
}

describe('what is asked of Elasticsearch', () => {
  it('is its health, and what is set for the allocation of shards', async () => {
    const counts = {
      dataNodes: 3,
      relocatingShards: 1,
      initializingShards: 2,
      delayedShards: 4,
      pendingTasks: 5,
    };
    expect(await ask({ kind: 'health' })).toEqual({
      kind: 'health',
      health: { status: 'yellow', ...counts, allocation: null },
    });
    answers['GET /_cluster/settings'] = {
      body: { persistent: { 'cluster.routing.allocation.enable': 'new_primaries' } },
    };
    expect(await ask({ kind: 'health' })).toMatchObject({ health: { allocation: 'new_primaries' } });
  });

  it('is to allocate primaries only, and then to flush', async () => {
    expect(await ask({ kind: 'restrict-allocation', nodeId: 1 })).toEqual({ kind: 'allocation-set' });
    expect(asked).toEqual([
      {
        what: 'PUT /_cluster/settings',
        body: { persistent: { 'cluster.routing.allocation.enable': 'primaries' } },
      },
      { what: 'POST /_flush', body: undefined },
    ]);
  });

  it('is to put back what was set before, which may be nothing', async () => {
    for (const value of [null, 'all']) {
      expect(await ask({ kind: 'restore-allocation', nodeId: 1, value })).toEqual({ kind: 'allocation-set' });
      expect(asked.at(-1)?.body).toEqual({ persistent: { 'cluster.routing.allocation.enable': value } });
    }
  });

  it('goes to the next node when one does not answer', async () => {
    expect(await ask({ kind: 'health' }, ['127.0.0.1:1', address])).toMatchObject({ kind: 'health' });
  });

  it('is not done when it is not acknowledged, and a flush that fails does not matter', async () => {
    answers['POST /_flush'] = { status: 500, body: { error: 'a shard is away' } };
    expect(await ask({ kind: 'restrict-allocation', nodeId: 1 })).toEqual({ kind: 'allocation-set' });
    answers['PUT /_cluster/settings'] = { body: { acknowledged: false } };
    expect(await ask({ kind: 'restrict-allocation', nodeId: 1 })).toMatchObject({ kind: 'failed' });
  });

  it.each([
    ['no master', { status: 503, body: { error: 'no master' } }, '503'],
    ['credentials wanted', { status: 401, body: {} }, 'it wants credentials'],
    ['something else', { body: { hello: 'world' } }, 'an unexpected answer'],
  ])('fails with the reason: %s', async (_name, answer, said) => {
    answers['GET /_cluster/health'] = answer;
    const outcome = await ask({ kind: 'health' });
    expect(outcome).toMatchObject({ kind: 'failed' });
    expect(JSON.stringify(outcome)).toContain(said);
  });
});
