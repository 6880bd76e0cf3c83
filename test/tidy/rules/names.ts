import type { Rule } from '../source-file.ts';

/** Names that say nothing about what is inside. */
const EMPTY_WORDS = /^(?:utils?|helpers?|common|managers?)$/;

export const names: Rule = (files) =>
  files
    .filter(({ path }) => /^(?:packages|test|scripts)\//.test(path) && !path.includes('/fixtures/'))
    .flatMap(({ path }) => {
      const words = path.split(/[/.\-_]/).filter((word) => EMPTY_WORDS.test(word.toLowerCase()));
      const offences = words.map((word) => ({
        path,
        message: `"${word}" says nothing about what is inside`,
      }));
      const base = path.slice(path.lastIndexOf('/') + 1);
      const kebab = !/\.(?:ts|tsx|mjs)$/.test(base) || /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(base);
      return kebab ? offences : [...offences, { path, message: 'file names are in kebab-case' }];
    });

/** Decisions are numbered from 0001 without a gap. */
export const decisionNumbers: Rule = (files) => {
  const records = files
    .map(({ path }) => path)
    .filter((path) => /^docs\/adr\/[^/]+\.md$/.test(path))
    .sort();
  return records.flatMap((path, index) => {
    const expected = String(index + 1).padStart(4, '0');
    const fine = new RegExp(`^docs/adr/${expected}-[a-z0-9-]+\\.md$`).test(path);
    return fine ? [] : [{ path, message: `expected docs/adr/${expected}-<what>.md here` }];
  });
};
