import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeRecordio, decodeSchedulerEvent, initialRecordio } from '@mesos-elasticsearch/mesos-v1';
import { startEmbeddedCluster } from '@mesos-elasticsearch/local';
import type { EmbeddedCluster } from '@mesos-elasticsearch/local';
import { bundleLocalProgram } from '@mesos-elasticsearch/local/testing';
import { recording } from './recording.ts';
import type { RecordedLine } from './recording.ts';
import { isReal } from './target.ts';

const WHY_NOT = isReal ? ' (skipped: the credentials of the master that MESOS_MASTER names are unknown)' : '';
const JSON_TYPE = 'application/json';

let program: string[];
let folder: string;
let cluster: EmbeddedCluster;
beforeAll(async () => {
  if (isReal) return;
  program = await bundleLocalProgram();
  folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const credentials = join(folder, 'credentials.json');
  await writeFile(credentials, JSON.stringify({ credentials: [{ principal: 'es', secret: 'right' }] }));
  cluster = await startEmbeddedCluster({
    program,
    agents: [],
    workDir: join(folder, 'cluster'),
    masterFlags: { credentials },
  });
});
afterAll(async () => {
  if (isReal) return;
  await cluster.stop();
  for (const path of [folder, dirname(program[1]!)]) await rm(path, { recursive: true });
});

interface Exchange {
  readonly note: string;
  readonly body: string;
  readonly answer: RecordedLine;
  /** Of a refusal. */
  readonly text: string | undefined;
}

function exchanges(): Exchange[] {
  const lines = recording('13-authentication');
  return lines.flatMap((note, at) => {
    if (note.kind !== 'note') return [];
    const later = lines.slice(at);
    const first = (kind: string) => later.find((line) => line.kind === kind)!;
    const answer = first('response');
    const text = answer.status === 200 ? undefined : (first('response-body').body as string);
    return [{ note: note.text!, body: JSON.stringify(first('request').body), answer, text }];
  });
}

/** What the recorded scheduler sent, by its note. */
function authorization(note: string): Record<string, string> {
  if (note === 'no credentials') return {};
  const pair = note === 'wrong secret' ? 'es:wrong' : 'es:right';
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Those that are the same each time. */
function lasting(header: (name: string) => string | null | undefined) {
  return ['www-authenticate', 'content-type', 'content-length', 'transfer-encoding'].map(
    (name) => `${name}: ${header(name) ?? 'none'}`,
  );
}

async function firstEvent(response: Response) {
  let state = initialRecordio();
  for await (const chunk of response.body!) {
    const result = decodeRecordio(state, chunk as Uint8Array);
    state = result.state;
    const [record] = result.records;
    if (record !== undefined) return decodeSchedulerEvent(record, JSON_TYPE);
  }
  throw new Error('the stream ended without an event');
}

describe.skipIf(isReal)(`recording 13: authentication${WHY_NOT}`, () => {
  test.each(exchanges().map((one) => [one.note, one] as const))('%s', async (note, recorded) => {
    const response = await fetch(`${cluster.masterUrl}/api/v1/scheduler`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, ...authorization(note) },
      body: recorded.body,
    });
    expect(response.status).toBe(recorded.answer.status);
    expect(lasting((name) => response.headers.get(name))).toEqual(
      lasting((name) => recorded.answer.headers?.[name]),
    );
    if (recorded.text === undefined) expect((await firstEvent(response)).type).toBe('SUBSCRIBED');
    else expect(await response.text()).toBe(recorded.text);
  });

  test('all four were looked at', () => {
    expect(exchanges().map((one) => one.answer.status)).toEqual([401, 401, 200, 400]);
  });
});
