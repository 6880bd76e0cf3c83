export { runExecutorProcess } from './run/executor-process.ts';
export { guardScript } from './guard/guard-script.ts';
