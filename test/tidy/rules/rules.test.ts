import { describe, expect, it } from 'vitest';
import type { SourceFile } from '../source-file.ts';
import { RULES } from './rules.ts';
import { deadFiles } from './dead-files.ts';
import { builtinPrefix, dependencies } from './dependencies.ts';
import { edgeCases, STILL_TO_COME } from './edge-cases.ts';
import { importDirection } from './import-direction.ts';
import { decisionNumbers, names } from './names.ts';
import { pureCore } from './pure-core.ts';
import { fileSize, functionSize } from './sizes.ts';
import { lockFileHosts, skipReasons, texts } from './texts.ts';

const ours = (name: string): string => `import { x } from '@mesos-elasticsearch/${name}';`;
const file = (path: string, text: string): SourceFile => ({ path, text });
/** Put together, so that this file does not offend itself. */
const banned = (...parts: string[]): string => parts.join('');
const lines = (count: number): string => Array.from({ length: count }, (_, at) => `x(${at});`).join('\n');

/** Rule, a file that breaks it, and what is said; then the same thing done right. */
const examples = [
  {
    rule: importDirection,
    wrong: file('packages/contract/src/a.ts', ours('scheduler')),
    says: 'contract must not import scheduler',
    right: file('packages/scheduler/src/a.ts', ours('contract')),
  },
  {
    rule: importDirection,
    wrong: file('packages/local/src/a.ts', `export type { X } from '@mesos-elasticsearch/contract';`),
    says: 'local must not import contract',
    right: file('packages/local/src/a.ts', ours('mesos-v1')),
  },
  {
    rule: importDirection,
    wrong: file('packages/scheduler/src/a.ts', ours('contract/src/node-id.ts')),
    says: "reaches past a package's index",
    right: file('packages/scheduler/src/a.test.ts', ours('coordination/testing')),
  },
  {
    rule: importDirection,
    wrong: file('packages/scheduler/src/a.ts', ours('coordination/testing')),
    says: 'is for tests only',
    right: file('test/e2e/a.test.ts', ours('coordination/testing')),
  },
  {
    rule: importDirection,
    wrong: file('test/e2e/a.test.ts', ours('scheduler/core')),
    says: "@mesos-elasticsearch/scheduler/core reaches past a package's index",
    right: file('test/sim/a.ts', ours('scheduler/core')),
  },
  {
    rule: importDirection,
    wrong: file('packages/scheduler/src/a.ts', `const x = await import('../../local/src/b.ts');`),
    says: 'leaves the package',
    right: file('packages/scheduler/src/core/a.ts', `import '../b.ts';`),
  },
  {
    rule: importDirection,
    wrong: file('test/e2e/a.test.ts', `import { x } from '../../packages/local/src/b.ts';`),
    says: "reaches past a package's index",
    right: file('test/e2e/a.test.ts', ours('local')),
  },
  {
    rule: importDirection,
    wrong: file('packages/newcomer/src/a.ts', ours('contract')),
    says: 'not in the table',
    right: file('packages/cli/src/a.ts', ours('local')),
  },
  { rule: fileSize, wrong: file('a.ts', lines(401)), says: '401 lines', right: file('a.ts', lines(400)) },
  {
    rule: functionSize,
    wrong: file('a.ts', `function f() {\n${lines(69)}\n}`),
    says: 'at line 1 has 71 lines',
    right: file('a.ts', `function f() {\n${lines(68)}\n}\n${lines(20)}`),
  },
  {
    rule: functionSize,
    wrong: file('a.test.ts', `it('x', () => {\n${lines(80)}\n});`),
    says: 'has 82 lines',
    right: file('a.test.ts', `describe('x', () => {\n${lines(80)}\n});`),
  },
  ...[
    'Date.now()',
    'Math.random()',
    'new Date()',
    'setTimeout(f, 1)',
    'process.env',
    'fetch(u)',
    'console.log(1)',
  ].map((use) => ({
    rule: pureCore,
    wrong: file('packages/a/src/core/a.ts', `export const x = ${use};`),
    says: 'core must not use',
    right: file('packages/a/src/run/a.ts', `export const x = ${use};`),
  })),
  {
    rule: pureCore,
    wrong: file('packages/a/src/core/a.ts', `import { readFileSync } from 'node:fs';`),
    says: 'core must not import node:fs',
    right: file('packages/a/src/core/a.ts', `import { join } from 'node:path';`),
  },
  {
    rule: pureCore,
    wrong: file('packages/a/src/core/a.ts', `import { randomUUID } from 'node:crypto';`),
    says: 'randomUUID',
    right: file(
      'packages/a/src/core/a.ts',
      `import { createHash } from 'node:crypto'; export const f = (process: { fetch: X }) => process.fetch; new Date(1);`,
    ),
  },
  {
    rule: names,
    wrong: file('packages/a/src/string-utils.ts', ''),
    says: '"utils" says nothing',
    right: file('packages/a/src/text.ts', ''),
  },
  {
    rule: names,
    wrong: file('packages/a/src/common/a.ts', ''),
    says: '"common"',
    right: file('packages/a/src/commonly.ts', ''),
  },
  {
    rule: names,
    wrong: file('packages/a/src/camelCase.ts', ''),
    says: 'kebab-case',
    right: file('packages/a/src/kebab-case.test.ts', ''),
  },
  {
    rule: decisionNumbers,
    wrong: file('docs/adr/0002-later.md', ''),
    says: 'expected docs/adr/0001-',
    right: file('docs/adr/0001-first.md', ''),
  },
  {
    rule: texts,
    wrong: file('docs/a.md', `first\n// ${banned('TO', 'DO')} later`),
    says: 'line 2: an intention',
    right: file('docs/a.md', 'a todo list'),
  },
  {
    rule: texts,
    wrong: file('a.ts', `const x = '/${banned('wo', 'rk')}/main';`),
    says: 'a path of one machine',
    right: file('a.ts', `const x = join(root, 'work/main');`),
  },
  {
    rule: texts,
    wrong: file('a.ts', `const x = 'https://mirror.${banned('inter', 'nal')}/npm';`),
    says: 'a host of one network',
    right: file('a.ts', `const x = 'https://files.example/x';`),
  },
  ...['it.only(', 'describe.only(', 'it.skip(', 'test.todo(', 'context.skip( )'].map((use) => ({
    rule: texts,
    wrong: file('packages/a/src/a.test.ts', use),
    says: /only/.test(use) ? 'runs one test only' : 'skips without',
    right: file('packages/a/src/a.test.ts', `context.skip('no docker')`),
  })),
  {
    rule: skipReasons,
    wrong: file('packages/a/src/a.test.ts', `describe.skipIf(why)('x', f)`),
    says: 'skipIf without',
    right: file('packages/a/src/a.test.ts', 'describe.skipIf(why)(`x (skipped: ${why})`, f)'),
  },
  {
    rule: lockFileHosts,
    wrong: file('package-lock.json', '"resolved": "https://mirror.example/x.tgz"'),
    says: 'mirror.example',
    right: file('package-lock.json', '"resolved": "packages/x"'),
  },
  {
    rule: builtinPrefix,
    wrong: file('a.ts', `import { join } from 'path';`),
    says: 'write node:path',
    right: file('a.ts', `import { join } from 'node:path';`),
  },
];

