export { programInPath, rcloneUnavailable } from './availability.ts';
export { buildPrograms } from './bundles.ts';
export type {
  FakeEvent,
  FakeFault,
  FakeStore,
  FakeVerb,
  FakeVolumes,
  FakeVolumesOptions,
} from './fake-volumes.ts';
export { fakeStore, fakeVolumes } from './fake-volumes.ts';
export type { PrivateDockerEngine } from './private-docker-engine.ts';
export { dockerEngineUnavailable, startPrivateDockerEngine } from './private-docker-engine.ts';
export type { RexrayLikeOptions, RexrayLikePlugin } from './rexray-like-plugin.ts';
export { startRexrayLikePlugin } from './rexray-like-plugin.ts';
export type { ScriptedEngine } from './scripted-engine.ts';
export { startScriptedEngine } from './scripted-engine.ts';
export type { PluginServer, ReceivedCall, ScriptedAnswer, ScriptedPlugin } from './scripted-plugin.ts';
export { startPluginServer, startScriptedPlugin } from './scripted-plugin.ts';
export { SLEEP_COMMAND, sleepingImage } from './sleeping-image.ts';
export type { ContractSubject } from './volumes-contract.ts';
export { volumesContract } from './volumes-contract.ts';
