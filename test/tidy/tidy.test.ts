import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RULES } from './rules/rules.ts';
import type { SourceFile } from './source-file.ts';

const ROOT = join(import.meta.dirname, '../..');
const TEXT = /\.(?:ts|tsx|mjs|js|json|md|sh|yml|yaml|proto|html|css|txt|Dockerfile)$|\/run$|\/Dockerfile$/;

/** All that is or would be committed. */
function repository(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed
    .split('\0')
    .filter((path) => TEXT.test(path) && !path.startsWith('test/fixtures/') && existsSync(join(ROOT, path)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

describe('the repository', () => {
  const files = repository();

  it('was found', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it.each(Object.entries(RULES))('keeps the rule: %s', (_, rule) => {
    const offences = [...new Set(rule(files).map(({ path, message }) => `${path}: ${message}`))];
    expect(offences).toEqual([]);
  });
});
