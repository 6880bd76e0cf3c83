import type { LedgerSnapshot } from '@mesos-elasticsearch/coordination';
import type { DesiredCluster } from '../model.ts';
import { driversOf } from './volumes.ts';

/**
 * The flags name another driver than the nodes have. Nothing follows from that by itself: volumes keep their driver, so
 * it must be said, and what would follow it.
 */
export function strangeDrivers(
  { cluster }: DesiredCluster,
  { nodes }: LedgerSnapshot,
): { readonly message: string; readonly fields: object } | undefined {
  const { driver } = cluster.volumes.data;
  const others = [...nodes.values()].flatMap(({ record: { nodeId, volumes, dataOnRecord } }) => {
    const drivers = volumes === undefined || !dataOnRecord ? [] : driversOf(volumes);
    return drivers.some((each) => each !== driver) ? [{ nodeId, drivers }] : [];
  });
  if (others.length === 0) return undefined;
  const names = [...new Set(others.flatMap(({ drivers }) => drivers))].join(', ');
  return {
    message:
      `--externalVolumeDriver ${driver} is not the driver of the nodes' volumes, which is ${names}: they keep it. ` +
      `To move them: mesos-elasticsearch volumes migrate --to ${driver}. If they are to stay, name ${names} in the flag`,
    fields: { nodes: others },
  };
}
