/** The ledger and the leases of the scheduler, and in ZooKeeper the right to write them. */
import {
  campaign,
  CampaignError,
  connectZookeeper,
  directoryLeases,
  openDirectoryLedger,
  openZookeeperLedger,
  zookeeperLeasesOf,
  type LeaseService,
  type Leadership,
  type LedgerStore,
} from '@mesos-elasticsearch/coordination';
import type { Logger } from 'pino';
import type { StatePlace } from '../config/compile.ts';

export interface OpenState {
  readonly ledger: LedgerStore;
  readonly leases: LeaseService;
  /** Resolves with the reason when another scheduler may lead; never, where there is no election. */
  readonly lost: Promise<string>;
  /** False while nobody can say whether another scheduler leads; always true where there is no election. */
  readonly mayLead: () => boolean;
}

export interface Candidate {
  /** What others see of it while it leads. */
  readonly name: string;
  readonly log: Logger;
  /** Gives the candidacy up. */
  readonly signal: AbortSignal;
  /** Another one leads, by this name. */
  readonly onStandby: (leader: string) => void;
}

type ZooKeeperPlace = Extract<StatePlace, { kind: 'zookeeper' }>;

/**
 * In ZooKeeper it waits until this scheduler leads.
 * @returns undefined when the candidacy was given up
 * @throws LedgerError, CampaignError
 */
export async function openState(place: StatePlace, candidate: Candidate): Promise<OpenState | undefined> {
  if (place.kind === 'directory') {
    const ledger = await openDirectoryLedger(place.state);
    return {
      ledger,
      leases: directoryLeases(place.leases),
      lost: new Promise(() => undefined),
      mayLead: () => true,
    };
  }
  const leadership = await untilWeLead(place, candidate);
  if (leadership === undefined) return undefined;
  candidate.log.info({ reign: leadership.number }, 'this scheduler leads');
  try {
    const ledger = await openZookeeperLedger(leadership);
    const mayLead = () => leadership.isConfirmed;
    return { ledger, leases: zookeeperLeasesOf(leadership), lost: leadership.lost, mayLead };
  } catch (error) {
    await leadership.resign();
    throw error;
  }
}

async function untilWeLead(
  { url, root, sessionTimeoutMs, credentials, executorDigest }: ZooKeeperPlace,
  { name, log, signal, onStandby }: Candidate,
): Promise<Leadership | undefined> {
  const login = credentials === undefined ? {} : { credentials };
  const zookeeper = connectZookeeper({
    servers: url.servers,
    sessionTimeoutMs,
    ...login,
    onChange: (message, fields) => log.info({ ...fields, of: 'state' }, message),
  });
  const executors = executorDigest === undefined ? {} : { executorIdentity: executorDigest };
  const access = credentials === undefined ? {} : { access: { scheduler: credentials, ...executors } };
  try {
    return await campaign({ zookeeper, root, name, signal, onStandby, ...access });
  } catch (error) {
    if (error instanceof CampaignError && signal.aborted) return undefined;
    throw error;
  }
}
