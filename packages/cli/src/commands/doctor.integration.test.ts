/** The doctor with hostdir, with drivers that fail it, and with an agent that tells its flags. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHostdirPlugin, type RunningPlugin } from '@mesos-elasticsearch/dvdcli-bridge';
import { buildPrograms, startScriptedPlugin } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import type { Line } from '../doctor/core/line.ts';
import { doctorCommand } from './doctor.ts';

const home = mkdtempSync(join(tmpdir(), 'doctor-'));
const plugins = join(home, 'plugins');
let plugin: RunningPlugin;
let dvdcli: string;
let flags: { status: number; body: string };
let agent: http.Server;

beforeAll(async () => {
  const programs = await buildPrograms(home);
  dvdcli = programs.dvdcli;
  plugin = await startHostdirPlugin({
    program: programs.hostdir,
    store: join(home, 'store'),
    instance: 'here',
    pluginDirectory: plugins,
  });
  agent = http.createServer((_, response) => response.writeHead(flags.status).end(flags.body));
  await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve));
  flags = { status: 200, body: JSON.stringify({ flags: { isolation: 'filesystem/linux,docker/volume' } }) };
});
afterAll(async () => {
  agent.close();
  await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});

async function examine(...words: string[]) {
  let text = '';
  let code: number | undefined;
  const { port } = agent.address() as AddressInfo;
  const command = doctorCommand(
    (ended) => (code = ended),
    { write: (more) => (text += more), nowMs: () => 0 },
    { ...process.env, VOLUME_PLUGIN_DIRECTORIES: plugins, DOCKER_HOST: `unix://${home}/none.sock` },
  );
  await command.parseAsync([...words, '--json', '--agent', `127.0.0.1:${port}`], { from: 'user' });
  const { ok, lines } = JSON.parse(text) as { ok: boolean; lines: Line[] };
  expect(code).toBe(ok ? 0 : 1);
  expect(ok).toBe(lines.every(({ verdict }) => verdict !== 'failed'));
  const of = (check: string) => lines.find((line) => line.check === check);
  return { lines, of };
}

describe('the doctor', () => {
  it('tries a scratch volume from making to removing, and says how long each step took', async () => {
    const { lines, of } = await examine('--driver', 'hostdir', '--dvdcli', dvdcli);
    const steps = [
      'create',
      'mount',
      'write',
      'fsync',
      'unmount',
      'mount again',
      'read back',
      'unmount again',
      'remove',
    ];
    for (const step of ['answer', ...steps]) {
      expect(of(step)).toMatchObject({ verdict: 'fine', ms: expect.any(Number) });
    }
    expect(lines.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check)).not.toContain(
      'driver',
    );
    expect(readdirSync(join(home, 'store', 'volumes'))).toEqual([]);
  });

  it('finds dvdcli and the isolators that need it', async () => {
    expect((await examine('--dvdcli', dvdcli)).of('dvdcli')).toMatchObject({
      verdict: 'fine',
      says: expect.stringMatching(/ours/),
    });
    const { of } = await examine('--dvdcli', join(home, 'nowhere'));
    expect(of('isolators')).toMatchObject({
      verdict: 'fine',
      says: expect.stringContaining('docker/volume'),
    });
    expect(of('dvdcli')).toMatchObject({ verdict: 'failed', next: expect.stringContaining('--dvdcli') });
    expect(of('docker')?.verdict).not.toBe('fine');
  });

  it('says that an agent keeps its flags to itself', async () => {
    flags = { status: 401, body: 'no' };
    expect((await examine()).of('isolators')).toMatchObject({
      verdict: 'failed',
      says: expect.stringMatching(/401/),
    });
  });

  it('says which driver is missing, and where it was looked for', async () => {
    const { of } = await examine('--driver', 'nosuch', '--timeout', '1');
    expect(of('driver')).toMatchObject({ verdict: 'failed', says: expect.stringContaining(plugins) });
    expect(of('create')).toBeUndefined();
  });

  it('does not pass a driver whose volumes do not keep what was fsynced', async () => {
    const { calls, server } = await startAmnesiac();
    try {
      const { of } = await examine('--driver', 'amnesiac');
      expect(of('fsync')).toMatchObject({ verdict: 'fine' });
      expect(of('read back')).toMatchObject({ verdict: 'failed', says: expect.stringContaining('ENOENT') });
      expect(calls.filter((method) => method === 'Unmount')).toHaveLength(2);
      expect(calls.at(-1)).toBe('Remove');
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('does not hang with a driver that does, and says that nobody knows', async () => {
    const slow = await startScriptedPlugin(plugins, 'slow');
    slow.script('Get', { status: 404, json: { Err: 'volume not found' } });
    slow.script('List', { json: { Volumes: [] } });
    slow.script('Create', 'hang');
    try {
      const { of } = await examine('--driver', 'slow', '--timeout', '0.5');
      expect(of('create')).toMatchObject({
        verdict: 'failed',
        says: expect.stringContaining('may have happened'),
      });
      expect(of('mount')).toBeUndefined();
    } finally {
      await slow.stop();
    }
  });

  it('knows the options that a driver cannot do without, and the original dvdcli from ours', async () => {
    const script = join(home, 'original');
    writeFileSync(script, '#!/bin/sh\n[ "$1" = version ] && echo "SemVer: 0.2.1" || echo "Usage: dvdcli"\n');
    chmodSync(script, 0o755);
    const rclone = await startScriptedPlugin(plugins, 'rclone');
    try {
      const { of } = await examine('--driver', 'rclone', '--dvdcli', script);
      expect(of('options')).toMatchObject({
        verdict: 'failed',
        says: expect.stringMatching(/vfs-cache-mode is missing/),
      });
      expect(of('dvdcli')).toMatchObject({
        verdict: 'fine',
        says: expect.stringContaining('the original, 0.2.1'),
      });
    } finally {
      await rclone.stop();
    }
  });
});

/** A driver that gives another directory at every mount. */
async function startAmnesiac() {
  const calls: string[] = [];
  const made = new Set<string>();
  let mounts = 0;
  const answer = (verb: string, name: string): unknown => {
    if (verb === 'Create') made.add(name);
    if (verb === 'Remove') made.delete(name);
    if (verb === 'Get' && made.has(name)) return { Volume: { Name: name, Mountpoint: '' } };
    if (verb !== 'Mount') return {};
    const path = join(home, `amnesia${(mounts += 1)}`);
    mkdirSync(path);
    return { Mountpoint: path };
  };
  const server = http.createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const verb = (request.url ?? '').replace('/VolumeDriver.', '');
      if (verb === '/Plugin.Activate') return response.end('{"Implements":["VolumeDriver"]}');
      if (/^(?:Mount|Unmount|Remove)$/.test(verb)) calls.push(verb);
      const { Name: name = '' } = JSON.parse(text) as { Name?: string };
      return response.end(JSON.stringify(answer(verb, name)));
    });
  });
  await new Promise<void>((resolve) => server.listen(join(plugins, 'amnesiac.sock'), resolve));
  return { calls, server };
}
