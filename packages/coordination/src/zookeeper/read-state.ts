/** What people and repairs read of a cluster in ZooKeeper, beside the scheduler that leads. */
import { parseNodeId, type Epoch, type NodeId } from '@mesos-elasticsearch/contract';
import type { LedgerSnapshot } from '../ledger-store.ts';
import { LeaseUnavailableError, type LeaseService } from '../lease-service.ts';
import type { Leadership } from './election.ts';
import { clusterAcls, inWords, leasesPath } from './layout.ts';
import { leasesIn } from './leases.ts';
import { openZookeeperLedger } from './ledger.ts';
import type { Outcome, ZooKeeper } from './zookeeper.ts';

/**
 * Each record is whole; that they belong to one moment is not promised, for the leader may be writing.
 * @throws LedgerError as `load` does
 */
export async function readZookeeperLedger(zookeeper: ZooKeeper, root: string): Promise<LedgerSnapshot> {
  const ledger = await openZookeeperLedger(onlooker(zookeeper, root));
  return ledger.load();
}

/** `read` only: whatever else would have to lead. */
export function zookeeperLeasesIn(zookeeper: ZooKeeper, root: string): LeaseService {
  return leasesIn({ zookeeper, root });
}

/** Leads nothing, and so has nothing to check or to lose. */
function onlooker(zookeeper: ZooKeeper, root: string): Leadership {
  return {
    number: 0,
    isLost: false,
    isConfirmed: false,
    lost: new Promise(() => undefined),
    guard: [],
    zookeeper,
    root,
    acls: clusterAcls(undefined),
    depose: () => undefined,
    resign: () => zookeeper.close(),
  };
}

/**
 * Every epoch that is there.
 * @throws LeaseUnavailableError when nothing certain can be said
 */
export async function listZookeeperLeases(
  zookeeper: ZooKeeper,
  root: string,
): Promise<readonly { readonly nodeId: NodeId; readonly epoch: Epoch }[]> {
  const found: { nodeId: NodeId; epoch: Epoch }[] = [];
  const top = leasesPath(root);
  for (const name of numbered(top, await zookeeper.children(top))) {
    const path = `${top}/${name}`;
    for (const epoch of numbered(path, await zookeeper.children(path))) {
      found.push({ nodeId: parseNodeId(name), epoch: Number(epoch) as Epoch });
    }
  }
  return found;
}

function numbered(path: string, outcome: Outcome<readonly string[] | undefined>): string[] {
  if (outcome.kind !== 'done') throw new LeaseUnavailableError(`${path}: ${inWords(outcome)}`);
  return (outcome.value ?? []).filter((name) => /^[1-9][0-9]*$/.test(name));
}
