import { isOwnText, isTest, type Offence, type Rule, type SourceFile } from '../source-file.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly message: string;
}

/** Put together here, so that this file does not offend itself. */
const word = (...parts: string[]): string => parts.join('');

const EVERYWHERE: readonly Ban[] = [
  {
    pattern: new RegExp(`\\b(?:${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('X', 'XX')})\\b`),
    message: 'an intention without an issue',
  },
  {
    pattern: new RegExp(`(?<![\\w.*-])/${word('wo', 'rk')}/`),
    message: 'a path of one machine',
  },
  { pattern: /\bhttps?:\/\/[\w.-]+\.(?:internal|corp|lan|intranet)\b/, message: 'a host of one network' },
];

const IN_TESTS: readonly Ban[] = [
  { pattern: /\b(?:it|test|describe)(?:\.\w+)*\.only\b/, message: 'runs one test only' },
  {
    pattern: /\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|todo)\b(?!If)/,
    message: 'skips without looking: use skipIf and "(skipped: why)" in the name, or context.skip(why)',
  },
  { pattern: /\.skip\(\s*\)/, message: 'skips without a reason' },
];

export const texts: Rule = (files) =>
  files.filter(isOwnText).flatMap((file) => [
    ...offences(file, EVERYWHERE),
    // This folder quotes what it forbids.
    ...(isTest(file.path) && !file.path.startsWith('test/tidy/') ? offences(file, IN_TESTS) : []),
  ]);

/** A conditional skip must print why: by the convention that the test run knows. */
export const skipReasons: Rule = (files) =>
  files
    .filter(
      ({ path, text }) => isTest(path) && !path.startsWith('test/tidy/') && /\.(?:skipIf|runIf)\(/.test(text),
    )
    .filter(({ text }) => !text.includes('(skipped: '))
    .map(({ path }) => ({ path, message: 'skipIf without "(skipped: why)" in the name of what it skips' }));

/** The lock file names packages and checksums, not where somebody got them: a clone elsewhere has a registry of its own. */
export const lockFileHosts: Rule = (files) =>
  files
    .filter(({ path }) => path === 'package-lock.json')
    .flatMap(({ path, text }) =>
      [...text.matchAll(/"resolved": "(https?:[^"]*)"/g)]
        .map((match) => match[1] ?? '')
        .map((url) => ({ path, message: `resolved from ${url}` })),
    );

function offences(file: SourceFile, bans: readonly Ban[]): Offence[] {
  return file.text
    .split('\n')
    .flatMap((line, index) =>
      bans
        .filter(({ pattern }) => pattern.test(line))
        .map(({ message }) => ({ path: file.path, message: `line ${index + 1}: ${message}` })),
    );
}
