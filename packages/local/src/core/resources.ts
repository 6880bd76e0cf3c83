/**
 * The cluster's bookkeeping over resources: what an agent has, minus what is offered, used and reserved.
 * Scalars are fixed-point with three decimals; identity is by all metadata except the allocation role, which
 * the master strips before it compares.
 */
import type { Range, Resource } from '@mesos-elasticsearch/mesos-v1';
import { omit } from './omit.ts';

const thousandths = (value: number) => Math.round(value * 1000);

/** Allocation role removed: two parts of the same reservation compare equal whoever they are allocated to. */
export function withoutAllocation(resource: Resource): Resource {
  return omit(resource, 'allocationInfo');
}

export function allocatedTo(role: string, resources: readonly Resource[]): Resource[] {
  return resources.map((resource) => ({ ...resource, allocationInfo: { role } }));
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function identity(resource: Resource): string {
  const metadata = omit(resource, 'scalar', 'ranges', 'set', 'allocationInfo');
  return sortedJson({ ...metadata, role: resource.role ?? '*' });
}

function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const next of [...ranges].sort((a, b) => a.begin - b.begin)) {
    const last = merged.at(-1);
    if (last !== undefined && next.begin <= last.end + 1) {
      merged[merged.length - 1] = { begin: last.begin, end: Math.max(last.end, next.end) };
    } else merged.push({ ...next });
  }
  return merged;
}

function cutRanges(from: readonly Range[], cut: readonly Range[]): Range[] {
  let left = mergeRanges(from);
  for (const hole of cut) {
    left = left.flatMap((range) => {
      if (hole.end < range.begin || hole.begin > range.end) return [range];
      const parts: Range[] = [];
      if (range.begin < hole.begin) parts.push({ begin: range.begin, end: hole.begin - 1 });
      if (range.end > hole.end) parts.push({ begin: hole.end + 1, end: range.end });
      return parts;
    });
  }
  return left;
}

function plus(a: Resource, b: Resource): Resource {
  if (a.scalar && b.scalar) {
    return { ...a, scalar: { value: (thousandths(a.scalar.value) + thousandths(b.scalar.value)) / 1000 } };
  }
  if (a.ranges && b.ranges) {
    return { ...a, ranges: { range: mergeRanges([...(a.ranges.range ?? []), ...(b.ranges.range ?? [])]) } };
  }
  if (a.set && b.set) {
    return { ...a, set: { item: [...new Set([...(a.set.item ?? []), ...(b.set.item ?? [])])] } };
  }
  return a;
}

function minus(a: Resource, b: Resource): Resource {
  if (a.scalar && b.scalar) {
    return { ...a, scalar: { value: (thousandths(a.scalar.value) - thousandths(b.scalar.value)) / 1000 } };
  }
  if (a.ranges && b.ranges) {
    return { ...a, ranges: { range: cutRanges(a.ranges.range ?? [], b.ranges.range ?? []) } };
  }
  if (a.set && b.set) {
    const gone = new Set(b.set.item);
    return { ...a, set: { item: (a.set.item ?? []).filter((item) => !gone.has(item)) } };
  }
  return a;
}

function covers(a: Resource, b: Resource): boolean {
  if (b.scalar) return a.scalar !== undefined && thousandths(a.scalar.value) >= thousandths(b.scalar.value);
  if (b.ranges) {
    const has = mergeRanges(a.ranges?.range ?? []);
    const wants = mergeRanges(b.ranges.range ?? []);
    return wants.every((want) => has.some((own) => own.begin <= want.begin && want.end <= own.end));
  }
  if (b.set) {
    const has = new Set(a.set?.item);
    return (b.set.item ?? []).every((item) => has.has(item));
  }
  return true;
}

function isEmpty(resource: Resource): boolean {
  if (resource.scalar) return thousandths(resource.scalar.value) <= 0;
  if (resource.ranges) return (resource.ranges.range ?? []).length === 0;
  if (resource.set) return (resource.set.item ?? []).length === 0;
  return true;
}

/** Same metadata added up, empty ones dropped, allocation roles stripped. */
export function pooled(...parts: readonly (readonly Resource[])[]): Resource[] {
  const byIdentity = new Map<string, Resource>();
  for (const resource of parts.flat()) {
    const key = identity(resource);
    const known = byIdentity.get(key);
    byIdentity.set(key, known ? plus(known, resource) : plus(withoutAllocation(resource), emptied(resource)));
  }
  return [...byIdentity.values()].filter((resource) => !isEmpty(resource));
}

/** A zero of the same kind: added to a resource it only normalises its ranges. */
function emptied(resource: Resource): Resource {
  if (resource.scalar) return { ...resource, scalar: { value: 0 } };
  if (resource.ranges) return { ...resource, ranges: { range: [] } };
  return { ...resource, set: { item: [] } };
}

export function contains(pool: readonly Resource[], wanted: readonly Resource[]): boolean {
  const have = new Map(pooled(pool).map((resource) => [identity(resource), resource]));
  return pooled(wanted).every((want) => {
    const own = have.get(identity(want));
    return own !== undefined && covers(own, want);
  });
}

/** What is left of `pool`; the caller has checked `contains` where it matters. */
export function subtract(pool: readonly Resource[], taken: readonly Resource[]): Resource[] {
  const taking = new Map(pooled(taken).map((resource) => [identity(resource), resource]));
  return pooled(pool)
    .map((own) => {
      const cut = taking.get(identity(own));
      return cut ? minus(own, cut) : own;
    })
    .filter((resource) => !isEmpty(resource));
}

/** Sum of the scalars named `name` (cpus; mem and disk in MB), whoever they are reserved for. */
export function total(resources: readonly Resource[], name: string): number {
  const sum = resources
    .filter((resource) => resource.name === name)
    .reduce((all, resource) => all + thousandths(resource.scalar?.value ?? 0), 0);
  return sum / 1000;
}

/** The role a resource is reserved for; `*` when it is anyone's. */
export function reservedRole(resource: Resource): string {
  return resource.reservations?.at(-1)?.role ?? resource.role ?? '*';
}

/** As the master prints resources in its messages: `cpus(*)(allocated: *):1.8; ports(*)(allocated: *):[1-2]`. */
export function describe(resources: readonly Resource[], allocationRole: string): string {
  return resources
    .map((resource) => `${describeName(resource, allocationRole)}:${value(resource)}`)
    .join('; ');
}

function describeName(resource: Resource, allocationRole: string): string {
  return `${resource.name}(${reservedRole(resource)})(allocated: ${allocationRole})`;
}

function value(resource: Resource): string {
  if (resource.scalar) return String(resource.scalar.value);
  if (resource.ranges) {
    return `[${(resource.ranges.range ?? []).map((range) => `${range.begin}-${range.end}`).join(', ')}]`;
  }
  return `{${(resource.set?.item ?? []).join(', ')}}`;
}
