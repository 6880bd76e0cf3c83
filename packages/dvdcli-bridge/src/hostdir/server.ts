import { mkdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { answerCall } from './protocol.ts';
import type { HostdirStore } from './store.ts';

/** sockaddr_un has room for 108 bytes, the closing NUL included. */
const SOCKET_PATH_LIMIT_BYTES = 107;
const BODY_LIMIT_BYTES = 1 << 20;

/**
 * Serves the store at `<pluginDirectory>/<name>.sock`.
 * @throws Error for a path that is too long or a socket that another process serves
 */
export async function servePlugin(
  store: HostdirStore,
  at: { pluginDirectory: string; name: string },
): Promise<{ socketPath: string; close(): Promise<void> }> {
  const socketPath = join(at.pluginDirectory, `${at.name}.sock`);
  const length = Buffer.byteLength(socketPath);
  if (length > SOCKET_PATH_LIMIT_BYTES) {
    throw new Error(
      `the socket path ${socketPath} has ${length} bytes and a unix socket takes ${SOCKET_PATH_LIMIT_BYTES} at most; ` +
        'give a plugin directory with a shorter path',
    );
  }
  mkdirSync(at.pluginDirectory, { recursive: true });
  await clearStaleSocket(socketPath);
  const server = createServer((request, response) => void answer(store, request, response));
  await listen(server, socketPath);
  return {
    socketPath,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A killed instance leaves its socket behind; one that is served belongs to somebody. */
async function clearStaleSocket(path: string): Promise<void> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket; remove it first`);
  if (await isServed(path)) throw new Error(`${path} is served by another process; stop that one first`);
  rmSync(path, { force: true });
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function answer(
  store: HostdirStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') {
    send(response, 405, 'text/plain', 'calls are POST requests\n');
    return;
  }
  const body = await readBody(request).catch(() => undefined);
  if (body === undefined) {
    send(response, 413, 'text/plain', 'the request is too large or was torn\n');
    return;
  }
  const result = answerCall(store, (request.url ?? '').slice(1), body);
  const type =
    result.type === 'json' ? 'application/vnd.docker.plugins.v1.1+json' : 'text/plain; charset=utf-8';
  send(response, result.status, type, result.body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
