/**
 * Parsers under fuzz: each makes an input from the random numbers it is given and says what is wrong with what came out
 * of it. A new target is one line in TARGETS.
 */
import type { Random } from '../sim/random.ts';
import {
  answerTarget,
  getTarget,
  httpTarget,
  listTarget,
  managedTarget,
  mountpointTarget,
} from './answer-targets.ts';
import {
  argvTarget,
  dvdiVariablesTarget,
  jsonFileTarget,
  logTarget,
  mountTableTarget,
  pathTarget,
  runTarget,
  specFileTarget,
} from './text-targets.ts';

export interface Fuzzed {
  /** As it can be printed and typed again. */
  readonly input: unknown;
  /** What is wrong, in one line; undefined: nothing. An error that it throws is wrong too. */
  readonly check: () => string | undefined;
}
export type Target = (random: Random) => Fuzzed;

export const TARGETS: Readonly<Record<string, Target>> = {
  'plugin answer': answerTarget,
  'plugin answer: mountpoint': mountpointTarget,
  'plugin answer: Get': getTarget,
  'plugin answer: List': listTarget,
  'plugin answer: HTTP': httpTarget,
  'managed plugins': managedTarget,
  'spec file': specFileTarget,
  'json file': jsonFileTarget,
  'mountpoint path': pathTarget,
  'mount table': mountTableTarget,
  'dvdcli output': runTarget,
  'dvdcli command line': argvTarget,
  'DVDI variables': dvdiVariablesTarget,
  'log line': logTarget,
};
