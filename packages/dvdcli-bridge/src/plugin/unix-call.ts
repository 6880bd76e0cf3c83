import { createConnection } from 'node:net';
import { ANSWER_LIMIT_BYTES, answerReader, type AnswerReading } from './http-answer.ts';
import type { CallResult } from './http-call.ts';

/**
 * One call of the plugin protocol through a unix socket, on a connection of its own. Written over `node:net`, because
 * `node:http` alone costs the `dvdcli` command a quarter of its whole time.
 */
export function callUnixSocket(
  socketPath: string,
  method: string,
  text: string,
  signal: AbortSignal,
): Promise<CallResult> {
  return new Promise((resolve) => {
    const reader = answerReader(ANSWER_LIMIT_BYTES);
    const socket = createConnection({ path: socketPath });
    let connected = false;
    const finish = (result: CallResult): void => {
      signal.removeEventListener('abort', timeUp);
      // What still comes, an error of the destroyed socket for one, concerns nobody.
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.destroy();
      resolve(result);
    };
    const timeUp = (): void => finish({ kind: 'time-limit', sent: connected });
    const judge = (reading: AnswerReading): void => {
      if (reading.kind === 'complete')
        finish({ kind: 'answered', status: reading.status, body: reading.body });
      if (reading.kind === 'broken')
        finish({ kind: 'lost', error: new Error(`the answer cannot be read: ${reading.why}`) });
    };
    signal.addEventListener('abort', timeUp);
    socket.on('connect', () => {
      connected = true;
      socket.write(requestText(method, text));
    });
    socket.on('data', (bytes: Buffer) => judge(reader.take(bytes)));
    socket.on('end', () => judge(reader.end()));
    socket.on('error', (error) => finish({ kind: connected ? 'lost' : 'not-sent', error }));
    socket.on('close', () =>
      finish({ kind: connected ? 'lost' : 'not-sent', error: new Error('the connection was closed') }),
    );
  });
}

function requestText(method: string, text: string): string {
  const lines = [
    `POST /${method} HTTP/1.1`,
    'Host: plugin.moby.localhost',
    'Accept: application/vnd.docker.plugins.v1.2+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${text}`;
}
