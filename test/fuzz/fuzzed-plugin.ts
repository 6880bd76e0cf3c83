import { createServer, type Socket } from 'node:net';
import type { Random } from '../sim/random.ts';
import { httpAnswer, pluginAnswer, VOLUME } from './plugin-material.ts';

/** A volume plugin over bare bytes: right at most calls, so that a run gets somewhere, and nonsense at the others. */
export interface FuzzedPlugin {
  /** From here on it draws from these numbers. */
  use(random: Random): void;
  /** All that it said since then. */
  said(): string;
  close(): Promise<void>;
}

export async function startFuzzedPlugin(socketPath: string, mountpoint: string): Promise<FuzzedPlugin> {
  let random: Random | undefined;
  let said = '';
  const open = new Set<Socket>();
  const answer = (request: string): Buffer | 'hang' | 'close' => {
    if (random === undefined) return 'close';
    if (random.chance(0.02)) return random.pick(['hang', 'close']);
    if (random.chance(0.25)) return httpAnswer(random, pluginAnswer(random));
    return httpAnswer(random, { status: 200, body: rightAnswer(request, mountpoint) });
  };
  const server = createServer((socket) => {
    open.add(socket);
    let request = '';
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      if (!isWhole(request)) return;
      const bytesBack = answer(request);
      request = '';
      if (bytesBack === 'hang') return;
      if (bytesBack !== 'close') said += bytesBack.toString('utf8');
      // Without this the end of an answer that names no length would never be seen.
      if (bytesBack === 'close') socket.destroy();
      else socket.end(bytesBack);
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    use(numbers) {
      random = numbers;
      said = '';
    },
    said: () => said,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function isWhole(request: string): boolean {
  const head = request.indexOf('\r\n\r\n');
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(request)?.[1] ?? 0);
  return head >= 0 && request.length >= head + 4 + length;
}

function rightAnswer(request: string, mountpoint: string): string {
  if (request.startsWith('POST /Plugin.Activate')) return '{"Implements":["VolumeDriver"]}';
  if (request.startsWith('POST /VolumeDriver.Get')) return `{"Volume":{"Name":"${VOLUME}","Mountpoint":""}}`;
  if (request.startsWith('POST /VolumeDriver.Mount')) return JSON.stringify({ Mountpoint: mountpoint });
  if (request.startsWith('POST /VolumeDriver.Path')) return JSON.stringify({ Mountpoint: mountpoint });
  if (request.startsWith('POST /VolumeDriver.List')) return `{"Volumes":[{"Name":"${VOLUME}"}]}`;
  return '{}';
}
