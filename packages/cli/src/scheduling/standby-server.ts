/** What a scheduler answers while another one leads, so that nobody who asks after its health ends it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StandbyServer {
  readonly port: number;
  /** Who leads, as far as is known. */
  leader: string | undefined;
  /** The port is free afterwards. */
  close(): Promise<void>;
}

/** @throws Error when the port is taken: the API could not have it either */
export async function startStandbyServer(host: string, port: number): Promise<StandbyServer> {
  const server = createServer((request, response) => {
    const { leader } = standby;
    const isHealth = request.url?.split('?')[0] === '/health';
    const body = isHealth
      ? { status: 'standby', leader }
      : { error: `this scheduler stands by: ${leader ?? 'another one'} leads` };
    response.writeHead(isHealth ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = `${host}:${port} is taken by another program: stop it, or choose another --webUiPort`;
      reject(cause.code === 'EADDRINUSE' ? new Error(taken, { cause }) : cause);
    });
    server.listen(port, host, resolve);
  });
  const standby: StandbyServer = {
    port: (server.address() as AddressInfo).port,
    leader: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standby;
}
