import { frameworkId, type FrameworkInfo } from '@mesos-elasticsearch/mesos-v1';
import type { FrameworkOptions } from '../options.ts';

/**
 * PARTITION_AWARE brings the fine states (UNREACHABLE, DROPPED, GONE…) instead of LOST for all. checkpoint lets
 * executors outlive a restart of their agent. failover_timeout is in seconds.
 */
export function frameworkInfoOf(options: FrameworkOptions, webuiUrl: string, id?: string): FrameworkInfo {
  const { principal, hostname } = options;
  return {
    user: options.user,
    name: options.name,
    role: options.role,
    checkpoint: true,
    failoverTimeout: options.failoverTimeoutSeconds,
    capabilities: [{ type: 'PARTITION_AWARE' }],
    webuiUrl: options.webuiUrl ?? webuiUrl,
    ...(principal === undefined ? {} : { principal }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(id === undefined ? {} : { id: frameworkId(id) }),
  };
}
