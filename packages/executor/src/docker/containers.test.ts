import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Docker from 'dockerode';
import { afterEach, describe, expect, it } from 'vitest';
import { untilStopped } from './containers.ts';

describe('waiting for the end of a container', () => {
  let daemon: Server;
  afterEach(() => daemon.close());

  it('goes on when the daemon was killed in the middle of its answer', async () => {
    daemon = createServer((request, response) => {
      if (request.url?.includes('/wait') === true) {
        // As dockerd does it: the head at once, the code when the container has ended.
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        setImmediate(() => response.destroy());
      } else {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ State: { Running: false, ExitCode: 143 } }));
      }
    }).listen(0, '127.0.0.1');
    await once(daemon, 'listening');
    const { port } = daemon.address() as AddressInfo;
    const container = new Docker({ protocol: 'http', host: '127.0.0.1', port }).getContainer('c');
    expect(await untilStopped(container)).toBe('exit code 143');
  });
});
