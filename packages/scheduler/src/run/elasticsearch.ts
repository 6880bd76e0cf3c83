/**
 * Asks Elasticsearch itself, while volumes are moved: how it is, and to hold its shards still. One node after the other
 * until one answers; never longer than a few seconds each, so that nothing waits on a node that hangs.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { CoreEvent } from '../core/events.ts';
import { ALLOCATION_DURING_TURN, ALLOCATION_SETTING } from '../core/migration/health.ts';
import type { ElasticsearchOutcome, ElasticsearchQuestion, HealthReading } from '../core/migration/health.ts';
import type { StepOf } from '../core/steps.ts';

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

/** Never rejects. */
export async function askElasticsearch(
  { number, question, addresses }: StepOf<'ask-elasticsearch'>,
  log: Logger,
): Promise<Answered> {
  const failures: string[] = [];
  for (const address of addresses) {
    try {
      const outcome = await ask(`http://${address}`, question, log);
      return { kind: 'elasticsearch-answered', number, question, outcome };
    } catch (error) {
      failures.push(`${address}: ${messageOf(error)}`);
    }
  }
  const message = `no node answers as Elasticsearch: ${failures.join('; ')}`;
  return { kind: 'elasticsearch-answered', number, question, outcome: { kind: 'failed', message } };
}

async function ask(
  base: string,
  question: ElasticsearchQuestion,
  log: Logger,
): Promise<ElasticsearchOutcome> {
  switch (question.kind) {
    case 'health':
      return { kind: 'health', health: await readHealth(base) };
    case 'restrict-allocation':
      await setAllocation(base, ALLOCATION_DURING_TURN);
      await flush(base, log);
      return { kind: 'allocation-set' };
    case 'restore-allocation':
      await setAllocation(base, question.value);
      return { kind: 'allocation-set' };
  }
}

async function readHealth(base: string): Promise<HealthReading> {
  const health = healthSchema.parse(await request(`${base}/_cluster/health?timeout=2s&master_timeout=2s`));
  const settings = settingsSchema.parse(await request(`${base}/_cluster/settings?flat_settings=true`));
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

async function setAllocation(base: string, value: string | null): Promise<void> {
  const body = { persistent: { [ALLOCATION_SETTING]: value } };
  acknowledgedSchema.parse(await request(`${base}/_cluster/settings?master_timeout=4s`, 'PUT', body));
}

async function flush(base: string, log: Logger): Promise<void> {
  try {
    await request(`${base}/_flush`, 'POST', undefined, FLUSH_LIMIT_MS);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the flush before a node stops did not succeed everywhere');
  }
}

async function request(
  url: string,
  method: 'GET' | 'PUT' | 'POST' = 'GET',
  body?: object,
  limitMs = LIMIT_MS,
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(limitMs),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(refusalText(response.status, text));
  return JSON.parse(text) as unknown;
}

function refusalText(status: number, text: string): string {
  if (status === 401 || status === 403)
    return `HTTP ${status}: it wants credentials, and the scheduler has none`;
  return `HTTP ${status}: ${text.slice(0, 200)}`;
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return `an unexpected answer: ${z.prettifyError(error)}`;
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
