export type { Outcome, VolumeErrorCode } from './outcome.ts';
export { VolumeError, done, notDone, unknownOutcome } from './outcome.ts';
export type {
  Attachment,
  ConsumerId,
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
export type { PluginTimeLimits } from './plugin/client.ts';
export type { PluginSocketOptions } from './plugin-socket/volumes.ts';
export { pluginSocketVolumes } from './plugin-socket/volumes.ts';
export { mountIdOf } from './plugin-socket/mount-id.ts';
export { serialized } from './serialize.ts';
export type { HostdirPluginOptions, RunningPlugin } from './hostdir/start.ts';
export { startHostdirPlugin } from './hostdir/start.ts';
export type { RclonePluginOptions } from './rclone/serve-docker.ts';
export { rcloneVolumeOptions, startRclonePlugin } from './rclone/serve-docker.ts';
export type { DvdcliOptions, DvdcliTimeLimits } from './dvdcli/volumes.ts';
export { dvdcliVolumes } from './dvdcli/volumes.ts';
export type { EngineOptions } from './engine/volumes.ts';
export { engineVolumes } from './engine/volumes.ts';
