/**
 * dockerd, on a cluster that runs its Elasticsearch in containers. By `npm run faults` only: an engine of its own,
 * with an image to import, costs more than a test run may.
 */
import { freezeFor } from './deeds.ts';
import { BRIEF_MS, LASTING_MS, MOVED_MS, SETTLED_MS } from './durations.ts';
import type { Evidence, FaultRow, Ground } from './row.ts';
import type { Engine } from '../cluster/engine.ts';

const ENGINE = { cluster: 'docker', victim: 'dockerd', always: false } as const;

export const ENGINES: readonly FaultRow[] = [
  {
    ...ENGINE,
    name: 'dockerd-killed',
    class: 'kill',
    fault: 'kill -9, started again',
    outcome: 'returns',
    holds: 'it ends the container that it finds, and only then the next one starts',
    boundMs: MOVED_MS,
    async harm(ground) {
      const engine = engineOf(ground);
      await engine.kill();
      await ground.lasting(BRIEF_MS);
      await engine.start();
    },
    check: oneAfterTheOther(2),
  },
  {
    ...ENGINE,
    name: 'dockerd-frozen',
    class: 'freeze',
    fault: `frozen for ${LASTING_MS / 1000} s`,
    outcome: 'stays',
    holds: 'its container runs on, the executor renews',
    boundMs: SETTLED_MS,
    harm: freezeFor(LASTING_MS, (ground) => engineOf(ground).pid),
    check: oneAfterTheOther(1),
  },
];

function engineOf({ cluster: { engine } }: Ground): Engine {
  if (engine === undefined) throw new Error('this cluster has no Docker engine of its own');
  return engine;
}

/** Containers are found by their PID namespace, volumes in theirs: that nothing was seen must not pass for order. */
function oneAfterTheOther(atLeast: number): (evidence: Evidence) => string[] {
  return ({ node, audit }) => {
    const jvms = audit.holdings
      .filter(({ volume, command }) => node.volumes.includes(volume) && command.includes('/java '))
      .sort((one, other) => one.firstMs - other.firstMs);
    const seen = new Set(jvms.map(({ pid }) => pid)).size;
    const early = jvms.filter(({ firstMs, volume, pid }, at) =>
      jvms.slice(0, at).some((old) => old.volume === volume && old.pid !== pid && old.lastMs >= firstMs),
    );
    return [
      ...(seen >= atLeast ? [] : [`the auditor saw ${seen} Elasticsearch on the volumes, not ${atLeast}`]),
      ...early.map(({ pid, volume }) => `pid ${pid} had ${volume} open before the one before it was gone`),
    ];
  };
}
