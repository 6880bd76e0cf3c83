import { describe as story, expect, test } from 'vitest';
import { allocatedTo, describe, leftOf, pooled, total } from './resources.ts';
import { parseResources } from './resource-grammar.ts';

const all = parseResources('cpus:2;cpus(es):1;ports:[1-10]');

story('the bookkeeping of the master', () => {
  test('adds up by reservation, whoever the parts are allocated to', () => {
    const parts = pooled(all, allocatedTo('es', parseResources('cpus:0.1')));
    expect(parts.map((one) => [one.role, one.scalar?.value])).toEqual([
      ['*', 2.1],
      ['es', 1],
      ['*', undefined],
    ]);
    expect(total(parts, 'cpus')).toBe(3.1);
  });

  test('takes out what is used', () => {
    const left = leftOf(all, allocatedTo('*', parseResources('cpus:0.7;ports:[3-4]')));
    expect(describe(left, '*')).toBe(
      'cpus(*)(allocated: *):1.3; cpus(es)(allocated: *):1; ports(*)(allocated: *):[1-2, 5-10]',
    );
  });

  test('leaves nothing of a kind of which more is used than there is', () => {
    const left = leftOf(all, parseResources('cpus:3;ports:[10-11];mem:5'));
    expect(describe(left, 'es')).toBe('cpus(es)(allocated: es):1');
  });
});
