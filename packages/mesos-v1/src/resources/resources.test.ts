import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agentResources, portsResource, randomSeed, scalarResource } from '../testing/index.ts';
import type { Resource } from '../types/messages.ts';
import { contains, mergeResources, subtract, sumScalar } from './amounts.ts';
import { isUsable, reservedRole, resourceIdentity } from './identity.ts';
import { pickPorts, take } from './take.ts';

const seed = randomSeed();
/** The seed stands in the failure, so that `MESOS_V1_TEST_SEED` replays it. */
const property = (name: string, check: fc.IRawProperty<unknown>) =>
  it(`${name} (MESOS_V1_TEST_SEED=${seed})`, () => fc.assert(check as fc.IProperty<unknown>, { seed }));

const reservedForEs = {
  role: 'es',
  reservation: { principal: 'p', labels: { labels: [{ key: 'k', value: 'v' }] } },
};

describe('amounts', () => {
  it('are exact in thousandths, where floating point is not', () => {
    const tenths = Array.from({ length: 10 }, () => scalarResource('cpus', 0.1));
    expect(sumScalar(tenths, 'cpus')).toBe(1);
    const [rest] = subtract([scalarResource('cpus', 0.3)], [scalarResource('cpus', 0.1)]);
    expect(rest!.scalar).toEqual({ value: 0.2 });
  });

  it('count what is unreserved, and what is reserved for the given roles', () => {
    const both = [
      scalarResource('mem', 100),
      scalarResource('mem', 50, reservedForEs),
      scalarResource('mem', 7, { role: 'x' }),
    ];
    expect(sumScalar(both, 'mem')).toBe(100);
    expect(sumScalar(both, 'mem', ['es'])).toBe(150);
  });

  it('leave out what is revocable, shared, or a volume of somebody', () => {
    const special: Partial<Resource>[] = [
      { revocable: {} },
      { shared: {} },
      { disk: { persistence: { id: 'v' } } },
      { disk: { source: { type: 'MOUNT' } } },
    ];
    for (const one of special) expect(isUsable(scalarResource('disk', 1, one), ['*'])).toBe(false);
  });

  it('know the reserved role in the old and in the new format', () => {
    expect(reservedRole({ name: 'cpus', type: 'SCALAR' })).toBeNull();
    expect(reservedRole(scalarResource('cpus', 1, { role: '*' }))).toBeNull();
    expect(reservedRole(scalarResource('cpus', 1, { role: 'es' }))).toBe('es');
    const stack = {
      reservations: [
        { type: 'STATIC', role: 'a' },
        { type: 'DYNAMIC', role: 'a/b' },
      ],
    };
    expect(reservedRole({ name: 'cpus', type: 'SCALAR', ...stack })).toBe('a/b');
  });

  it('do not mix between entries of different metadata', () => {
    const plain = scalarResource('cpus', 1);
    const reserved = scalarResource('cpus', 1, reservedForEs);
    expect(mergeResources([plain, reserved])).toHaveLength(2);
    expect(contains([plain, plain], [scalarResource('cpus', 2)])).toBe(true);
    expect(contains([plain, reserved], [scalarResource('cpus', 2)])).toBe(false);
    expect(() => subtract([plain], [reserved])).toThrow(RangeError);
  });

  it('take no role and role * for the same, in whatever order the fields stand', () => {
    expect(resourceIdentity({ name: 'cpus', type: 'SCALAR' })).toBe(
      resourceIdentity({ role: '*', type: 'SCALAR', name: 'cpus', scalar: { value: 3 } }),
    );
  });
});

describe('ports', () => {
  const ports = [
    portsResource([
      { begin: 31_005, end: 31_006 },
      { begin: 31_000, end: 31_001 },
    ]),
  ];

  it('are the lowest free ones, across ranges', () => {
    expect(pickPorts(ports, 3)).toEqual([31_000, 31_001, 31_005]);
    expect(pickPorts(ports, 5)).toBeNull();
  });

  it('are those asked for, if they are there', () => {
    expect(pickPorts(ports, [31_006, 31_000])).toEqual([31_006, 31_000]);
    expect(pickPorts(ports, [31_006, 31_003])).toBeNull();
  });
});

describe('taking from an offer', () => {
  it('takes reservations first, keeps their metadata, and gives back the rest', () => {
    const offered = [scalarResource('cpus', 2), scalarResource('cpus', 0.5, reservedForEs)];
    const result = take(offered, { scalars: { cpus: 0.7 }, roles: ['es'] });
    expect(result).toEqual({
      kind: 'taken',
      taken: [scalarResource('cpus', 0.5, reservedForEs), scalarResource('cpus', 0.2)],
      ports: [],
      remaining: [scalarResource('cpus', 1.8)],
    });
  });

  it('says everything that is missing, not only the first thing', () => {
    const result = take(agentResources(), {
      scalars: { cpus: 3, mem: 4096, disk: 1, gpus: 1 },
      ports: [9200, 31_000],
    });
    expect(result).toEqual({
      kind: 'missing',
      missing: [
        { name: 'cpus', wanted: 3, available: 2 },
        { name: 'mem', wanted: 4096, available: 2048 },
        { name: 'gpus', wanted: 1, available: 0 },
        { name: 'ports', wanted: 2, available: 1000, missingPorts: [9200] },
      ],
    });
  });

  const amount = fc.integer({ min: 0, max: 4000 }).map((thousandths) => thousandths / 1000);
  const metadata = fc.constantFrom<Partial<Resource>>(
    {},
    reservedForEs,
    { allocationInfo: { role: '*' } },
    { role: 'es' },
  );
  const ranges = fc.array(
    fc.record({ begin: fc.integer({ min: 1, max: 60 }), size: fc.integer({ min: 0, max: 9 }) }),
    { maxLength: 4 },
  );
  const offer = fc.array(
    fc.oneof(
      fc
        .tuple(fc.constantFrom('cpus', 'mem'), amount, metadata)
        .map(([name, value, rest]) => scalarResource(name, value, rest)),
      fc.tuple(ranges, metadata).map(([list, rest]) =>
        portsResource(
          list.map(({ begin, size }) => ({ begin, end: begin + size })),
          rest,
        ),
      ),
    ),
    { maxLength: 8 },
  );
  const need = fc.record({ cpus: amount, mem: amount, ports: fc.integer({ min: 0, max: 12 }) });

  property(
    'gives exactly what is needed, invents nothing and loses nothing',
    fc.property(offer, need, (resources, { cpus, mem, ports }) => {
      const result = take(resources, { scalars: { cpus, mem }, ports, roles: ['es'] });
      if (result.kind === 'missing') {
        expect(result.missing.length).toBeGreaterThan(0);
        return;
      }
      expect(sumScalar(result.taken, 'cpus', ['es'])).toBe(cpus);
      expect(sumScalar(result.taken, 'mem', ['es'])).toBe(mem);
      expect(new Set(result.ports).size).toBe(ports);
      expect(contains(resources, result.taken)).toBe(true);
      const whole = [...result.taken, ...result.remaining];
      expect(contains(whole, resources) && contains(resources, whole)).toBe(true);
    }),
  );

  property(
    'finds something missing exactly when there is too little',
    fc.property(offer, need, (resources, { cpus, mem, ports }) => {
      const enough =
        sumScalar(resources, 'cpus', ['es']) >= cpus &&
        sumScalar(resources, 'mem', ['es']) >= mem &&
        pickPorts(resources, ports, ['es']) !== null;
      expect(take(resources, { scalars: { cpus, mem }, ports, roles: ['es'] }).kind).toBe(
        enough ? 'taken' : 'missing',
      );
    }),
  );
});
