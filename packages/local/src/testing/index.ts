export { bundleLocalProgram } from './bundle.ts';
