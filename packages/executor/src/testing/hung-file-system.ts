/** A FUSE file system that is mounted, reads what it is asked for and never answers: who asks hangs in the kernel. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';

/** Why there can be none here; undefined where there can. */
export function hungFileSystemUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  return existsSync('/dev/fuse') ? undefined : 'this machine has no /dev/fuse';
}

/**
 * Answers FUSE_INIT (7.31), then swallows every request. A request that has been read cannot be taken back, so even SIGKILL
 * does not end who waits for it: only the end of this program does, which tears the connection down.
 */
const PROGRAM = `
  const { openSync, readSync, writeSync } = require('node:fs');
  const { spawnSync } = require('node:child_process');
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
  const mounted = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'hung', process.argv[1]], {
    stdio: ['ignore', 'inherit', 'inherit', device],
  });
  if (mounted.status !== 0) process.exit(1);
  const request = Buffer.alloc(1 << 20);
  const length = readSync(device, request);
  const answer = Buffer.alloc(80);
  answer.writeUInt32LE(80, 0);
  answer.writeBigUInt64LE(request.readBigUInt64LE(8), 8);
  answer.writeUInt32LE(7, 16);
  answer.writeUInt32LE(31, 20);
  answer.writeUInt32LE(4096, 36);
  writeSync(device, answer);
  process.stdout.write('mounted');
  for (;;) readSync(device, request);
`;

export interface HungFileSystem {
  /** Those who wait for it get an error, and it is unmounted. */
  end(): Promise<void>;
}

export async function mountHungFileSystem(mountpoint: string): Promise<HungFileSystem> {
  mkdirSync(mountpoint, { recursive: true });
  const child = spawn(process.execPath, ['-e', PROGRAM, mountpoint], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const first = await Promise.race([once(child.stdout, 'data'), ended.then(() => 'ended' as const)]);
  if (first === 'ended') throw new Error('the hanging file system could not be mounted');
  return {
    end: async () => {
      child.kill('SIGKILL');
      await ended;
      execFileSync('umount', ['-l', mountpoint]);
    },
  };
}
