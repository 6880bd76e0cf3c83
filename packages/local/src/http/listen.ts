/** Listening, with an error that says what to do when the port is taken. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Resolves with the port; 0 asks the system for a free one. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  // Event streams are endless, and callers keep their connections: no limits in time.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const advice =
        cause.code === 'EADDRINUSE'
          ? 'it is in use; choose another --port, or 0 for a free one'
          : cause.message;
      reject(new ListenError(`cannot listen on ${host}:${port}: ${advice}`, { cause }));
    });
    server.listen(port, host, () => {
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
