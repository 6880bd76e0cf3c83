/** What reads texts and bytes that others wrote. For the fuzzer; no part of the library. */
export { isVerb, parseCommandLine } from './dvdcli-command/command-line.ts';
export { UsageError } from './dvdcli-command/flags.ts';
export { logLine } from './dvdcli-command/log-line.ts';
export { readPath, readRun, type RunResult } from './dvdcli/parse-output.ts';
export { parseMountTable } from './mount-table.ts';
export { judgeMountpointPath } from './mountpoint-path.ts';
export { readAnswer, readGet, readList, readMountpoint } from './plugin/answers.ts';
export { parseJsonFile, parseSpecFile, type PluginEndpoint } from './plugin/endpoint.ts';
export { answerReader, type AnswerReading } from './plugin/http-answer.ts';
export { readManagedPlugins } from './plugin/managed-plugins.ts';
