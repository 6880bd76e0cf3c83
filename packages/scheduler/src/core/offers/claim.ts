/**
 * What a launch takes out of an offer. Resources go back exactly as offered (their identity is all of their
 * metadata); those reserved for our role are used before unreserved ones. Revocable, shared and special
 * disks (persistent volumes, mounts) are left alone. Scalars are counted in thousandths, as Mesos does.
 */
import type { Offer, Range, Resource } from '@mesos-elasticsearch/mesos-v1';

type ScalarName = 'cpus' | 'mem' | 'disk';

export interface Claim {
  readonly taken: readonly Resource[];
  readonly rest: readonly Resource[];
}

function isUsable(resource: Resource): boolean {
  return (
    resource.revocable === undefined &&
    resource.shared === undefined &&
    resource.disk?.persistence === undefined &&
    resource.disk?.source === undefined
  );
}

function isReserved(resource: Resource): boolean {
  return (
    (resource.role ?? '*') !== '*' ||
    resource.reservation !== undefined ||
    (resource.reservations ?? []).length > 0
  );
}

/** Usable resources of an offer, reserved ones first. */
export function usableResources(offer: Offer): Resource[] {
  const usable = (offer.resources ?? []).filter(isUsable);
  return [...usable.filter(isReserved), ...usable.filter((resource) => !isReserved(resource))];
}

const thousandths = (value: number) => Math.round(value * 1000);

export function scalarSum(resources: readonly Resource[], name: ScalarName): number {
  const sum = resources
    .filter((resource) => resource.name === name)
    .reduce((total, resource) => total + thousandths(resource.scalar?.value ?? 0), 0);
  return sum / 1000;
}

/** Takes `amount` of a scalar, across entries if need be; undefined when there is not enough. */
export function claimScalar(
  resources: readonly Resource[],
  name: ScalarName,
  amount: number,
): Claim | undefined {
  let missing = thousandths(amount);
  const taken: Resource[] = [];
  const rest: Resource[] = [];
  for (const resource of resources) {
    const there = resource.name === name ? thousandths(resource.scalar?.value ?? 0) : 0;
    const part = Math.min(there, missing);
    missing -= part;
    if (part > 0) taken.push({ ...resource, scalar: { value: part / 1000 } });
    if (part === 0) rest.push(resource);
    else if (there > part) rest.push({ ...resource, scalar: { value: (there - part) / 1000 } });
  }
  return missing > 0 ? undefined : { taken, rest };
}

/** The lowest `count` ports on offer, or fewer where there are not as many. */
export function lowestPorts(resources: readonly Resource[], count: number): number[] {
  const ranges = resources.filter((resource) => resource.name === 'ports').flatMap(rangesOf);
  ranges.sort((a, b) => a.begin - b.begin);
  const ports: number[] = [];
  for (const range of ranges) {
    for (let port = range.begin; port <= range.end && ports.length < count; port += 1) {
      if (port > 0 && !ports.includes(port)) ports.push(port);
    }
  }
  return ports;
}

export function hasPort(resources: readonly Resource[], port: number): boolean {
  return resources.some(
    (resource) => resource.name === 'ports' && rangesOf(resource).some((r) => covers(r, port)),
  );
}

/** Takes exactly these ports; undefined when one is missing. */
export function claimPorts(resources: readonly Resource[], ports: readonly number[]): Claim | undefined {
  let claim: Claim = { taken: [], rest: resources };
  for (const port of ports) {
    const index = claim.rest.findIndex(
      (resource) => resource.name === 'ports' && rangesOf(resource).some((range) => covers(range, port)),
    );
    const resource = claim.rest[index];
    if (resource === undefined) return undefined;
    const rest = {
      ...resource,
      ranges: { range: rangesOf(resource).flatMap((range) => without(range, port)) },
    };
    claim = {
      taken: [...claim.taken, { ...resource, ranges: { range: [{ begin: port, end: port }] } }],
      rest: claim.rest.with(index, rest),
    };
  }
  return { taken: joined(claim.taken), rest: claim.rest };
}

/** Ports of one resource in one entry again. */
function joined(resources: readonly Resource[]): Resource[] {
  const byIdentity = new Map<string, Resource>();
  for (const resource of resources) {
    const identity = JSON.stringify({ ...resource, ranges: undefined });
    const range = [
      ...rangesOf(byIdentity.get(identity) ?? { name: '', type: 'RANGES' }),
      ...rangesOf(resource),
    ];
    byIdentity.set(identity, { ...resource, ranges: { range } });
  }
  return [...byIdentity.values()];
}

function rangesOf(resource: Resource): Range[] {
  return resource.ranges?.range ?? [];
}

function covers(range: Range, port: number): boolean {
  return range.begin <= port && port <= range.end;
}

function without(range: Range, port: number): Range[] {
  if (!covers(range, port)) return [range];
  return [
    { begin: range.begin, end: port - 1 },
    { begin: port + 1, end: range.end },
  ].filter((part) => part.begin <= part.end);
}
