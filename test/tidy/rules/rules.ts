import type { Rule } from '../source-file.ts';
import { deadFiles } from './dead-files.ts';
import { builtinPrefix, dependencies } from './dependencies.ts';
import { edgeCases } from './edge-cases.ts';
import { importDirection } from './import-direction.ts';
import { decisionNumbers, names } from './names.ts';
import { pureCore } from './pure-core.ts';
import { fileSize, functionSize } from './sizes.ts';
import { lockFileHosts, skipReasons, texts } from './texts.ts';

export const RULES: Readonly<Record<string, Rule>> = {
  'packages import only what lies below them': importDirection,
  'files are at most 400 lines': fileSize,
  'functions are at most 70 lines': functionSize,
  'core neither waits, nor acts, nor asks for the time': pureCore,
  'names say what is inside': names,
  'decisions are numbered without gaps': decisionNumbers,
  'texts hold nothing of one machine and no loose intentions': texts,
  'every edge case of volumes is a test, by its number': edgeCases,
  'a skipped group says why': skipReasons,
  'the lock file names the public registry only': lockFileHosts,
  'no source file is dead': deadFiles,
  'package.json names what is imported': dependencies,
  "Node's modules are imported by their full name": builtinPrefix,
};
