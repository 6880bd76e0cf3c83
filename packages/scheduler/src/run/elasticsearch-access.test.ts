/** An Elasticsearch that wants credentials, at the wire. */
import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import type { ElasticsearchQuestion } from '../core/migration/health.ts';
import type { ElasticsearchAccess } from '../options.ts';
import { askElasticsearch } from './elasticsearch.ts';

const CREDENTIALS = 'scheduler:pass:wörd';
const BASIC = `Basic ${Buffer.from(CREDENTIALS, 'utf8').toString('base64')}`;
const HEALTH = { status: 'green', number_of_data_nodes: 1, relocating_shards: 0, initializing_shards: 0 };

let logged: string[];
beforeEach(() => {
  logged = [];
  nock.disableNetConnect();
});
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
  nock.enableNetConnect();
});

async function ask(question: ElasticsearchQuestion, access: ElasticsearchAccess) {
  const step = { kind: 'ask-elasticsearch', number: 1, question, addresses: ['es.example:9200'] } as const;
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  return (await askElasticsearch(step, log, access)).outcome;
}

describe('an Elasticsearch that wants credentials', () => {
  it('gets them with every question, over HTTP', async () => {
    const node = nock('http://es.example:9200', { reqheaders: { authorization: BASIC } });
    node.get('/_cluster/health').query(true).reply(200, HEALTH);
    node.get('/_cluster/settings').query(true).reply(200, { persistent: {} });
    expect(await ask({ kind: 'health' }, { credentials: CREDENTIALS })).toMatchObject({ kind: 'health' });
    const body = { persistent: { 'cluster.routing.allocation.enable': 'primaries' } };
    node.put('/_cluster/settings', body).query(true).reply(200, { acknowledged: true });
    node.post('/_flush').reply(200, {});
    const restricted = await ask({ kind: 'restrict-allocation', nodeId: 1 }, { credentials: CREDENTIALS });
    expect(restricted).toEqual({ kind: 'allocation-set' });
  });

  it('is asked over HTTPS where its CA is known', async () => {
    const node = nock('https://es.example:9200', { reqheaders: { authorization: BASIC } });
    node.get('/_cluster/health').query(true).reply(200, HEALTH);
    node.get('/_cluster/settings').query(true).reply(200, { persistent: {} });
    const access = { credentials: CREDENTIALS, ca: '-----BEGIN CERTIFICATE-----' };
    expect(await ask({ kind: 'health' }, access)).toMatchObject({ kind: 'health' });
  });

  it.each([
    ['no credentials are given', {}, 401, 'give the scheduler --elasticsearchCredentialsFile'],
    ['they are wrong', { credentials: CREDENTIALS }, 401, 'it does not take the credentials'],
    [
      'they are not enough',
      { credentials: CREDENTIALS },
      403,
      'may not do that (monitor, cluster settings, flush)',
    ],
  ])('says what to do where %s', async (_name, access, status, words) => {
    nock('http://es.example:9200').get('/_cluster/health').query(true).reply(status, {});
    expect(await ask({ kind: 'health' }, access)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining(words) as string,
    });
  });

  it('never sees them sent on to where it redirects', async () => {
    nock('http://es.example:9200')
      .get('/_cluster/health')
      .query(true)
      .reply(302, '', { location: 'http://elsewhere.example/' });
    const elsewhere = nock('http://elsewhere.example').get('/').reply(200, HEALTH);
    expect(await ask({ kind: 'health' }, { credentials: CREDENTIALS })).toMatchObject({ kind: 'failed' });
    expect(elsewhere.isDone()).toBe(false);
    nock.removeInterceptor({ hostname: 'elsewhere.example', proto: 'http', path: '/' });
  });

  it('has its password in no outcome and in no log line, whatever fails', async () => {
    const node = nock('http://es.example:9200');
    node.put('/_cluster/settings').query(true).reply(200, { acknowledged: true });
    node.post('/_flush').reply(500, { error: 'a shard is away' });
    node.get('/_cluster/health').query(true).replyWithError('the wire is cut');
    const access = { credentials: CREDENTIALS };
    const said = [
      await ask({ kind: 'restrict-allocation', nodeId: 1 }, access),
      await ask({ kind: 'health' }, access),
    ];
    const all = JSON.stringify([said, logged]);
    expect(logged).toHaveLength(1);
    expect(all).toContain('the wire is cut');
    for (const secret of ['pass:w', BASIC.slice(6)]) expect(all).not.toContain(secret);
  });
});
