import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinkProxy } from './link-proxy.ts';
import { ownerOfPort } from './socket-owner.ts';

let server: Server;
let proxy: LinkProxy;
const sockets: Socket[] = [];
/** Local port → caller. */
const callers = new Map<number, string>();

beforeEach(async () => {
  server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  proxy = await LinkProxy.open({ host: '127.0.0.1', port }, (from) => callers.get(from));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  server.close();
});

async function call(caller: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(proxy.address.split(':')[1]) });
  sockets.push(socket);
  socket.on('error', () => undefined);
  // Before the other side accepts it, so that it knows the caller.
  await once(socket, 'connect');
  callers.set(socket.localPort!, caller);
  return socket;
}

async function echoes(socket: Socket, limitMs = 1000): Promise<boolean> {
  const answer = once(socket, 'data', { signal: AbortSignal.timeout(limitMs) });
  socket.write('?');
  return answer.then(
    () => true,
    () => false,
  );
}

describe('a link that can be harmed', () => {
  it('swallows the bytes of one caller, keeps its connection open, and ends it when it heals', async () => {
    const [one, other] = [await call('one'), await call('other')];
    expect([await echoes(one), await echoes(other)]).toEqual([true, true]);
    proxy.swallow('one');
    expect([await echoes(one, 300), await echoes(other)]).toEqual([false, true]);
    expect(one.destroyed).toBe(false);
    const ended = once(one, 'close');
    proxy.heal('one');
    await ended;
    expect(await echoes(await call('one'))).toBe(true);
  });

  it('swallows for everyone', async () => {
    const one = await call('one');
    proxy.swallow();
    expect(await echoes(one, 300)).toBe(false);
  });

  it('delays every byte', async () => {
    const one = await call('one');
    proxy.delay(200);
    expect(await echoes(one, 100)).toBe(false);
    expect(await echoes(one)).toBe(true);
  });

  it('finds out which process calls', async () => {
    const one = await call('one');
    expect(ownerOfPort(one.localPort!, [1, process.pid])).toBe(process.pid);
    expect(ownerOfPort(one.localPort!, [1])).toBeUndefined();
  });
});
