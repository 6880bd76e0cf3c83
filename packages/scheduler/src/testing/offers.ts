import { agentId, frameworkId, offerId, type Offer } from '@mesos-elasticsearch/mesos-v1';

/** Enough for an executor, and not for a node. */
export const SMALL: Partial<Offer> = {
  resources: [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 0.2 } },
    { name: 'mem', type: 'SCALAR', scalar: { value: 128 } },
  ],
};

/** 4 cpus, 4 GB, 10 GB, ten ports. */
export function offerOf(id: string, agent: string, changes: Partial<Offer> = {}): Offer {
  return {
    id: offerId(id),
    frameworkId: frameworkId('framework-1'),
    agentId: agentId(agent),
    hostname: agent,
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 4096 } },
      { name: 'disk', type: 'SCALAR', scalar: { value: 10_000 } },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 31_009 }] } },
    ],
    ...changes,
  };
}
