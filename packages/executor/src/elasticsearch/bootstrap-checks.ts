/** Elasticsearch's own bootstrap checks, asked before it is started, so that the task's message names the remedy. Pure. */
import type { FlatSettings } from './settings.ts';

/** As read from /proc. `undefined`: unlimited or unknown. */
export interface MachineLimits {
  readonly maxMapCount: number | undefined;
  /** Hard limit: the JVM raises the soft one by itself. */
  readonly openFiles: number | undefined;
  /** The guard can raise the hard limit before it starts Elasticsearch. */
  readonly mayRaise: boolean;
}

const LEAST_MAP_COUNT = 262_144;
const LEAST_OPEN_FILES = 65_535;
const LOOPBACK = /^(127\.|localhost$|::1$|\[::1\]$|_local)/;

/** What Elasticsearch would refuse to start over. It enforces its checks only where it is reachable from outside. */
export function bootstrapProblems(settings: FlatSettings, limits: MachineLimits): readonly string[] {
  const hosts = [settings['network.bind_host'], settings['network.publish_host']].map(String);
  if (hosts.every((host) => LOOPBACK.test(host))) return [];
  const problems: string[] = [];
  const mmap = String(settings['node.store.allow_mmap'] ?? true) !== 'false';
  if (mmap && limits.maxMapCount !== undefined && limits.maxMapCount < LEAST_MAP_COUNT) {
    problems.push(
      `vm.max_map_count is ${String(limits.maxMapCount)}, Elasticsearch wants ${String(LEAST_MAP_COUNT)}: ` +
        `run "sysctl -w vm.max_map_count=${String(LEAST_MAP_COUNT)}" on this machine, or set node.store.allow_mmap: false`,
    );
  }
  if (!limits.mayRaise && limits.openFiles !== undefined && limits.openFiles < LEAST_OPEN_FILES) {
    problems.push(
      `the hard limit of open files is ${String(limits.openFiles)}, Elasticsearch wants ${String(LEAST_OPEN_FILES)}: ` +
        `raise "nofile" for the agent's user`,
    );
  }
  return problems;
}
