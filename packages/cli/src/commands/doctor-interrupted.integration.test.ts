/** A doctor that is interrupted, killed, or given a sick volume: what is left of its scratch volume, and what it says. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  startPluginServer,
  type PluginServer,
  type ReceivedCall,
  type ScriptedAnswer,
} from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { bundleCommand } from '../testing/bundle-command.ts';

const home = mkdtempSync(join(tmpdir(), 'interrupted-'));
const plugins = join(home, 'plugins');
const disk = join(home, 'disk');
const room = join(disk, 'room');
/** Names, and the mount IDs of each. */
const volumes = new Map<string, Set<string>>();
let command: string;
let plugin: PluginServer;
let atCall: (verb: string) => ScriptedAnswer | undefined;

beforeAll(async () => {
  command = await bundleCommand(home);
  mkdirSync(room, { recursive: true });
  plugin = await startPluginServer(plugins, 'plain', answerTo);
});
afterAll(async () => {
  await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => {
  rmSync(room, { recursive: true, force: true });
  mkdirSync(room);
  volumes.clear();
  atCall = () => undefined;
});

/** A driver that keeps its promises; all its volumes are one directory. */
function answerTo({ method, body: { Name: name = '', ID: id = '' } }: ReceivedCall): ScriptedAnswer {
  const verb = method.replace('VolumeDriver.', '');
  const ids = volumes.get(name);
  const told = atCall(verb);
  if (told !== undefined) return told;
  const describe = ([each, mounts]: [string, Set<string>]) => ({
    ...{ Name: each, Mountpoint: mounts.size > 0 ? room : '', Status: { Mounts: [...mounts] } },
  });
  switch (verb) {
    case 'Plugin.Activate':
      return { json: { Implements: ['VolumeDriver'] } };
    case 'Create':
      volumes.set(name, ids ?? new Set());
      return { json: {} };
    case 'List':
      return { json: { Volumes: [...volumes].map(describe) } };
    case 'Get':
      return { json: ids === undefined ? { Err: `${name} not found` } : { Volume: describe([name, ids]) } };
    case 'Mount':
      ids?.add(id);
      return { json: { Mountpoint: room } };
    case 'Unmount':
      ids?.delete(id);
      return { json: {} };
    case 'Remove':
      volumes.delete(name);
      return { json: {} };
    default:
      return { json: { Mountpoint: (ids?.size ?? 0) > 0 ? room : '' } };
  }
}

function start(...words: string[]) {
  return execa(process.execPath, [command, ...words], {
    reject: false,
    env: {
      VOLUME_PLUGIN_DIRECTORIES: plugins,
      MOUNT_LEDGER_DIRECTORY: join(home, 'ledger'),
      DOCKER_HOST: `unix://${home}/none.sock`,
    },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
}

/** Sends the signal when the driver is asked for the verb for the nth time. */
function startAndSignal(signal: NodeJS.Signals, verb: string, nth = 1) {
  let left = nth;
  const doctor = start('doctor', '--driver', 'plain');
  atCall = (asked) => {
    if (asked === verb && (left -= 1) === 0) doctor.kill(signal);
    return undefined;
  };
  return doctor;
}

const lineOf = (stdout: string, check: string): string =>
  new RegExp(`^[✓✗–] ${check} [^]*?(?=\\n[✓✗–] |(?![^]))`, 'm').exec(stdout)?.[0] ?? '';

describe('a doctor that is interrupted', () => {
  it.each<[NodeJS.Signals, string, number]>([
    ['SIGINT', 'Create', 1],
    ['SIGINT', 'Mount', 1],
    ['SIGTERM', 'Unmount', 1],
    ['SIGINT', 'Mount', 2],
    ['SIGHUP', 'Unmount', 2],
    ['SIGINT', 'Remove', 1],
  ])('by %s at %s number %i leaves nothing behind, and says so', async (signal, verb, nth) => {
    const { exitCode, stderr } = await startAndSignal(signal, verb, nth);
    expect(stderr).toMatch(/^interrupted: removing scratch volume doctor-\w+ .*\nremoved$/);
    expect(exitCode).toBe(1);
    expect([...volumes]).toEqual([]);
  });

  it('says what is left behind, and by which commands it goes', async () => {
    const doctor = start('doctor', '--driver', 'plain');
    atCall = (verb) => {
      if (verb === 'Mount') doctor.kill('SIGINT');
      return verb === 'Unmount' ? { json: { Err: 'device is busy' } } : undefined;
    };
    const { exitCode, stderr } = await doctor;
    const [name = ''] = [...volumes.keys()];
    expect(stderr).toMatch(
      new RegExp(`left behind: .*device is busy\\n.* volumes unmount ${name} .*\\n.* volumes rm ${name} `),
    );
    expect(exitCode).toBe(1);
  });

  it('by kill -9 is found out by the next one, which names the commands that clear up', async () => {
    await startAndSignal('SIGKILL', 'Mount');
    const [name = ''] = [...volumes.keys()];
    atCall = () => undefined;
    const { stdout } = await start('doctor', '--driver', 'plain');
    const left = lineOf(stdout, 'left behind');
    expect(left).toContain(`${name}: scratch volumes of a doctor that was killed`);
    expect([...volumes.keys()]).toEqual([name]);
    const commands = left.split('\n').flatMap((line) => {
      const words = line.trim().split(' ');
      return words[0] === 'mesos-elasticsearch' ? [words.slice(1)] : [];
    });
    expect(commands.map(([, verb]) => verb)).toEqual(['unmount', 'rm']);
    for (const words of commands) expect(await start(...words)).toMatchObject({ exitCode: 0 });
    expect([...volumes]).toEqual([]);
  });
});

const unavailable = process.getuid?.() === 0 ? '' : ' (skipped: mounting needs root)';
describe.skipIf(unavailable !== '')(`a doctor with a sick volume${unavailable}`, () => {
  it.each([
    ['is full', 'remount,size=256k', /ENOSPC[^]*→ make room/],
    ['is read-only', 'remount,ro', /EROFS[^]*→ .*mounted read-only/],
  ])('that %s says so and what to do, and leaves nothing behind', async (_, options, says) => {
    expect(spawnSync('mount', ['-t', 'tmpfs', 'none', disk]).status).toBe(0);
    try {
      mkdirSync(room);
      expect(spawnSync('mount', ['-o', options, disk]).status).toBe(0);
      const { exitCode, stdout } = await start('doctor', '--driver', 'plain');
      expect(lineOf(stdout, 'write and fsync')).toMatch(says);
      expect(lineOf(stdout, 'unmount')).toMatch(/^✓/);
      expect(lineOf(stdout, 'remove')).toMatch(/^✓/);
      expect(exitCode).toBe(1);
      expect([...volumes]).toEqual([]);
    } finally {
      expect(spawnSync('umount', [disk]).status).toBe(0);
    }
  });
});

describe('a doctor without what it is told to use', () => {
  it('does not take a driver for known that nobody could ask', async () => {
    const { stdout } = await start('doctor', '--driver', 'plain', '--path', 'engine');
    expect(lineOf(stdout, 'driver')).toMatch(/^– .*could not be asked by engine/);
    expect(lineOf(stdout, 'answer')).toMatch(/^✗ [^]*→ start dockerd, or give --docker-host/);
    const without = await start('doctor', '--driver', 'plain', '--path', 'dvdcli', '--dvdcli', '/nowhere/x');
    expect(lineOf(without.stdout, 'answer')).toMatch(/^✗ [^]*→ give a dvdcli: --dvdcli PATH/);
  });

  it('does not take a driver for known of which the Engine lists no volumes', async () => {
    const missing = 'error looking up volume plugin plain: plugin "plain" not found';
    const engine = createServer(({ method, url = '' }, response) => {
      const listed = method === 'GET' && url.includes('/volumes?');
      response.writeHead(listed ? 200 : 404, { 'content-type': 'application/json' });
      const refusal = method === 'POST' ? missing : 'get: no such volume';
      response.end(JSON.stringify(listed ? { Volumes: null, Warnings: null } : { message: refusal }));
    }).listen(join(home, 'engine.sock'));
    await once(engine, 'listening');
    try {
      const by = ['--driver', 'plain', '--path', 'engine', '--docker-host', `unix://${home}/engine.sock`];
      const { stdout } = await start('doctor', ...by);
      expect(lineOf(stdout, 'driver')).toMatch(/^– .*tells that it lacks a driver when it makes a volume/);
      expect(lineOf(stdout, 'create')).toMatch(
        /^✗ [^]*not found[^]*→ start the driver on the host of the Engine/,
      );
      expect((await start('volumes', 'ls', ...by)).stdout).toMatch(
        /or the Docker Engine does not have the driver$/,
      );
    } finally {
      engine.close();
      engine.closeAllConnections();
    }
  });

  it('ends although dvdcli hangs and a child of it keeps its output open', async () => {
    const program = join(home, 'hanging');
    writeFileSync(program, `#!/bin/sh\nsleep 600 &\necho $! > ${home}/child\nwait\n`);
    chmodSync(program, 0o755);
    const { stdout, timedOut } = await start('doctor', '--dvdcli', program);
    expect(timedOut).toBe(false);
    expect(lineOf(stdout, 'dvdcli')).toContain('it did not end within 5000 ms');
    const child = readFileSync(join(home, 'child'), 'utf8').trim();
    // A killed process that nobody waits for has no command line any more.
    const line = existsSync(`/proc/${child}`) ? readFileSync(`/proc/${child}/cmdline`, 'utf8') : '';
    expect(line).toBe('');
  });
});
