import type { VolumeName, VolumeSpec } from '@mesos-elasticsearch/contract';
import type { Outcome } from './outcome.ts';

/**
 * Volumes behind one interface, written in intents that every path can keep honestly: a catalogue, and an
 * attachment. See docs/adr/0001-bridge-interface.md for why there is no `mount`.
 *
 * Contract:
 * - Every operation is idempotent and answers one of three outcomes ({@link Outcome}). It never throws for
 *   anything the driver does or fails to do, and it ends within its time limit.
 * - Operations on one volume (driver and name, compared exactly) are serialised; different volumes run in
 *   parallel.
 * - `unknown` must be retried by the same operation, or resolved by `inspect`/`detach`; it never frees.
 */
export interface Volumes {
  readonly capabilities: VolumeCapabilities;

  /** What the driver says of itself. An error means that the driver is not there or does not answer. */
  describe(driver: string): Promise<Outcome<DriverDescription>>;
  /**
   * Absent: created with its options. There: reused, options not applied (as every driver does) and said so. Where
   * the path can tell what it was created with, other options or another driver are refused (`conflict`); no options
   * at all ask for nothing, and fit everything.
   */
  ensure(volume: VolumeSpec): Promise<Outcome<EnsuredVolume>>;
  /** `undefined` inside `done`: the driver answered, and has no such volume. */
  inspect(volume: VolumeReference): Promise<Outcome<VolumeDescription | undefined>>;
  list(driver: string): Promise<Outcome<readonly VolumeDescription[]>>;
  /** Absent counts as done. A volume that is attached anywhere we can see is refused (`in-use`). */
  remove(volume: VolumeReference): Promise<Outcome<void>>;

  /**
   * Makes the volume usable by `consumer`. A host path is absolute and exists; an empty or relative answer of
   * the driver is refused (`bad-mountpoint`) and undone. Again by the same consumer: the same answer.
   * @param others see `detach`
   */
  attach(
    volume: VolumeReference,
    consumer: ConsumerId,
    others?: readonly string[],
  ): Promise<Outcome<Attachment>>;
  /**
   * Not attached counts as done. Another consumer's attachment stays.
   * @param others who else has it on this host, in other processes, by the mount ledger: of them nothing can be known here
   * where the driver does not tell who mounts
   */
  detach(volume: VolumeReference, consumer: ConsumerId, others?: readonly string[]): Promise<Outcome<void>>;
}

export interface VolumeReference {
  readonly name: VolumeName;
  readonly driver: string;
}

declare const brand: unique symbol;
/** Stable per user of a volume (for an executor: its task ID); the plugin's mount ID is derived from it. */
export type ConsumerId = string & { readonly [brand]: 'ConsumerId' };

export interface EnsuredVolume {
  readonly created: boolean;
  /** It existed, options were given, and nobody can tell whether it was made with them. */
  readonly optionsUnknown?: true;
}

export interface DriverDescription {
  readonly driver: string;
  /** global: every machine sees the same volume under the same name. What does not say so is local. */
  readonly scope: 'local' | 'global';
}

export interface VolumeDescription {
  readonly name: string;
  readonly driver: string;
  /** As the driver says, on this host; many drivers report it although nothing is mounted. */
  readonly mountpoint: string | undefined;
  /** RFC 3339, where the driver tells. */
  readonly createdAt?: string;
  /** The driver's own words about it, free of form, where there are any. */
  readonly status?: Readonly<Record<string, unknown>>;
}

/**
 * host-path: a directory of this host.
 * container-mount: the Engine mounts it while a container uses it; give these fields to the container.
 */
export type Attachment =
  | { readonly kind: 'host-path'; readonly hostPath: string }
  | { readonly kind: 'container-mount'; readonly driver: string; readonly source: string };

export interface VolumeCapabilities {
  readonly path: 'plugin-socket' | 'engine' | 'dvdcli' | 'isolator';
  readonly attachment: Attachment['kind'];
  /** Options reach the driver at creation. */
  readonly takesOptions: boolean;
  /** A comma inside an option value cannot be carried by the original dvdcli. */
  readonly commaInOptionValues: boolean;
  /** Removal is refused here while attached, whatever the driver would do. */
  readonly refusesRemovalInUse: boolean;
  /** Two consumers of one host may hold the same volume at once. */
  readonly countsConsumers: boolean;
}
