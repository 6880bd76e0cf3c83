/** Harm to a cluster that is not ours, through the program that CLUSTER_CONTROL names. */
import { execa } from 'execa';
import type { ClusterControl, Victim } from '../cluster-control.ts';

/** A program that does not come back has failed. */
const TIMEOUT_MS = 120_000;

/** What the program calls the victim: `master`, `agent:NAME` is just NAME, a whole machine is `machine:NAME`. */
function nameOf(victim: Victim): string {
  if (victim.kind === 'master') return 'master';
  return victim.kind === 'agent' ? victim.agent : `machine:${victim.agent}`;
}

/**
 * `path` is called as `kill|freeze|thaw|start|partition|heal VICTIM`; exit code 0 means done. Each method
 * rejects with the program's own words otherwise.
 */
export function programClusterControl(path: string): ClusterControl {
  const call = (verb: string) => async (victim: Victim) => {
    await execa(path, [verb, nameOf(victim)], { timeout: TIMEOUT_MS });
  };
  return {
    kill: call('kill'),
    freeze: call('freeze'),
    thaw: call('thaw'),
    start: call('start'),
    partition: call('partition'),
    heal: call('heal'),
  };
}
