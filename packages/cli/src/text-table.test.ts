import { expect, it } from 'vitest';
import { textTable } from './text-table.ts';

it('columns stand under one another', () => {
  expect(
    textTable([
      ['A', 'LONG'],
      ['wide', 'x'],
    ]),
  ).toBe('A     LONG\nwide  x');
});

it('a name with a line feed or an escape sequence is one row, and does nothing to the terminal', () => {
  const text = textTable([['NAME'], ['vol\nroot  mount'], ['\u001b[2Jgone'], ['\u007f\u009b']]);
  expect(text.split('\n')).toEqual(['NAME', 'vol\\x0aroot  mount', '\\x1b[2Jgone', '\\x7f\\x9b']);
});
