/** The double answers the recorded conversation as the real one did; then the behavioural suite through its socket. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, describe } from 'vitest';
import { callPlugin } from '../plugin/http-call.ts';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import { startRexrayLikePlugin, type RexrayLikePlugin } from './rexray-like-plugin.ts';
import { volumesContract, type ContractSubject } from './volumes-contract.ts';

interface RecordedCall {
  readonly method: string;
  readonly note?: string;
  readonly body?: unknown;
  readonly status: number;
  readonly response: string;
}

const recorded = readFileSync(
  new URL('../../../../test/fixtures/recordings/15-rexray-plugin.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as RecordedCall)
  // This one sends no JSON, which is the server's business and not the driver's.
  .filter(({ body }) => typeof body !== 'string');

it('the double says what REX-Ray said in recording 15, call by call', async () => {
  const home = mkdtempSync(join(tmpdir(), 'rexray-'));
  const plugin = await startRexrayLikePlugin({ directory: home, pluginDirectory: home });
  const send = async (method: string, body: unknown): Promise<{ status: number; answer: unknown }> => {
    const endpoint = { kind: 'unix', socketPath: join(home, 'rexray.sock') } as const;
    const result = await callPlugin(endpoint, method, body, AbortSignal.timeout(5_000));
    if (result.kind !== 'answered') throw new Error(result.kind);
    return { status: result.status, answer: comparable(result.body, home) };
  };
  // There when the recording began.
  await send('VolumeDriver.Create', { Name: 'elasticsearch1data', Opts: { size: '1' } });
  for (const { method, body, note, status, response } of recorded) {
    const said = await send(method, body);
    expect({ method, note, ...said }).toEqual({ method, note, status, answer: comparable(response, home) });
  }
  expect(recorded.length).toBeGreaterThan(30);
  expect(plugin.removedWhileMounted).toEqual(['elasticsearch6data']);
  await plugin.stop();
  rmSync(home, { recursive: true });
});

/** The order in a list says nothing, and where the volumes lie is each machine's own. */
function comparable(text: string, home: string): unknown {
  const paths = text.replaceAll('/var/lib/rexray/var/lib/volumes', `${home}/volumes`);
  try {
    const value = JSON.parse(paths) as { Volumes?: { Name: string }[] };
    value.Volumes?.sort((one, other) => one.Name.localeCompare(other.Name));
    return value;
  } catch {
    return paths;
  }
}

async function subject(ignoreUsedCount: boolean): Promise<ContractSubject & { plugin: RexrayLikePlugin }> {
  const home = mkdtempSync(join(tmpdir(), 'rexray-'));
  const plugin = await startRexrayLikePlugin({ directory: home, pluginDirectory: home, ignoreUsedCount });
  const open = () => pluginSocketVolumes({ directories: [home], mountTable: () => plugin.mountTable() });
  return {
    plugin,
    volumes: open(),
    restarted: open,
    driver: 'rexray',
    optionsFor: () => ({ size: '1' }),
    async close() {
      await plugin.stop();
      rmSync(home, { recursive: true, force: true });
      // It never was asked to do harm.
      expect(plugin.removedWhileMounted).toEqual([]);
      expect(new Set(plugin.names()).size).toBe(plugin.names().length);
    },
  };
}

volumesContract('plugin socket to a plugin like REX-Ray', () => subject(true));
volumesContract('plugin socket to a plugin like REX-Ray that counts by name', () => subject(false));

describe('a plugin like REX-Ray', () => {
  it('is never asked to remove what is mounted, not even by a bridge that remembers nothing', async () => {
    const tested = await subject(true);
    const { plugin, volumes } = tested;
    const volume = { name: 'elasticsearch1data' as never, driver: 'rexray', options: {} };
    await volumes.ensure(volume);
    expect((await volumes.attach(volume, 'task' as never)).kind).toBe('done');
    for (const bridge of [volumes, tested.restarted()])
      expect(await bridge.remove(volume)).toMatchObject({ kind: 'not-done', error: { code: 'in-use' } });
    expect(plugin.calls.map(({ method }) => method)).not.toContain('VolumeDriver.Remove');
    await tested.close();
  });
});
