import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeId } from '@mesos-elasticsearch/contract';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFenceCommand } from './fence-command.ts';

const log = pino({ level: 'silent' });
const step = {
  kind: 'fence',
  nodeId: nodeId(2),
  epoch: 3,
  attempt: 1,
  host: 'agent-2; rm -rf /',
  volumes: [
    { driver: 'rexray/ebs', name: 'elasticsearch2config' },
    { driver: 'rexray/ebs', name: 'elasticsearch2data' },
  ],
} as const;

describe('the fence command', () => {
  let directory: string;
  beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'fence-'))));
  afterAll(() => rm(directory, { recursive: true }));

  async function command(text: string, limitMs = 10_000) {
    const program = join(directory, `fence-${crypto.randomUUID()}`);
    await writeFile(program, `#!/bin/sh\n${text}\n`);
    await chmod(program, 0o755);
    return { program, limitMs };
  }

  it('is called with driver, volume and host for each volume, none of it seen by a shell', async () => {
    const calls = join(directory, 'calls');
    const fenced = await runFenceCommand(await command(`printf '%s|' "$#" "$@" >>"${calls}"`), step, log);
    expect(fenced).toMatchObject({ outcome: 'revoked', nodeId: 2, epoch: 3, attempt: 1 });
    const line = (volume: string) => `3|rexray/ebs|${volume}|agent-2; rm -rf /|`;
    expect(await readFile(calls, 'utf8')).toBe(line('elasticsearch2config') + line('elasticsearch2data'));
  });

  it('has failed when one volume could not be revoked, and says what the command said', async () => {
    const half = await command('case $2 in *data) echo "no such target" >&2; exit 5;; esac');
    const fenced = await runFenceCommand(half, step, log);
    expect(fenced).toMatchObject({ outcome: 'failed' });
    expect(fenced.message).toContain('elasticsearch2data');
    expect(fenced.message).toContain('no such target');
  });

  it('has failed when it does not end in time, or is not there', async () => {
    const slow = await runFenceCommand(await command('exec sleep 600', 200), step, log);
    expect(slow).toMatchObject({ outcome: 'failed' });
    expect(slow.message).toContain('no end within 200 ms');
    const missing = { program: join(directory, 'missing'), limitMs: 1000 };
    expect(await runFenceCommand(missing, step, log)).toMatchObject({ outcome: 'failed' });
  });
});
