export type {
  LedgerErrorCode,
  LedgerSnapshot,
  LedgerStore,
  RecordVersion,
  Versioned,
} from './ledger-store.ts';
export { LedgerError } from './ledger-store.ts';
export type { LeaseObservation, LeaseService, LeaseState } from './lease-service.ts';
export { LeaseUnavailableError, holderDeadlineMs, isLeaseExpired, observeLease } from './lease-service.ts';
export { openDirectoryLedger } from './directory/ledger.ts';
export { directoryLeases } from './directory/leases.ts';
