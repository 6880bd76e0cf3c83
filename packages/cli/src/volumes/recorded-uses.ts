/** What the mount ledger of this host has on record about a volume, one line a use. */
import { existsSync } from 'node:fs';
import {
  mountLedgerDirectoryFrom,
  openMountLedger,
  type MountUse,
  type VolumeReference,
} from '@mesos-elasticsearch/dvdcli-bridge';

export interface RecordedUses {
  readonly uses: readonly string[];
  /** Records that cannot be read: any of them may be about this volume. */
  readonly notSeen: readonly string[];
}

/** @param user number, as for the executors of this host: who is not root looks at a ledger of its own */
export function recordedUses(
  volume: VolumeReference,
  environment: Readonly<Record<string, string | undefined>>,
  user: number,
): RecordedUses {
  const directory = mountLedgerDirectoryFrom(environment, user);
  // To look is not to make one.
  if (!existsSync(directory)) return { uses: [], notSeen: [] };
  try {
    const ledger = openMountLedger({ directory });
    const notSeen: string[] = [];
    const uses = ledger.keys().flatMap((key) => {
      try {
        const record = ledger.peek(key);
        const isOurs = record?.driver === volume.driver && record.volume === volume.name;
        return isOurs ? record.uses.map(useText) : [];
      } catch (error) {
        notSeen.push(`record ${key} of the mount ledger (${(error as Error).message})`);
        return [];
      }
    });
    return { uses, notSeen };
  } catch (error) {
    return { uses: [], notSeen: [`the mount ledger (${(error as Error).message})`] };
  }
}

function useText({ consumer, state, mount, errors }: MountUse): string {
  const where = mount === undefined ? '' : ` at ${mount.hostPath}`;
  const trouble = errors === undefined ? '' : `, ${errors.count} failed unmounts, the last: ${errors.says}`;
  return `${consumer}, by the mount ledger (${state}${where}${trouble})`;
}
