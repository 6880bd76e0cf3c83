/** Where a ledger and its leases are, opened for an export or a rebuilding. */
import { stat } from 'node:fs/promises';
import {
  directoryLeases,
  listDirectoryLeases,
  openDirectoryLedger,
  type LeaseService,
  type LedgerStore,
} from '@mesos-elasticsearch/coordination';
import type { Epoch, NodeId } from '@mesos-elasticsearch/contract';
import { UsageError } from '../commands/exit-code.ts';
import type { StatePlace } from '../config/compile.ts';
import { messageOf } from '../setup/setup-error.ts';

export interface OpenPlace {
  /** For people. */
  readonly name: string;
  readonly ledger: LedgerStore;
  readonly leases: LeaseService;
  listLeases(): Promise<readonly { readonly nodeId: NodeId; readonly epoch: Epoch }[]>;
  close(): Promise<void>;
}

/** @throws LedgerError while a scheduler has it open; UsageError for a directory that is not there */
export async function openStatePlace(place: StatePlace): Promise<OpenPlace> {
  if (place.kind !== 'directory')
    throw new UsageError('ZooKeeper is not in this version: give --stateDirectory');
  for (const directory of new Set([place.state, place.leases])) {
    await stat(directory).catch((error: unknown) => {
      throw new UsageError(`${directory} is not there: ${messageOf(error)}`);
    });
  }
  const ledger = await openDirectoryLedger(place.state);
  return {
    name: place.state,
    ledger,
    leases: directoryLeases(place.leases),
    listLeases: () => listDirectoryLeases(place.leases),
    close: () => ledger.close(),
  };
}
