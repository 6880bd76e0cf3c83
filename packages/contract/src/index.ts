export type { ClusterIdentity, Epoch, NodeId, VolumeName, VolumeRole } from './node-id.ts';
export {
  NODE_ID_VARIABLE,
  VOLUME_ROLES,
  epoch,
  nodeId,
  parseNodeId,
  parseVolumeName,
  volumeName,
  volumeNameOf,
} from './node-id.ts';
export type { VolumeSpec } from './volume-spec.ts';
export { driverNameSchema, parseVolumeOptions, volumeSpecSchema } from './volume-spec.ts';
export type {
  ClusterMigration,
  ClusterSettings,
  CopyMarkerRecord,
  FormerVolumes,
  FrameworkRecord,
  Holder,
  LeaseRecord,
  LeftBehind,
  MarkerRecord,
  NodeMigration,
  NodePhase,
  NodeRecord,
  NodeVolumes,
  Purpose,
  RetiredVolumes,
  SuspectPolicy,
} from './records.ts';
export {
  COPY_MARKER_FILE,
  COPY_MARKER_FORMAT,
  MARKER_FILE,
  MARKER_FORMAT,
  clusterIdentitySchema,
  clusterMigrationSchema,
  clusterSettingsSchema,
  copyMarkerSchema,
  frameworkRecordSchema,
  holderSchema,
  leaseRecordSchema,
  markerSchema,
  nodeRecordSchema,
  suspectPolicySchema,
} from './records.ts';
export type { LaunchSpec, LaunchSpecInput, LeasePlace, Runtime, VolumePath } from './launch-spec.ts';
export {
  LAUNCH_SPEC_VERSION,
  LaunchSpecError,
  decodeLaunchSpec,
  encodeLaunchSpec,
  launchSpecSchema,
} from './launch-spec.ts';
export type { DecodedDvdi, DvdiMode, DvdiMount } from './dvdi-variables.ts';
export {
  DVDI_DEFAULT_PROGRAM,
  DVDI_FORBIDDEN,
  DvdiVariablesError,
  decodeDvdiVariables,
  encodeDvdiVariables,
  isMadeByDvdi,
  prohibitedByDvdi,
} from './dvdi-variables.ts';
export type { ContainerPaths, IsolatorMounter, IsolatorObstacle, VolumeMounter } from './volume-mounter.ts';
export {
  DEFAULT_CONTAINER_PATHS,
  EXECUTOR_MOUNTS,
  ISOLATION_FLAG,
  dvdiVariablesOf,
  isolatorObstacle,
  volumeMounterSchema,
} from './volume-mounter.ts';
export type { MigrationReport, NodeReport, SeedHostsMessage } from './node-report.ts';
export { migrationReportSchema } from './node-report.ts';
export { decodeMigrationReport, decodeNodeReport, decodeSeedHosts, encodeJson } from './node-report.ts';
export { NODE_MARK_VARIABLE, isOrphanMark, nodeMark } from './node-mark.ts';
export { TASK_LABEL } from './task-labels.ts';
