export { DirectoryVolumes } from './directory-volumes.ts';
export { launchSpec } from './launch-specs.ts';
export { executorForTests } from './executor-harness.ts';
export { distributionForTests } from './distribution.ts';
