/** The master's bookkeeping over resources, on top of the arithmetic that clients use too. */
import {
  contains,
  fromThousandths,
  mergeResources,
  reservedRole,
  resourceIdentity,
  subtract,
  toThousandths,
} from '@mesos-elasticsearch/mesos-v1';
import type { Resource } from '@mesos-elasticsearch/mesos-v1';
import { omit } from './omit.ts';

/** Two parts of the same reservation are the same whoever they are allocated to. */
export function withoutAllocation(resource: Resource): Resource {
  return omit(resource, 'allocationInfo');
}

export function allocatedTo(role: string, resources: readonly Resource[]): Resource[] {
  return resources.map((resource) => ({ ...resource, allocationInfo: { role } }));
}

/** Same metadata added up, empty ones dropped, allocation roles stripped. */
export function pooled(...parts: readonly (readonly Resource[])[]): Resource[] {
  return mergeResources(parts.flat().map(withoutAllocation));
}

/**
 * What is left of `pool`. Where more is taken than there is (an agent came back with less, a restarted master has
 * forgotten a reservation), nothing of that kind is left.
 */
export function leftOf(pool: readonly Resource[], taken: readonly Resource[]): Resource[] {
  let left = pooled(pool);
  for (const entry of pooled(taken)) {
    const identity = resourceIdentity(entry);
    left = contains(left, [entry])
      ? subtract(left, [entry])
      : left.filter((own) => resourceIdentity(own) !== identity);
  }
  return left;
}

/** Sum of the scalars named `name` (cpus; mem and disk in MB), whoever they are reserved for. */
export function total(resources: readonly Resource[], name: string): number {
  return fromThousandths(
    resources
      .filter((resource) => resource.name === name)
      .reduce((sum, resource) => sum + toThousandths(resource.scalar?.value ?? 0), 0),
  );
}

/** As the master prints resources in its messages: `cpus(*)(allocated: *):1.8; ports(*)(allocated: *):[1-2]`. */
export function describe(resources: readonly Resource[], allocationRole: string): string {
  return resources
    .map((resource) => `${describeName(resource, allocationRole)}:${value(resource)}`)
    .join('; ');
}

function describeName(resource: Resource, allocationRole: string): string {
  return `${resource.name}(${reservedRole(resource) ?? '*'})(allocated: ${allocationRole})`;
}

function value(resource: Resource): string {
  if (resource.scalar) return String(resource.scalar.value);
  if (resource.ranges) {
    return `[${(resource.ranges.range ?? []).map((range) => `${range.begin}-${range.end}`).join(', ')}]`;
  }
  return `{${(resource.set?.item ?? []).join(', ')}}`;
}
