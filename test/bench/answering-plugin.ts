import { createServer } from 'node:http';

const ANSWERS: Readonly<Record<string, (name: string, mountpoint: string) => unknown>> = {
  'Plugin.Activate': () => ({ Implements: ['VolumeDriver'] }),
  'VolumeDriver.Get': (name) => ({ Volume: { Name: name, Mountpoint: '' } }),
  'VolumeDriver.Mount': (_, mountpoint) => ({ Mountpoint: mountpoint }),
};

/**
 * A volume plugin that does nothing but answer, until it is killed. Says `ready` on standard output.
 * @param parameters the socket's path and the mountpoint it gives
 */
export function serveAnswers([socketPath = '', mountpoint = '']: readonly string[]): Promise<number> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    request.on('end', () => {
      const { Name: name = '' } = (text.trim() === '' ? {} : JSON.parse(text)) as { Name?: string };
      const answer = ANSWERS[(request.url ?? '').slice(1)]?.(name, mountpoint) ?? {};
      response.end(JSON.stringify(answer));
    });
  });
  server.listen(socketPath, () => process.stdout.write('ready\n'));
  return new Promise(() => undefined);
}
