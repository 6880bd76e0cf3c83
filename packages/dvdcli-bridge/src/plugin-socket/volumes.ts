import type { LookAt } from '../mountpoint.ts';
import { readMountTable, readOtherMountTables, type MountEntry } from '../mount-table.ts';
import { done, type Outcome } from '../outcome.ts';
import { volumePlugin, type PluginTimeLimits, type VolumePlugin } from '../plugin/client.ts';
import type { PluginEndpoint } from '../plugin/endpoint.ts';
import { serialized } from '../serialize.ts';
import type { DriverDescription, VolumeCapabilities, Volumes } from '../volumes.ts';
import { attach } from './attach.ts';
import { ensure, inspect, list, remove } from './catalogue.ts';
import { detach } from './detach.ts';
import { heldVolumes } from '../held.ts';
import type { Setting, VolumeWarning } from './setting.ts';

export type { VolumeWarning } from './setting.ts';

export interface PluginSocketOptions {
  /** In the order in which they are searched; Docker's own unless told. */
  readonly directories?: readonly string[];
  /** The Docker Engine that is asked for managed plugins, see engineEndpointFrom; none unless told. */
  readonly engine?: PluginEndpoint | undefined;
  readonly timeLimits?: Partial<PluginTimeLimits> & {
    /** One operation of the interface, with all the calls that it takes. */
    readonly operationMs?: number;
  };
  readonly mountTable?: () => readonly MountEntry[];
  /** How a mountpoint is looked at; in this process unless told. */
  readonly lookAt?: LookAt;
  /** Of the other mount namespaces of this host. */
  readonly otherMountTables?: () => readonly (readonly MountEntry[])[];
  /** Told what stops nothing and should be known: options not applied, other users of a volume, case twins. */
  readonly warn?: (warning: VolumeWarning) => void;
}

/** A Mount at its limit, the questions before and after it, and an Unmount of what cannot be used. */
const DEFAULT_OPERATION_MS = 300_000;

/** Straight to the driver's socket: the only path on which the driver learns who mounts. */
export function pluginSocketVolumes(options: PluginSocketOptions = {}): Volumes {
  const plugins = new Map<string, VolumePlugin>();
  const operationMs = options.timeLimits?.operationMs ?? DEFAULT_OPERATION_MS;
  const pluginFor = (driver: string): VolumePlugin => {
    const known = plugins.get(driver) ?? volumePlugin({ driver, ...options });
    plugins.set(driver, known);
    return known.within(AbortSignal.timeout(operationMs));
  };
  const setting: Setting = {
    held: heldVolumes(),
    mountTable: options.mountTable ?? readMountTable,
    lookAt: options.lookAt,
    otherMountTables: options.otherMountTables ?? readOtherMountTables,
    warn: options.warn ?? (() => undefined),
  };
  return serialized({
    capabilities: CAPABILITIES,
    describe: (driver) => describe(pluginFor(driver), driver),
    ensure: (volume) => ensure(pluginFor(volume.driver), volume, volume.options, setting),
    inspect: (volume) => inspect(pluginFor(volume.driver), volume),
    list: (driver) => list(pluginFor(driver), driver),
    remove: (volume) => remove(pluginFor(volume.driver), volume, setting),
    attach: (volume, ...who) => attach(pluginFor(volume.driver), volume, setting, ...who),
    detach: (volume, ...who) => detach(pluginFor(volume.driver), volume, setting, ...who),
  });
}

const CAPABILITIES: VolumeCapabilities = {
  path: 'plugin-socket',
  attachment: 'host-path',
  takesOptions: true,
  commaInOptionValues: true,
  refusesRemovalInUse: true,
  countsConsumers: true,
};

async function describe(plugin: VolumePlugin, driver: string): Promise<Outcome<DriverDescription>> {
  const scope = await plugin.scope();
  return scope.kind === 'done' ? done({ driver, scope: scope.value }) : scope;
}
