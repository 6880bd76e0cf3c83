/** What the auditor sees and says. It knows nothing of the code under test: no import leads there. */

/** Where a driver keeps volumes, absolute and without symbolic links; `*` stands for a volume's name. */
export type Store = string;

/** One process with files of one volume open, at one look. */
export interface Sighting {
  readonly volume: string;
  readonly pid: number;
  /** Ticks since boot; with the pid it names a process for good. */
  readonly startTicks: string;
  /** Whose process it is: all processes of one Mesos task share it. */
  readonly task: string;
  readonly writing: boolean;
  /** One of the files, as the process has it open. */
  readonly file: string;
  /** `major:minor` of the file system, as mountinfo has it. */
  readonly device: string;
  readonly command: string;
}

/** All sightings of one process on one volume. Milliseconds since the Unix epoch. */
export interface Holding extends Omit<Sighting, 'writing'> {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Last seen with a file open for writing; undefined: never. */
  readonly lastWritingMs: number | undefined;
}

/** Two tasks with files of one volume open for writing at the same moment. */
export interface Overlap {
  readonly volume: string;
  readonly holders: readonly [Sighting, Sighting];
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface Audit {
  readonly looks: number;
  /** The longest time between two looks: what was shorter than this may have been missed. */
  readonly longestGapMs: number;
  readonly holdings: readonly Holding[];
  readonly overlaps: readonly Overlap[];
  /** Two tasks had files open, but the storage of one of them was gone by then: it could write no more. */
  readonly revoked: readonly Overlap[];
}

/** What the auditor's process writes on stdout, one object a line. */
export type AuditorLine =
  | { readonly kind: 'watching' }
  | { readonly kind: 'overlap'; readonly overlap: Overlap }
  | { readonly kind: 'audit'; readonly audit: Audit };
