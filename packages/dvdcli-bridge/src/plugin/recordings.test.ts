/** What REX-Ray and rclone really answered, call by call, through the client: nothing of it may be misread. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';
import { volumePlugin, type VolumePlugin } from './client.ts';

interface RecordedCall {
  readonly method: string;
  readonly note?: string;
  readonly body?: { Name?: string; ID?: string; Opts?: Record<string, string> };
  readonly status: number;
  readonly response: string;
}

function callsOf(recording: string): RecordedCall[] {
  const file = new URL(`../../../../test/fixtures/recordings/${recording}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedCall);
}

const VERBS = ['Create', 'Remove', 'Mount', 'Unmount', 'Path', 'Get'].map((verb) => `VolumeDriver.${verb}`);
/** The client makes no call without a name, and speaks no verb that is none. */
const isAsked = ({ method, body }: RecordedCall) =>
  method === 'VolumeDriver.List' || (body?.Name !== undefined && VERBS.includes(method));

/** How the client asks for the verb of a recorded call. */
function ask(plugin: VolumePlugin, { method, body = {} }: RecordedCall) {
  const { Name: name, ID: id, Opts: options } = body;
  if (method === 'VolumeDriver.List') return plugin.list();
  if (name === undefined) return undefined;
  switch (method) {
    case 'VolumeDriver.Create':
      return plugin.create(name, options ?? {});
    case 'VolumeDriver.Remove':
      return plugin.remove(name);
    case 'VolumeDriver.Mount':
      return plugin.mount(name, id);
    case 'VolumeDriver.Unmount':
      return plugin.unmount(name, id);
    case 'VolumeDriver.Path':
      return plugin.path(name);
    case 'VolumeDriver.Get':
      return plugin.get(name);
    default:
      return undefined;
  }
}

describe.each(['15-rexray-plugin', '16-rclone-plugin'])('recording %s', (recording) => {
  let directory: string;
  let scripted: ScriptedPlugin;
  let plugin: VolumePlugin;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'recorded-'));
    scripted = await startScriptedPlugin(directory, 'recorded');
    plugin = volumePlugin({ driver: 'recorded', directories: [directory] });
  });
  afterAll(async () => {
    await scripted.stop();
    rmSync(directory, { recursive: true });
  });

  const asked = callsOf(recording).filter(isAsked);
  it.each(
    asked.map((call, index) => ({ ...call, title: `${index + 1}: ${call.method} ${call.note ?? ''}` })),
  )('$title', async (call) => {
    scripted.script(call.method.replace('VolumeDriver.', ''), { status: call.status, text: call.response });
    const outcome = await ask(plugin, call)!;
    const answer = JSON.parse(call.response || '{}') as { Err?: string };
    const fault = call.status !== 200 || (answer.Err ?? '') !== '';
    if (call.method === 'VolumeDriver.Get') {
      // Absence is an answer too; what sounds like an illness must not pass for it.
      expect(outcome).toMatchObject({ kind: 'done', value: { kind: fault ? 'absent' : 'present' } });
    } else if (fault) {
      expect(outcome).toMatchObject({ kind: 'not-done', error: { driverMessage: answer.Err } });
    } else {
      expect(outcome.kind).toBe('done');
    }
  });

  it('holds calls of every kind', () => {
    expect(asked.length).toBeGreaterThan(20);
  });
});
