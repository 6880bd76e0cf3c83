/** What a node may be taken over by: each policy needs something that makes its proof true. */
import { fault, type Rule } from './rule.ts';

export const TAKEOVER_RULES: readonly Rule[] = [
  function fencingNeedsSharedLeases({ suspectPolicy, leaseDirectory, zookeeperUrl }) {
    return suspectPolicy === 'fence' && leaseDirectory === undefined && zookeeperUrl === undefined
      ? fault(
          'leaseDirectory',
          'or zookeeperUrl is required with suspectPolicy fence: wanted leases that scheduler and agents share',
          ['zookeeperUrl'],
        )
      : undefined;
  },
  function preemptingNeedsMeans({ suspectPolicy, fenceCommand, driverRevokes }) {
    return suspectPolicy === 'preempt' && fenceCommand === undefined && driverRevokes !== true
      ? fault(
          'fenceCommand',
          'or driverRevokes is required with suspectPolicy preempt: without either nothing takes the storage away from the old holder',
          ['driverRevokes'],
        )
      : undefined;
  },
];
