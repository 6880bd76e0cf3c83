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
export type { HostdirPluginOptions, RunningPlugin } from './hostdir/start.ts';
export { startHostdirPlugin } from './hostdir/start.ts';
