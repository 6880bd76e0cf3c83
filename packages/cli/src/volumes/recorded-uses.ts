/** What the mount ledgers of this host have on record about a volume, one line a use. */
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  DEFAULT_MOUNT_LEDGER,
  DRIVERS,
  knownDriver,
  MOUNT_LEDGER_VARIABLE,
  mountLedgerDirectoryFrom,
  openMountLedger,
  recordKey,
  type MountUse,
  type VolumeReference,
} from '@mesos-elasticsearch/dvdcli-bridge';

export interface RecordedUses {
  /** Who has it; a record of this volume that cannot be read may name anybody, and counts as a use. */
  readonly uses: readonly string[];
  readonly consumers: readonly string[];
  /** One of `uses` is a record that cannot be read. */
  readonly damaged: boolean;
  /** Records that cannot be read and are not this volume's. */
  readonly notSeen: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;
const NOTHING: RecordedUses = { uses: [], consumers: [], damaged: false, notSeen: [] };

/**
 * @param user number: who is not root has a ledger of its own, and executors that run as root have another; root looks
 * at those of all users
 * @param temporary where users other than root have theirs
 */
export function recordedUses(
  volume: VolumeReference,
  environment: Environment,
  user: number,
  temporary = '/tmp',
): RecordedUses {
  const directories = ledgerDirectories(environment, user, temporary);
  return directories.map((directory) => usesIn(directory, volume)).reduce(joined, NOTHING);
}

function joined(all: RecordedUses, each: RecordedUses): RecordedUses {
  return {
    uses: [...all.uses, ...each.uses],
    consumers: [...all.consumers, ...each.consumers],
    damaged: all.damaged || each.damaged,
    notSeen: [...all.notSeen, ...each.notSeen],
  };
}

/** Those that exist: to look is not to make one. */
function ledgerDirectories(environment: Environment, user: number, temporary: string): readonly string[] {
  const own = mountLedgerDirectoryFrom(environment, user);
  if ((environment[MOUNT_LEDGER_VARIABLE] ?? '') !== '') return [own].filter((path) => existsSync(path));
  const others =
    user === 0
      ? readdirSync(temporary)
          .filter((name) => /^mesos-elasticsearch-\d+$/.test(name))
          .map((name) => join(temporary, name, 'mounts'))
      : [DEFAULT_MOUNT_LEDGER];
  return [...new Set([own, ...others])].filter((path) => existsSync(path));
}

function usesIn(directory: string, volume: VolumeReference): RecordedUses {
  try {
    const ledger = openMountLedger({ directory });
    const asides = readdirSync(directory).filter((file) => file.endsWith('.damaged'));
    const found = ledger.keys().map((key) => {
      try {
        // A pipe that somebody else has put there would be waited for.
        const file = lstatSync(join(directory, `${key}.json`), { throwIfNoEntry: false });
        if (file?.isFile() === false) throw new Error('it is not a file');
        const record = ledger.peek(key);
        if (record === undefined || !isSame(record, volume)) return NOTHING;
        const consumers = record.uses.map(({ consumer }) => consumer);
        return { ...NOTHING, uses: record.uses.map(useText), consumers };
      } catch (error) {
        return unread(join(directory, `${key}.json`), isFileOf(key, volume), (error as Error).message);
      }
    });
    const damaged = asides.map((file) =>
      unread(join(directory, file), isFileOf(file, volume), 'it was put aside as damaged'),
    );
    return [...found, ...damaged].reduce(joined, NOTHING);
  } catch (error) {
    const says = `whoever is on record in the mount ledger ${directory}, which cannot be read (${(error as Error).message}): run this as its owner`;
    return { ...NOTHING, uses: [says], damaged: true };
  }
}

function unread(file: string, isOurs: boolean, why: string): RecordedUses {
  if (!isOurs) return { ...NOTHING, notSeen: [`${file} of the mount ledger (${why})`] };
  const says = `whoever ${file} of the mount ledger names, which cannot be read (${why}): look with findmnt, and remove that file when the volume is not mounted`;
  return { ...NOTHING, uses: [says], damaged: true };
}

/** Names that differ in case only are one volume to some drivers, and to drivers of which nothing is known perhaps. */
function isSame(record: { driver: string; volume: string }, { driver, name }: VolumeReference): boolean {
  if (record.driver !== driver) return false;
  return record.volume === name || (foldsCase(driver) && record.volume.toLowerCase() === name.toLowerCase());
}

/** Of a record that cannot be read only the file's name tells whose it is. */
function isFileOf(file: string, volume: VolumeReference): boolean {
  const key = recordKey(volume);
  if (file.startsWith(key)) return true;
  const readable = key.slice(0, key.lastIndexOf('.') + 1).toLowerCase();
  return foldsCase(volume.driver) && file.toLowerCase().startsWith(readable);
}

function foldsCase(driver: string): boolean {
  const known = knownDriver(driver);
  return known === undefined || !DRIVERS[known].caseSensitiveNames.value;
}

function useText({ consumer, state, mount, errors }: MountUse): string {
  const where = mount === undefined ? '' : ` at ${mount.hostPath}`;
  const trouble = errors === undefined ? '' : `, ${errors.count} failed unmounts, the last: ${errors.says}`;
  return `${consumer}, by the mount ledger (${state}${where}${trouble})`;
}
