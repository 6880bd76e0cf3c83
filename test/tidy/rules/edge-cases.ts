import { isTest, type Rule } from '../source-file.ts';

/** What is known to go wrong between a framework and a volume driver, each by its number. */
const EDGE_CASES = 41;

/** Numbers whose tests are still to come; a number that has its test goes from here. */
export const STILL_TO_COME: readonly number[] = [];

/** Each number stands in the title of a test: `edge case 13: …`. */
export const edgeCases: Rule = (files) => {
  const tested = new Set<number>(STILL_TO_COME);
  for (const { path, text } of files) {
    if (!isTest(path) || !path.startsWith('packages/')) continue;
    for (const [, number] of text.matchAll(/['"`][^'"`\n]*\bedge case (\d+)\b/gi)) tested.add(Number(number));
  }
  return Array.from({ length: EDGE_CASES }, (_, index) => index + 1)
    .filter((number) => !tested.has(number))
    .map((number) => ({ path: 'packages', message: `no test title says "edge case ${String(number)}"` }));
};
