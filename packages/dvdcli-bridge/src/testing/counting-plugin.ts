import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

export interface CountingPlugin {
  /** How often the volume is mounted, by the driver's count. */
  mounts(volume: string): number;
  /** Called before and after each Mount and Unmount is carried out, whoever waits for the answer. */
  onStep: (step: string) => void;
  stop(): Promise<void>;
}

/**
 * A driver that counts its mounts by name and ignores who asks, as REX-Ray does: a second Unmount is taken for another
 * consumer's. Its volumes are directories, and each of them exists.
 */
export async function startCountingPlugin(directory: string, name: string): Promise<CountingPlugin> {
  const counts = new Map<string, number>();
  const plugin: CountingPlugin = {
    mounts: (volume) => counts.get(volume) ?? 0,
    onStep: () => undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const change = (verb: string, volume: string, by: number): void => {
    plugin.onStep(`${verb} is asked for`);
    counts.set(volume, plugin.mounts(volume) + by);
    plugin.onStep(`${verb} is done`);
  };
  const pathOf = (volume: string): string => {
    const path = join(directory, 'volumes', volume);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const answer = (method: string, volume: string): unknown => {
    const mounted = plugin.mounts(volume) > 0;
    switch (method) {
      case '/Plugin.Activate':
        return { Implements: ['VolumeDriver'] };
      case '/VolumeDriver.Get':
        return { Volume: { Name: volume, Mountpoint: mounted ? pathOf(volume) : '' } };
      case '/VolumeDriver.Path':
        return { Mountpoint: mounted ? pathOf(volume) : '' };
      case '/VolumeDriver.Mount':
        change('Mount', volume, 1);
        return { Mountpoint: pathOf(volume) };
      case '/VolumeDriver.Unmount':
        if (!mounted) return { Err: `volume ${volume} is not mounted` };
        change('Unmount', volume, -1);
        return {};
      default:
        return { Err: `not needed here: ${method}` };
    }
  };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    request.on('end', () => {
      const body = JSON.parse(text.trim() === '' ? '{}' : text) as { Name?: string };
      response.end(JSON.stringify(answer(request.url ?? '', body.Name ?? '')));
    });
  });
  mkdirSync(directory, { recursive: true });
  await new Promise<void>((resolve) => server.listen(join(directory, `${name}.sock`), resolve));
  return plugin;
}
