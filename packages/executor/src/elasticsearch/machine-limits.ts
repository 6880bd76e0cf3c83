import { readFile } from 'node:fs/promises';
import type { MachineLimits } from './bootstrap-checks.ts';

/** What /proc says about this machine and this process. */
export async function readMachineLimits(): Promise<MachineLimits> {
  const [mapCount, limits] = await Promise.all([
    readFile('/proc/sys/vm/max_map_count', 'utf8').catch(() => ''),
    readFile('/proc/self/limits', 'utf8').catch(() => ''),
  ]);
  const openFiles = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  return {
    maxMapCount: mapCount.trim() === '' ? undefined : Number(mapCount),
    openFiles: openFiles === undefined ? undefined : Number(openFiles),
    root: process.getuid?.() === 0,
  };
}
