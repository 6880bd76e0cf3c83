export { bundleForNode, bundleLocalProgram, bundleScriptedExecutor } from './bundle.ts';
export { dvdiVolumes as readDvdiVolumes } from '../core/agent/isolation.ts';
