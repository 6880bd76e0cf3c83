export type { VolumeName, VolumeSpec } from '@mesos-elasticsearch/contract';
export { volumeName } from '@mesos-elasticsearch/contract';
export type { Outcome, VolumeErrorCode } from './outcome.ts';
export { VolumeError, done, notDone, unknownOutcome } from './outcome.ts';
export type {
  Attachment,
  ConsumerId,
  DriverDescription,
  EnsuredVolume,
  VolumeCapabilities,
  VolumeDescription,
  VolumeReference,
  Volumes,
} from './volumes.ts';
export {
  DEFAULT_PLUGIN_DIRECTORIES,
  PLUGIN_DIRECTORIES_VARIABLE,
  pluginDirectoriesFrom,
} from './plugin/find-plugin.ts';
export {
  DEFAULT_ENGINE_ADDRESS,
  engineEndpointFrom,
  engineForManagedPlugins,
} from './plugin/engine-endpoint.ts';
export type { PluginEndpoint } from './plugin/endpoint.ts';
export type { PluginTimeLimits } from './plugin/client.ts';
export type { PluginSocketOptions, VolumeWarning } from './plugin-socket/volumes.ts';
export { pluginSocketVolumes } from './plugin-socket/volumes.ts';
export { mountIdOf } from './plugin-socket/mount-id.ts';
export type { MountEntry } from './mount-table.ts';
export {
  isMountPoint,
  isUnder,
  locateInFileSystem,
  parseMountTable,
  readMountTable,
  topMountAt,
} from './mount-table.ts';
export { serialized } from './serialize.ts';
export type { HostdirPluginOptions, RunningPlugin } from './hostdir/start.ts';
export { startHostdirPlugin } from './hostdir/start.ts';
export type { RclonePluginOptions } from './rclone/serve-docker.ts';
export { rcloneVolumeOptions, startRclonePlugin } from './rclone/serve-docker.ts';
export type { DvdcliOptions, DvdcliTimeLimits } from './dvdcli/volumes.ts';
export { dvdcliVolumes } from './dvdcli/volumes.ts';
export type { EngineOptions } from './engine/volumes.ts';
export { engineVolumes } from './engine/volumes.ts';
export { charactersIn, nameOfCharacter } from './capabilities/core/characters.ts';
export type { DriverCapabilities, KnownDriver, OptionRule } from './capabilities/core/drivers.ts';
export { DRIVERS, DRIVER_NAMES, knownDriver } from './capabilities/core/drivers.ts';
export type { Fact } from './capabilities/core/fact.ts';
export type { PathCapabilities, PathName } from './capabilities/core/paths.ts';
export { PATHS, PATH_NAMES } from './capabilities/core/paths.ts';
export { capabilitiesData, capabilitiesMarkdown, capabilitiesText } from './capabilities/core/show.ts';
export type { PlanPart, Violation, VolumePlan } from './capabilities/core/validate.ts';
export { cautionsOf, validateVolumePlan } from './capabilities/core/validate.ts';
export type { VolumeUser } from './volume-users.ts';
export { volumeUsers } from './volume-users.ts';
export type { DamagedRecord, MountLedger, MountLedgerOptions } from './mount-ledger/ledger.ts';
export { openMountLedger } from './mount-ledger/ledger.ts';
export type { MountRecord, MountUse } from './mount-ledger/core/record.ts';
export { recordKey } from './mount-ledger/core/record.ts';
export type { RecordedOptions } from './mount-ledger/recorded.ts';
export { recorded } from './mount-ledger/recorded.ts';
export type { RecoveredUse, RecoveryOptions, RecoveryReport } from './mount-ledger/recover.ts';
export { recover } from './mount-ledger/recover.ts';
export type { VolumeUsers } from './mount-ledger/volume-users.ts';
export { procVolumeUsers } from './mount-ledger/volume-users.ts';
export {
  DEFAULT_MOUNT_LEDGER,
  MOUNT_LEDGER_VARIABLE,
  mountLedgerDirectoryFrom,
} from './mount-ledger/directory.ts';
export type { LookAt } from './mountpoint.ts';
export type { DecodedDvdi, DvdiMode, DvdiMount } from '@mesos-elasticsearch/contract';
export {
  DVDI_FORBIDDEN,
  DvdiVariablesError,
  decodeDvdiVariables,
  encodeDvdiVariables,
} from '@mesos-elasticsearch/contract';
