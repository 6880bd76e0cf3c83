export { bundleForNode, bundleLocalProgram, bundleScriptedExecutor } from './bundle.ts';
