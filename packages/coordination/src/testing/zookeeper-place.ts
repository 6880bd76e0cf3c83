import { nodeId, type Epoch, type NodeId } from '@mesos-elasticsearch/contract';
import { LedgerError, type LedgerStore } from '../ledger-store.ts';
import { campaign, CampaignError, type Leadership } from '../zookeeper/election.ts';
import type { ZooKeeperAccess } from '../zookeeper/layout.ts';
import { openZookeeperLedger } from '../zookeeper/ledger.ts';
import type { ZooKeeper } from '../zookeeper/zookeeper.ts';
import type { LedgerPlace } from './ledger-contract.ts';
import { frameworkRecord, nodeRecord } from './records.ts';

export interface ZooKeeperPlaceOptions {
  readonly connect: () => ZooKeeper;
  readonly root: string;
  readonly access?: ZooKeeperAccess;
  /** How long a second scheduler stands by before it gives up. */
  readonly patienceMs?: number;
}

/** A ledger below one root; whoever opens it campaigns first, and the place is taken while another one leads. */
export function zookeeperLedgerPlace(options: ZooKeeperPlaceOptions): LedgerPlace {
  return {
    open: async (): Promise<LedgerStore> => {
      const signal = AbortSignal.timeout(options.patienceMs ?? 300);
      try {
        return await openZookeeperLedger(await lead(options, signal));
      } catch (error) {
        if (!(error instanceof CampaignError)) throw error;
        throw new LedgerError('in-use', 'another scheduler leads', { cause: error });
      }
    },
  };
}

export function lead(options: ZooKeeperPlaceOptions, signal?: AbortSignal): Promise<Leadership> {
  const { connect, root, access } = options;
  return campaign({
    ...{ zookeeper: connect(), root },
    ...(access && { access }),
    ...(signal && { signal }),
  });
}

/** Writes the record that assigns the node to the task, as a scheduler does before it opens the epoch. */
export class Assignments {
  readonly #ledger: LedgerStore;
  readonly #versions = new Map<NodeId, number>();

  private constructor(ledger: LedgerStore) {
    this.#ledger = ledger;
  }

  static async of(leadership: Leadership): Promise<Assignments> {
    const ledger = await openZookeeperLedger(leadership);
    const { framework, nodes } = await ledger.load();
    if (framework === undefined) await ledger.writeFramework(frameworkRecord(), 0);
    const assignments = new Assignments(ledger);
    for (const [id, { version }] of nodes) assignments.#versions.set(id, version);
    return assignments;
  }

  async assign(id: NodeId, epoch: Epoch, taskId: string, why = 'assigned'): Promise<void> {
    const holder = { ...nodeRecord(id).holder!, taskId };
    const record = nodeRecord(id, { epoch, holder, why });
    const version = await this.#ledger.writeNode(record, this.#versions.get(nodeId(id)) ?? 0);
    this.#versions.set(nodeId(id), version);
  }
}
