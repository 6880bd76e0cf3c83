/** What is known of drivers by name. A driver that is not listed is taken at its word. */
import { fact, no, yes, type Fact } from './fact.ts';
import type { PathName } from './paths.ts';

export const DRIVER_NAMES = ['hostdir', 'rclone', 'rexray', 'local'] as const;
export type KnownDriver = (typeof DRIVER_NAMES)[number];

export interface DriverCapabilities {
  /** Undefined: every path. */
  readonly reachedBy: Fact<readonly PathName[] | undefined>;
  /** What Capabilities answers: one object for all hosts, or one on each. */
  readonly scope: Fact<'global' | 'local'>;
  /** It takes a volume away from its old host by itself. `if-set`: where its configuration says so. */
  readonly revokes: Fact<'never' | 'if-set'>;
  /** A mount, or a plain directory. */
  readonly isMount: Fact<boolean>;
  /** by-id: one user's unmount leaves another's mount. by-name: a count, or nothing at all. */
  readonly counts: Fact<'by-id' | 'by-name'>;
  readonly size: Fact<boolean>;
  readonly options: Fact<readonly OptionRule[]>;
  readonly caseSensitiveNames: Fact<boolean>;
  /** It removes a volume that is mounted, without a word. */
  readonly removesMounted: Fact<boolean>;
  /** What was fsynced before a machine died is on the volume. */
  readonly keepsFsynced: Fact<boolean>;
}

/** Something that an option must or must not be with this driver. */
export interface OptionRule {
  readonly key: string;
  /** Undefined: the option must be absent. */
  readonly pattern: RegExp | undefined;
  readonly required: boolean;
  /** `wanted …` of an error, and why. */
  readonly wanted: string;
}

const HOSTDIR = 'our own driver';
const RCLONE = 'observed with rclone 1.60';
const REXRAY = "read in REX-Ray's source and observed in a conversation with it";
const LOCAL = 'built into Docker 20.10';

export const DRIVERS: Readonly<Record<KnownDriver, DriverCapabilities>> = {
  hostdir: {
    reachedBy: fact(undefined, 'every path', HOSTDIR),
    scope: fact('global', 'global', HOSTDIR),
    revokes: fact('never', 'never: a directory cannot be taken from a live process', HOSTDIR),
    isMount: no(HOSTDIR, 'no: a directory'),
    counts: fact('by-id', 'per mount ID', HOSTDIR),
    size: no(HOSTDIR, 'no: taken and kept, not enforced'),
    options: fact([], 'any, kept for inspection', HOSTDIR),
    caseSensitiveNames: yes(HOSTDIR),
    removesMounted: no(HOSTDIR, 'no: refused'),
    keepsFsynced: yes('a directory of the store', 'as its store does'),
  },
  rclone: {
    reachedBy: fact(undefined, 'every path', RCLONE),
    scope: fact('local', 'local', RCLONE),
    revokes: fact('never', 'never', RCLONE),
    isMount: yes(RCLONE, 'yes (FUSE)'),
    counts: fact('by-id', 'per mount ID', RCLONE),
    size: no(RCLONE, 'no: the option is refused'),
    options: fact(
      [
        {
          key: 'vfs-cache-mode',
          pattern: /^(?:writes|full)$/,
          required: true,
          wanted: 'wanted writes or full: without a write cache the first commit of Lucene fails',
        },
        {
          key: 'size',
          pattern: undefined,
          required: false,
          wanted: 'wanted no such option: rclone refuses what it does not know, and has no size',
        },
      ],
      'vfs-cache-mode=writes or full, allow-other for a non-root node, no size',
      RCLONE,
    ),
    caseSensitiveNames: yes(RCLONE),
    removesMounted: no(RCLONE, 'no: refused'),
    keepsFsynced: no(`${RCLONE}: its write cache lies on the host`, 'no: its write cache goes with the host'),
  },
  rexray: {
    reachedBy: fact(undefined, 'every path', REXRAY),
    scope: fact('global', 'global', REXRAY),
    revokes: fact(
      'if-set',
      'with preempt: true in its configuration',
      `${REXRAY}; not for RBD, EFS, S3FS, Isilon`,
    ),
    isMount: yes(REXRAY),
    counts: fact('by-name', 'per name, in memory; with ignoreUsedCount not at all', REXRAY),
    size: yes(REXRAY, 'yes: size=GB, whole'),
    options: fact(
      [
        {
          key: 'size',
          pattern: /^[1-9]\d*$/,
          required: false,
          wanted: 'wanted a whole number of GB without a unit',
        },
        {
          key: 'overwritefs',
          pattern: /^false$/i,
          required: false,
          wanted: 'wanted false, or no such option: true formats a volume that has data',
        },
      ],
      'size a whole number, never overwritefs=true',
      REXRAY,
    ),
    caseSensitiveNames: no(REXRAY, 'no: A and a are one volume'),
    removesMounted: yes(REXRAY, 'yes, without a word; never asked to'),
    keepsFsynced: yes('a block device of its storage'),
  },
  local: {
    reachedBy: fact(['engine'], 'engine only', LOCAL),
    scope: fact('local', 'local', LOCAL),
    revokes: fact('never', 'never: its volumes stay on their host', LOCAL),
    isMount: no(LOCAL, 'no: a directory, unless type= says otherwise'),
    counts: fact('by-id', 'per mount ID', LOCAL),
    size: no(LOCAL, 'no, unless o=size= on tmpfs or quota'),
    options: fact([], 'type, o, device', LOCAL),
    caseSensitiveNames: yes(LOCAL),
    removesMounted: no(LOCAL, 'no: refused while a container refers to it'),
    keepsFsynced: yes('a directory of the host', 'as its host does'),
  },
};

/** Undefined: nothing is known of it. A tag or a vendor in front changes the plugin, so only the bare name counts. */
export function knownDriver(name: string): KnownDriver | undefined {
  return DRIVER_NAMES.find((known) => known === name);
}
