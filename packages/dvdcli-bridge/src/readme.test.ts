import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as bridge from './index.ts';
import type { VolumeErrorCode } from './outcome.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const index = readFileSync(new URL('./index.ts', import.meta.url), 'utf8');

it('the README names everything that is exported', () => {
  const types = [...index.matchAll(/export type \{([^}]*)\}/g)].flatMap(([, names = '']) => names.split(','));
  const wanted = [...Object.keys(bridge), ...types.map((name) => name.trim()).filter((name) => name !== '')];
  expect(wanted.length).toBeGreaterThan(40);
  const missing = wanted.filter((name) => !new RegExp(`\`${name}[(\`]|[(]${name}[)]`).test(readme));
  expect(missing).toEqual([]);
});

it('the README explains every error code', () => {
  const codes: Readonly<Record<VolumeErrorCode, true>> = {
    'driver-not-found': true,
    'driver-unavailable': true,
    'driver-disabled': true,
    'not-a-volume-driver': true,
    'not-found': true,
    'in-use': true,
    'attached-elsewhere': true,
    conflict: true,
    'bad-mountpoint': true,
    'bad-answer': true,
    permission: true,
    unsupported: true,
    invalid: true,
    'time-limit': true,
    'driver-error': true,
  };
  const listed = [...readme.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, code]) => code);
  expect(listed).toEqual(expect.arrayContaining(Object.keys(codes)));
});
