/**
 * Asks Elasticsearch itself, while volumes are moved: how it is, and to hold its shards still. One node after the other
 * until one answers; never longer than a few seconds each, so that nothing waits on a node that hangs.
 */
import http from 'node:http';
import https from 'node:https';
import { text as readText } from 'node:stream/consumers';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { CoreEvent } from '../core/events.ts';
import { ALLOCATION_DURING_TURN, ALLOCATION_SETTING } from '../core/migration/health.ts';
import type { ElasticsearchOutcome, ElasticsearchQuestion, HealthReading } from '../core/migration/health.ts';
import type { StepOf } from '../core/steps.ts';
import type { ElasticsearchAccess } from '../options.ts';

type Answered = Extract<CoreEvent, { kind: 'elasticsearch-answered' }>;

const LIMIT_MS = 5_000;
/** A flush writes what lies in memory. It only makes the node's return faster, so it need not succeed. */
const FLUSH_LIMIT_MS = 60_000;

const healthSchema = z.object({
  status: z.enum(['green', 'yellow', 'red']),
  timed_out: z.boolean().optional(),
  number_of_data_nodes: z.number(),
  relocating_shards: z.number(),
  initializing_shards: z.number(),
  delayed_unassigned_shards: z.number().optional(),
  number_of_pending_tasks: z.number().optional(),
});
const settingsSchema = z.object({ persistent: z.record(z.string(), z.unknown()) });
const acknowledgedSchema = z.object({ acknowledged: z.literal(true) });

/** A node, and how it is asked. */
interface Node {
  /** `host:port` */
  readonly address: string;
  readonly access: ElasticsearchAccess;
}

/** Never rejects. No outcome and no log line holds a password. */
export async function askElasticsearch(
  { number, question, addresses }: StepOf<'ask-elasticsearch'>,
  log: Logger,
  access: ElasticsearchAccess = {},
): Promise<Answered> {
  const failures: string[] = [];
  for (const address of addresses) {
    try {
      const outcome = await ask({ address, access }, question, log);
      return { kind: 'elasticsearch-answered', number, question, outcome };
    } catch (error) {
      failures.push(`${address}: ${messageOf(error)}`);
    }
  }
  const message = `no node answers as Elasticsearch: ${failures.join('; ')}`;
  return { kind: 'elasticsearch-answered', number, question, outcome: { kind: 'failed', message } };
}

async function ask(node: Node, question: ElasticsearchQuestion, log: Logger): Promise<ElasticsearchOutcome> {
  switch (question.kind) {
    case 'health':
      return { kind: 'health', health: await readHealth(node) };
    case 'restrict-allocation':
      await setAllocation(node, ALLOCATION_DURING_TURN);
      await flush(node, log);
      return { kind: 'allocation-set' };
    case 'restore-allocation':
      await setAllocation(node, question.value);
      return { kind: 'allocation-set' };
  }
}

async function readHealth(node: Node): Promise<HealthReading> {
  const health = healthSchema.parse(await request(node, '/_cluster/health?timeout=2s&master_timeout=2s'));
  const settings = settingsSchema.parse(await request(node, '/_cluster/settings?flat_settings=true'));
  const allocation = settings.persistent[ALLOCATION_SETTING];
  return {
    status: health.status,
    dataNodes: health.number_of_data_nodes,
    relocatingShards: health.relocating_shards,
    initializingShards: health.initializing_shards,
    delayedShards: health.delayed_unassigned_shards ?? 0,
    pendingTasks: health.number_of_pending_tasks ?? 0,
    allocation: typeof allocation === 'string' ? allocation : null,
  };
}

async function setAllocation(node: Node, value: string | null): Promise<void> {
  const body = { persistent: { [ALLOCATION_SETTING]: value } };
  acknowledgedSchema.parse(await request(node, '/_cluster/settings?master_timeout=4s', 'PUT', body));
}

async function flush(node: Node, log: Logger): Promise<void> {
  try {
    await request(node, '/_flush', 'POST', undefined, FLUSH_LIMIT_MS);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the flush before a node stops did not succeed everywhere');
  }
}

/** node:https, for it takes the CA; redirects are not followed, so the credentials go to no other place. */
async function request(
  { address, access }: Node,
  path: string,
  method: 'GET' | 'PUT' | 'POST' = 'GET',
  body?: object,
  limitMs = LIMIT_MS,
): Promise<unknown> {
  const { credentials, ca } = access;
  const base = ca === undefined ? 'http' : 'https';
  const headers = {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(credentials === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}` }),
  };
  const options = {
    method,
    headers,
    signal: AbortSignal.timeout(limitMs),
    ...(ca === undefined ? {} : { ca }),
  };
  const sent = (ca === undefined ? http : https).request(`${base}://${address}${path}`, options);
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).on('error', reject);
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const response = await answer;
  const text = await readText(response);
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) throw new Error(refusalText(status, text, credentials !== undefined));
  return JSON.parse(text) as unknown;
}

function refusalText(status: number, text: string, hasCredentials: boolean): string {
  if (status !== 401 && status !== 403) return `HTTP ${status}: ${text.slice(0, 200)}`;
  if (!hasCredentials)
    return `HTTP ${status}: it wants credentials: give the scheduler --elasticsearchCredentialsFile`;
  return status === 401
    ? `HTTP 401: it does not take the credentials of --elasticsearchCredentialsFile`
    : `HTTP 403: the user of --elasticsearchCredentialsFile may not do that (monitor, cluster settings, flush)`;
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return `an unexpected answer: ${z.prettifyError(error)}`;
  // Several addresses of one name were tried: the message is in each of them.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return (error as Error).message;
}
