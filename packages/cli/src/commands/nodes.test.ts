import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RETIRE_CONFIRMATION } from '@mesos-elasticsearch/scheduler';
import { nodesCommand } from './nodes.ts';

const suspect = {
  nodeId: 2,
  name: 'es-2',
  phase: 'suspect',
  epoch: 3,
  agentId: 'S1',
  host: 'agent2.example',
  taskId: 'es-2-3-abc',
  volumes: ['es2config', 'es2data'],
  dataOnRecord: true,
  why: 'TASK_UNREACHABLE',
  sinceMs: 1_000_000,
  waitsFor: [{ rule: 'release-on-proof', reason: 'the holder may be alive' }],
};
const vacant = {
  nodeId: 11,
  name: 'es-11',
  phase: 'vacant',
  epoch: 0,
  volumes: [],
  dataOnRecord: false,
  why: 'never launched',
  sinceMs: 0,
  waitsFor: [],
};

interface Received {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
}
/** A scheduler's API that says what the test tells it to. */
let answer: { status: number; body: unknown };
let received: Received[];
let server: http.Server;

beforeEach(async () => {
  answer = { status: 202, body: { message: 'node 2: epoch 3 is being released' } };
  received = [];
  server = http.createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { method = '', url = '' } = request;
      received.push({ method, url, body: text === '' ? undefined : JSON.parse(text) });
      const { status, body } =
        method === 'GET' ? { status: 200, body: { nodes: [suspect, vacant] } } : answer;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => server.close());

async function run(...words: string[]) {
  let text = '';
  const command = nodesCommand({ write: (more) => (text += more), nowMs: () => 1_090_000 });
  const [verb = '', ...rest] = words;
  const { port } = server.address() as AddressInfo;
  const error = await command
    .parseAsync([verb, '--api', `http://127.0.0.1:${port}`, ...rest], { from: 'user' })
    .then(
      () => '',
      (failure: unknown) => (failure as Error).message,
    );
  return { text, error };
}

describe('nodes ls', () => {
  it('shows each node with why it is so and what it waits for', async () => {
    expect((await run('ls')).text.split('\n')).toEqual([
      'NODE  PHASE    EPOCH  AGENT           SINCE  WHY               WAITS FOR',
      '2     suspect  3      agent2.example  90s    TASK_UNREACHABLE  release-on-proof: the holder may be alive',
      '11    vacant   0      -               -      never launched    -',
      '',
    ]);
  });

  it('gives JSON to programs', async () => {
    expect(JSON.parse((await run('ls', '--json')).text)).toEqual([suspect, vacant]);
  });

  it('says who does not answer', async () => {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const command = nodesCommand({ write: () => undefined, nowMs: () => 0 });
    const gone = command.parseAsync(['ls', '--api', `http://127.0.0.1:${port}`], { from: 'user' });
    await expect(gone).rejects.toThrow(/no answer from http:\/\/127.0.0.1:\d+: .*ECONNREFUSED.*--api/);
  });
});

describe('nodes release', () => {
  it('shows what is known and changes nothing without the whole word', async () => {
    for (const words of [[], ['--confirm', 'the-holder-is-gone'], ['--epoch', '3']]) {
      const { text, error } = await run('release', '2', ...words);
      expect(text).toContain('phase:     suspect for 90s: TASK_UNREACHABLE');
      expect(text).toContain('task es-2-3-abc on agent2.example (agent S1)');
      expect(error).toMatch(/nothing was changed/);
      expect(error).toContain('nodes release 2 --epoch 3 --confirm the-holder-is-gone');
    }
    expect(received.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('gives the word with the epoch that was looked at', async () => {
    const { text, error } = await run('release', '2', '--confirm', 'the-holder-is-gone', '--epoch', '3');
    expect(error).toBe('');
    expect(text).toMatch(/epoch 3 is being released\n$/);
    expect(received.at(-1)).toEqual({
      method: 'POST',
      url: '/v1/nodes/2/release',
      body: { confirm: 'the-holder-is-gone', epoch: 3 },
    });
  });

  it('repeats why the scheduler refuses', async () => {
    answer = { status: 409, body: { error: 'node 2 is in epoch 4, not 3: look at it again' } };
    const { error } = await run('release', '2', '--confirm', 'the-holder-is-gone', '--epoch', '3');
    expect(error).toBe('the scheduler refuses (409): node 2 is in epoch 4, not 3: look at it again');
  });

  it('knows only nodes that are there, by number', async () => {
    expect((await run('release', '7')).error).toMatch(/no node 7/);
    expect((await run('release', '02')).error).toMatch(/whole number/);
  });
});

describe('nodes retire', () => {
  it('asks for its own word and gives it', async () => {
    expect((await run('retire', '2')).error).toContain(`--epoch 3 --confirm ${RETIRE_CONFIRMATION}`);
    expect(received).toHaveLength(1);
    expect((await run('retire', '2', '--confirm', RETIRE_CONFIRMATION, '--epoch', '3')).error).toBe('');
    expect(received.at(-1)).toMatchObject({
      url: '/v1/nodes/2/retire',
      body: { confirm: RETIRE_CONFIRMATION, epoch: 3 },
    });
  });
});

describe('nodes reuse', () => {
  it("wants to know what becomes of the volumes, and gives the operator's word", async () => {
    expect((await run('reuse', '2')).error).toContain('--volumes');
    expect((await run('reuse', '2', '--volumes', 'burn')).error).toContain('keep, wipe');
    expect(received).toHaveLength(0);
    answer = { status: 202, body: { message: 'node 2: its volumes may be used again (wipe)' } };
    const { text } = await run('reuse', '2', '--volumes', 'wipe');
    expect(text).toContain('may be used again (wipe)');
    expect(received).toMatchObject([{ url: '/v1/nodes/2/reuse', body: { volumes: 'wipe' } }]);
  });
});
