import type { CommandRunner } from '../ports.ts';
import type { MachineLimits } from './bootstrap-checks.ts';

/** CAP_SYS_RESOURCE: may raise hard limits. */
const RAISES_LIMITS = 1n << 24n;

/** What /proc says where Elasticsearch will run. */
export async function readMachineLimits(commands: CommandRunner): Promise<MachineLimits> {
  const read = async (path: string, as: 'administrator' | 'node') =>
    (await commands.run(['cat', path], { as })).stdout.toString('utf8');
  const mapCount = await read('/proc/sys/vm/max_map_count', 'node');
  const limits = await read('/proc/self/limits', 'node');
  const status = await read('/proc/self/status', 'administrator');
  const openFiles = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  const capabilities = /^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? '0';
  return {
    maxMapCount: mapCount.trim() === '' ? undefined : Number(mapCount),
    openFiles: openFiles === undefined ? undefined : Number(openFiles),
    mayRaise: (BigInt(`0x${capabilities}`) & RAISES_LIMITS) !== 0n,
  };
}
