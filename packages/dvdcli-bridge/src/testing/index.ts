export { programInPath, rcloneUnavailable } from './availability.ts';
export { buildPrograms } from './bundles.ts';
export type { PrivateDockerEngine } from './private-docker-engine.ts';
export { dockerEngineUnavailable, startPrivateDockerEngine } from './private-docker-engine.ts';
export { SLEEP_COMMAND, sleepingImage } from './sleeping-image.ts';
export type { ContractSubject } from './volumes-contract.ts';
export { volumesContract } from './volumes-contract.ts';