describe('each rule finds what breaks it, and lets pass what keeps it', () => {
  it.each(examples)('$says', ({ rule, wrong, says, right }) => {
    expect(rule([wrong]).map(({ message }) => message)).toEqual([expect.stringContaining(says)]);
    expect(rule([right])).toEqual([]);
  });

  it('has an example for every rule', () => {
    const shown = new Set([...examples.map(({ rule }) => rule), deadFiles, dependencies, edgeCases]);
    expect(Object.values(RULES).filter((rule) => !shown.has(rule))).toEqual([]);
  });
});

describe('edge cases', () => {
  const titles = (numbers: readonly number[]): SourceFile[] => [
    file(
      'packages/x/src/a.test.ts',
      numbers.map((number) => `it('edge case ${number}: it breaks');`).join('\n'),
    ),
  ];
  const all = Array.from({ length: 41 }, (_, index) => index + 1);
  it('have a test each, in its title', () => {
    expect(edgeCases(titles(all))).toEqual([]);
    const missing = edgeCases(
      titles(all.filter((number) => number !== 13 && !STILL_TO_COME.includes(number))),
    );
    expect(missing.map(({ message }) => message)).toEqual(['no test title says "edge case 13"']);
  });
  it('are not tested by a comment, nor by a file that is no test', () => {
    expect(edgeCases([file('packages/x/src/a.test.ts', '// edge case 13')])).not.toEqual([]);
    const source = titles(all).map(({ text }) => file('packages/x/src/a.ts', text));
    expect(edgeCases(source).length).toBe(41 - STILL_TO_COME.length);
  });
});

describe('dead files', () => {
  const index = file('packages/a/src/index.ts', `export { x } from './used.ts';`);
  const used = file('packages/a/src/used.ts', `import './indirect.ts';`);
  const indirect = file('packages/a/src/indirect.ts', '');

  it('are those that no entry leads to, though a test does', () => {
    const dead = file('packages/a/src/dead.ts', '');
    const test = file('packages/a/src/dead.test.ts', `import './dead.ts';`);
    expect(deadFiles([index, used, indirect, dead, test]).map(({ path }) => path)).toEqual([dead.path]);
    expect(deadFiles([index, used, indirect])).toEqual([]);
  });

  it('are not those that are bundled, nor doubles that a test uses', () => {
    const main = file('packages/a/src/main.ts', '');
    const build = file('scripts/build.mjs', `'packages/a/src/main.ts': 'x'`);
    const double = file('packages/a/src/testing/fake.ts', '');
    const test = file('packages/a/src/a.test.ts', `import './testing/fake.ts';`);
    expect(deadFiles([main, double])).toHaveLength(2);
    expect(deadFiles([main, double, build, test])).toEqual([]);
  });
});

describe('dependencies', () => {
  const root = file('package.json', '{"devDependencies": {"vitest": "1"}}');
  const manifest = file(
    'packages/a/package.json',
    '{"name": "a", "dependencies": {"zod": "1", "pino": "1"}}',
  );
  const zod = file('packages/a/src/a.ts', `import { z } from 'zod/v4'; import 'node:fs';`);

  it('are all imported, and all imports are dependencies', () => {
    const execa = file('packages/a/src/b.ts', `import { execa } from 'execa';`);
    expect(dependencies([root, manifest, zod, execa]).map(({ message }) => message)).toEqual([
      'execa is not a dependency of a',
      'pino is never imported',
    ]);
    const pino = file('packages/a/src/b.ts', `import type { Logger } from 'pino';`);
    expect(dependencies([root, manifest, zod, pino])).toEqual([]);
  });

  it("may be the root's tools in tests only", () => {
    const pino = file('packages/a/src/c.ts', `import 'pino';`);
    const text = `import { it } from 'vitest';`;
    const source = file('packages/a/src/b.ts', text);
    const test = file('packages/a/src/b.test.ts', text);
    expect(dependencies([root, manifest, zod, pino, source])).toHaveLength(1);
    expect(dependencies([root, manifest, zod, pino, test])).toEqual([]);
  });
});
