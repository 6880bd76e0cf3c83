export type {
  LedgerErrorCode,
  LedgerSnapshot,
  LedgerStore,
  RecordVersion,
  Versioned,
} from './ledger-store.ts';
export { LedgerError } from './ledger-store.ts';
export type { LeaseObservation, LeaseService, LeaseState } from './lease-service.ts';
export {
  LeaseUnavailableError,
  holderDeadlineMs,
  isLeaseExpired,
  isLeaseSilent,
  silenceNeededMs,
  CLOCK_RATE_TOLERANCE,
  observeLease,
} from './lease-service.ts';
export { openDirectoryLedger } from './directory/ledger.ts';
export { directoryLeases } from './directory/leases.ts';
export type { ZooKeeperOptions } from './zookeeper/client.ts';
export { connectZookeeper } from './zookeeper/client.ts';
export type { CampaignOptions, Leadership } from './zookeeper/election.ts';
export { campaign, CampaignError } from './zookeeper/election.ts';
export type { ZooKeeperAccess } from './zookeeper/layout.ts';
export { clusterRoot } from './zookeeper/layout.ts';
export type { LeasePlaceInZooKeeper } from './zookeeper/leases.ts';
export { zookeeperLeases, zookeeperLeasesOf } from './zookeeper/leases.ts';
export { openZookeeperLedger } from './zookeeper/ledger.ts';
export type { Outcome, ReadOptions, Stat, ZooKeeper, Znode } from './zookeeper/zookeeper.ts';
export { listDirectoryLeases } from './directory/list-leases.ts';
export type { MasterDetector, MasterGroup, MasterLog } from './mesos-masters/follow.ts';
export { followMasters } from './mesos-masters/follow.ts';
export { zookeeperMasterGroup } from './mesos-masters/over-zookeeper.ts';
export { listZookeeperLeases, readZookeeperLedger, zookeeperLeasesIn } from './zookeeper/read-state.ts';
export { digestIdentity } from './zookeeper/servers.ts';
export type { ZooKeeperUrl } from './zookeeper-url.ts';
export {
  parseZookeeperCredentials,
  parseZookeeperUrl,
  redactZookeeperUrl,
  ZooKeeperUrlError,
} from './zookeeper-url.ts';
