/** Partners that answer with too much, too slowly or in another protocol: each call ends, by its bytes or by its time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../outcome.ts';
import { volumePlugin, type VolumePlugin } from './client.ts';

const HANDSHAKE = '{"Implements":["VolumeDriver"]}';
const LIMIT_MS = 400;

let home: string;
let server: Server;
let sockets: Socket[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'heavy-'));
  sockets = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

/** A plugin that shakes hands well and then does this with every connection. */
async function pluginThat(path: 'socket' | 'tcp', answer: (socket: Socket) => void): Promise<VolumePlugin> {
  server = createServer((socket) => {
    sockets.push(socket);
    // Whoever is hung up on while it writes is told so.
    socket.on('error', () => undefined);
    socket.once('data', (request) => {
      if (request.includes('Plugin.Activate'))
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${HANDSHAKE.length}\r\n\r\n${HANDSHAKE}`);
      else answer(socket);
    });
  });
  await new Promise<void>((resolve) => {
    if (path === 'socket') server.listen(join(home, 'heavy.sock'), resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  if (path === 'tcp')
    writeFileSync(join(home, 'heavy.spec'), `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const timeLimits = { reachMs: 0, mountMs: LIMIT_MS, otherMs: LIMIT_MS };
  return volumePlugin({ driver: 'heavy', directories: [home], timeLimits });
}

/** Writes pieces for as long as somebody takes them. */
function pour(socket: Socket, head: string, piece: string): void {
  const bytes = Buffer.from(piece);
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.write(head);
  socket.on('drain', more);
  more();
}

function drip(socket: Socket, head: string, piece: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write(piece), 5);
  socket.on('close', () => clearInterval(timer));
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const MEBIBYTE = ' '.repeat(1 << 20);

const TOO_MUCH: [string, (socket: Socket) => void][] = [
  ['a body without an end', (socket) => pour(socket, `${OK}\r\n`, MEBIBYTE)],
  ['chunks without an end', (socket) => pour(socket, CHUNKED, `100000\r\n${MEBIBYTE}\r\n`)],
  ['tiny chunks without an end', (socket) => pour(socket, CHUNKED, '1\r\n \r\n'.repeat(50_000))],
  ['a head without an end', (socket) => pour(socket, OK, 'X: y\r\n'.repeat(1_000))],
];
const TOO_SLOW: [string, (socket: Socket) => void][] = [
  ['a head in drops', (socket) => drip(socket, OK, 'X: y\r\n')],
  ['a body in drops', (socket) => drip(socket, `${OK}Content-Length: 1000000\r\n\r\n`, ' ')],
  ['chunks in drops', (socket) => drip(socket, CHUNKED, '1\r\n \r\n')],
  ['trailers in drops', (socket) => drip(socket, `${CHUNKED}2\r\n{}\r\n0\r\n`, 'X: y\r\n')],
];

/** A call that is cut off for its length and one that ran out of time look alike from outside, where both are `unknown`. */
async function judged(plugin: VolumePlugin): Promise<Outcome<string>> {
  const before = performance.now();
  const outcome = await plugin.mount('v1', 'id');
  expect(performance.now() - before).toBeLessThan(LIMIT_MS + 2_000);
  return outcome;
}

describe.each(['socket', 'tcp'] as const)('over %s', (path) => {
  it.each(TOO_MUCH)('%s is unknown, and not waited for', async (_, answer) => {
    expect((await judged(await pluginThat(path, answer))).kind).toBe('unknown');
  });
  it.each(TOO_SLOW)('%s is unknown when the time is over', async (_, answer) => {
    expect(await judged(await pluginThat(path, answer))).toMatchObject({
      kind: 'unknown',
      error: { code: 'time-limit' },
    });
  });
  it('another protocol is no answer', async () => {
    const plugin = await pluginThat(path, (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    );
    expect((await judged(plugin)).kind).toBe('unknown');
  });
});

it('a time limit outlives the garbage collector', async () => {
  const plugin = await pluginThat('socket', () => undefined);
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const collecting = setInterval(collect, 50);
  try {
    expect(await judged(plugin.within(AbortSignal.timeout(60_000)))).toMatchObject({
      error: { code: 'time-limit' },
    });
    // By its words, not by the clock: a machine that is busy collects slowly too.
    expect(await plugin.within(AbortSignal.timeout(100)).get('v1')).toMatchObject({
      error: { code: 'time-limit', message: expect.stringContaining('the limit of the whole operation') },
    });
  } finally {
    clearInterval(collecting);
  }
});
