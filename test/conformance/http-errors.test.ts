import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BareScheduler, exchange } from './bare-scheduler.ts';
import { recording } from './recording.ts';
import type { RecordedLine } from './recording.ts';
import { startTarget } from './target.ts';
import type { Target } from './target.ts';

let target: Target;
let scheduler: BareScheduler;
beforeAll(async () => {
  target = await startTarget();
  scheduler = new BareScheduler(target.master);
  await scheduler.subscribe();
  await scheduler.next('SUBSCRIBED');
});
afterAll(async () => {
  await scheduler.teardown();
  await target.stop();
});

interface Wrong {
  readonly what: string;
  readonly request: RecordedLine;
  readonly status: number;
  readonly text: string;
}

const RECORDED_ID = /[0-9a-f-]{36}-\d{4}/g;

/** Each note of recording 08 is followed by the wrong request it announces, and by the answer. */
function wrongRequests(): Wrong[] {
  const lines = recording('08-http-errors');
  return lines.flatMap((note, at) => {
    const request = lines[at + 1];
    if (note.kind !== 'note' || request === undefined) return [];
    if (request.kind !== 'request') {
      const text = request.kind === 'get' ? (request.body as string) : String(request.response);
      return [{ what: String(note.text), request, status: request.status!, text }];
    }
    const answer = lines.slice(at).find((line) => line.kind === 'response')!;
    const body = lines.slice(at).find((line) => line.kind === 'response-body')!;
    return [{ what: String(note.text), request, status: answer.status!, text: body.body as string }];
  });
}

function bodyOf(request: RecordedLine): string {
  const { body } = request;
  const text = typeof body === 'object' && 'raw' in body ? String(body.raw) : JSON.stringify(body);
  return text.replaceAll(RECORDED_ID, scheduler.frameworkId!);
}

function headersOf({ what, request }: Wrong): Record<string, string> {
  const usual = {
    'Content-Type': 'application/json',
    ...(request.kind === 'call' ? { 'Mesos-Stream-Id': scheduler.streamId } : {}),
    ...(what.includes('Accept') ? { Accept: 'text/html' } : {}),
  };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...usual, ...request.headers } as Record<
    string,
    string | null
  >)) {
    if (value !== null) headers[name] = value;
  }
  return headers;
}

describe('recording 08: wrong requests', () => {
  test.each(wrongRequests().map((wrong) => [wrong.what, wrong] as const))('%s', async (_what, wrong) => {
    const answer =
      wrong.request.kind === 'get'
        ? await exchange(target.master, { method: 'GET' })
        : await exchange(target.master, { headers: headersOf(wrong), body: bodyOf(wrong.request) });
    const expected = wrong.text.replaceAll(RECORDED_ID, scheduler.frameworkId!);
    expect({ status: answer.status, text: answer.text }).toEqual({ status: wrong.status, text: expected });
  });

  test('all of them were looked at', () => {
    expect(wrongRequests()).toHaveLength(12);
  });
});
