/** Adding, comparing and subtracting resources. Amounts mix only between entries of equal identity. */
import type { Resource } from '../types/messages.ts';
import { isUsable, resourceIdentity } from './identity.ts';
import { normalizeRanges, rangesContain, subtractRanges } from './ranges.ts';
import { fromThousandths, toThousandths } from './thousandths.ts';

/** How much of the scalar `name` is usable with these roles (unreserved always is), rounded to thousandths. */
export function sumScalar(
  resources: readonly Resource[],
  name: string,
  roles: readonly string[] = [],
): number {
  return fromThousandths(
    resources
      .filter((resource) => resource.name === name && isUsable(resource, roles))
      .reduce((sum, resource) => sum + toThousandths(resource.scalar?.value ?? 0), 0),
  );
}

/** Entries of equal identity joined into one, empty ones dropped. */
export function mergeResources(resources: readonly Resource[]): Resource[] {
  const merged = new Map<string, Resource>();
  for (const resource of resources) {
    const identity = resourceIdentity(resource);
    const earlier = merged.get(identity);
    merged.set(identity, earlier ? added(earlier, resource) : resource);
  }
  return [...merged.values()].filter((resource) => !isEmpty(resource));
}

/** True if `resources` hold all of `wanted`, entry by entry of equal identity. */
export function contains(resources: readonly Resource[], wanted: readonly Resource[]): boolean {
  const held = new Map(mergeResources(resources).map((resource) => [resourceIdentity(resource), resource]));
  return mergeResources(wanted).every((resource) => {
    const own = held.get(resourceIdentity(resource));
    return own !== undefined && holds(own, resource);
  });
}

/** What remains of `resources` without `taken`. Throws RangeError if they do not hold it. */
export function subtract(resources: readonly Resource[], taken: readonly Resource[]): Resource[] {
  if (!contains(resources, taken)) throw new RangeError('cannot subtract resources that are not there');
  const removed = new Map(mergeResources(taken).map((resource) => [resourceIdentity(resource), resource]));
  return mergeResources(resources)
    .map((resource) => {
      const cut = removed.get(resourceIdentity(resource));
      return cut ? without(resource, cut) : resource;
    })
    .filter((resource) => !isEmpty(resource));
}

function isEmpty(resource: Resource): boolean {
  if (resource.scalar) return toThousandths(resource.scalar.value) <= 0;
  if (resource.ranges) return normalizeRanges(resource.ranges.range ?? []).length === 0;
  return (resource.set?.item ?? []).length === 0;
}

function holds(own: Resource, wanted: Resource): boolean {
  const wantedScalar = toThousandths(wanted.scalar?.value ?? 0);
  if (wantedScalar > toThousandths(own.scalar?.value ?? 0)) return false;
  if (!rangesContain(own.ranges?.range ?? [], wanted.ranges?.range ?? [])) return false;
  const items = own.set?.item ?? [];
  return (wanted.set?.item ?? []).every((item) => items.includes(item));
}

function added(a: Resource, b: Resource): Resource {
  if (a.scalar && b.scalar) {
    const sum = toThousandths(a.scalar.value) + toThousandths(b.scalar.value);
    return { ...a, scalar: { value: fromThousandths(sum) } };
  }
  if (a.ranges && b.ranges) {
    const range = normalizeRanges([...(a.ranges.range ?? []), ...(b.ranges.range ?? [])]);
    return { ...a, ranges: { range } };
  }
  return { ...a, set: { item: [...new Set([...(a.set?.item ?? []), ...(b.set?.item ?? [])])] } };
}

function without(a: Resource, b: Resource): Resource {
  if (a.scalar && b.scalar) {
    const rest = toThousandths(a.scalar.value) - toThousandths(b.scalar.value);
    return { ...a, scalar: { value: fromThousandths(rest) } };
  }
  if (a.ranges && b.ranges) {
    return { ...a, ranges: { range: subtractRanges(a.ranges.range ?? [], b.ranges.range ?? []) } };
  }
  const removed = new Set(b.set?.item ?? []);
  return { ...a, set: { item: (a.set?.item ?? []).filter((item) => !removed.has(item)) } };
}
