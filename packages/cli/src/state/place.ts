/** Where a ledger and its leases are, opened for an export or a rebuilding. */
import { stat } from 'node:fs/promises';
import type { Epoch, NodeId } from '@mesos-elasticsearch/contract';
import {
  campaign,
  CampaignError,
  connectZookeeper,
  directoryLeases,
  listDirectoryLeases,
  listZookeeperLeases,
  openDirectoryLedger,
  openZookeeperLedger,
  readZookeeperLedger,
  redactZookeeperUrl,
  zookeeperLeasesIn,
  zookeeperLeasesOf,
  type LeaseService,
  type LedgerSnapshot,
  type LedgerStore,
  type ZooKeeper,
} from '@mesos-elasticsearch/coordination';
import { UsageError } from '../commands/exit-code.ts';
import type { StatePlace } from '../config/compile.ts';
import { messageOf } from '../setup/setup-error.ts';

/** Ledger and leases as they are found; in ZooKeeper also beside a scheduler that runs. */
export interface ReadPlace {
  /** For people. */
  readonly name: string;
  load(): Promise<LedgerSnapshot>;
  readonly leases: LeaseService;
  listLeases(): Promise<readonly { readonly nodeId: NodeId; readonly epoch: Epoch }[]>;
  close(): Promise<void>;
}

export interface WritePlace extends ReadPlace {
  readonly ledger: LedgerStore;
}

type ZooKeeperPlace = Extract<StatePlace, { kind: 'zookeeper' }>;
/** A scheduler that was just stopped may need its session's time to be gone. */
const CAMPAIGN_MS = 12_000;

/** @throws LedgerError for a directory while a scheduler has it open; UsageError for one that is not there */
export async function openPlaceToRead(place: StatePlace): Promise<ReadPlace> {
  if (place.kind === 'directory') return openDirectory(place);
  const zookeeper = connect(place);
  return {
    name: nameOf(place),
    load: () => readZookeeperLedger(zookeeper, place.root),
    leases: zookeeperLeasesIn(zookeeper, place.root),
    listLeases: () => listZookeeperLeases(zookeeper, place.root),
    close: () => zookeeper.close(),
  };
}

/** @throws LedgerError or UsageError while a scheduler uses it */
export async function openPlaceToWrite(place: StatePlace): Promise<WritePlace> {
  if (place.kind === 'directory') return openDirectory(place);
  const { root, credentials, executorDigest } = place;
  const executors = executorDigest === undefined ? {} : { executorIdentity: executorDigest };
  const access = credentials === undefined ? {} : { access: { scheduler: credentials, ...executors } };
  const signal = AbortSignal.timeout(CAMPAIGN_MS);
  const leadership = await campaign({
    ...{ zookeeper: connect(place), root, name: 'state rebuild', signal },
    ...access,
  }).catch((error: unknown) => {
    if (!(error instanceof CampaignError) || !signal.aborted) throw error;
    throw new UsageError(
      `${nameOf(place)} does not answer, or a scheduler leads there: stop every scheduler first`,
    );
  });
  const ledger = await openZookeeperLedger(leadership);
  return {
    name: nameOf(place),
    ledger,
    load: () => ledger.load(),
    leases: zookeeperLeasesOf(leadership),
    listLeases: () => listZookeeperLeases(leadership.zookeeper, root),
    close: () => ledger.close(),
  };
}

async function openDirectory(place: Extract<StatePlace, { kind: 'directory' }>): Promise<WritePlace> {
  for (const directory of new Set([place.state, place.leases])) {
    await stat(directory).catch((error: unknown) => {
      throw new UsageError(`${directory} is not there: ${messageOf(error)}`);
    });
  }
  const ledger = await openDirectoryLedger(place.state);
  return {
    name: place.state,
    ledger,
    load: () => ledger.load(),
    leases: directoryLeases(place.leases),
    listLeases: () => listDirectoryLeases(place.leases),
    close: () => ledger.close(),
  };
}

function connect({ url, sessionTimeoutMs, credentials }: ZooKeeperPlace): ZooKeeper {
  const login = credentials === undefined ? {} : { credentials };
  return connectZookeeper({ servers: url.servers, sessionTimeoutMs, ...login });
}

function nameOf({ url, root }: ZooKeeperPlace): string {
  return redactZookeeperUrl({ ...url, path: root });
}
