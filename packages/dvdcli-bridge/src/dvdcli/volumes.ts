import { heldVolumes } from '../held.ts';
import { readMountTable, readOtherMountTables } from '../mount-table.ts';
import { serialized } from '../serialize.ts';
import type { VolumeCapabilities, Volumes } from '../volumes.ts';
import { attach, detach } from './attachments.ts';
import { describe, ensure, inspect, list, remove } from './catalogue.ts';
import type { Cli, DvdcliOptions, DvdcliTimeLimits } from './cli.ts';

export type { DvdcliOptions, DvdcliTimeLimits } from './cli.ts';

/** Mesos kills the command after 120 s. */
const DEFAULT_TIME_LIMITS: DvdcliTimeLimits = { mountMs: 110_000, createMs: 110_000, otherMs: 60_000 };

/** Through the dvdcli command. It sends no mount ID, so the driver sees all its callers as one. */
export function dvdcliVolumes(options: DvdcliOptions): Volumes {
  const cli: Cli = {
    options,
    limits: { ...DEFAULT_TIME_LIMITS, ...options.timeLimits },
    mountTable: options.mountTable ?? readMountTable,
    otherMountTables: options.otherMountTables ?? readOtherMountTables,
    held: heldVolumes(),
    kind: undefined,
  };
  return serialized({
    capabilities: CAPABILITIES,
    describe: (driver) => describe(cli, driver),
    ensure: (volume) => ensure(cli, volume),
    inspect: (volume) => inspect(cli, volume),
    list: (driver) => list(cli, driver),
    remove: (volume) => remove(cli, volume),
    attach: (volume, consumer) => attach(cli, volume, consumer),
    detach: (volume, consumer) => detach(cli, volume, consumer),
  });
}

const CAPABILITIES: VolumeCapabilities = {
  path: 'dvdcli',
  attachment: 'host-path',
  takesOptions: true,
  commaInOptionValues: false,
  refusesRemovalInUse: true,
  countsConsumers: false,
};
