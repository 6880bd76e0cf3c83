/** Cutting what a task needs out of an offer, keeping every entry's metadata exactly as offered. */
import type { Resource } from '../types/messages.ts';
import { mergeResources, subtract, sumScalar } from './amounts.ts';
import { isUsable, reservedRole } from './identity.ts';
import { firstNumbers, normalizeRanges, rangesContain, rangesFrom, subtractRanges } from './ranges.ts';
import { fromThousandths, toThousandths } from './thousandths.ts';

/** How many ports (the lowest free ones), or exactly which. */
export type PortNeed = number | readonly number[];

export interface ResourceNeed {
  /** Name to amount, for example `{ cpus: 0.5, mem: 512, disk: 1024 }` (mem and disk in MB). */
  scalars: Readonly<Record<string, number>>;
  ports?: PortNeed;
  /** Roles whose reservations may be used; they are used before unreserved resources. */
  roles?: readonly string[];
}

export type Shortage =
  | { name: string; wanted: number; available: number }
  | { name: 'ports'; wanted: number; available: number; missingPorts?: number[] };

export type Taken =
  | { kind: 'taken'; taken: Resource[]; ports: number[]; remaining: Resource[] }
  /** Every shortage, not only the first. */
  | { kind: 'missing'; missing: Shortage[] };

/**
 * The ports that would be given: the first `need`, or those listed. Null if they are not there. Lists keep
 * their order.
 */
export function pickPorts(
  resources: readonly Resource[],
  need: PortNeed,
  roles: readonly string[] = [],
): number[] | null {
  const ranges = usablePorts(resources, roles);
  if (typeof need !== 'number') return rangesContain(ranges, rangesFrom(need)) ? [...need] : null;
  const ports = firstNumbers(ranges, need);
  return ports.length === need ? ports : null;
}

/** Takes `need` out of `resources` (usually those of one offer), or says everything that is missing. */
export function take(resources: readonly Resource[], need: ResourceNeed): Taken {
  const roles = need.roles ?? [];
  const ports = need.ports === undefined ? [] : pickPorts(resources, need.ports, roles);
  const missing = shortages(resources, need, roles);
  if (ports === null || missing.length > 0) return { kind: 'missing', missing };
  const taken = Object.entries(need.scalars).flatMap(([name, amount]) =>
    takeScalar(reservedFirst(resources, name, roles), amount),
  );
  taken.push(...takePorts(reservedFirst(resources, 'ports', roles), ports));
  const merged = mergeResources(taken);
  return { kind: 'taken', taken: merged, ports, remaining: subtract(resources, merged) };
}

function usablePorts(resources: readonly Resource[], roles: readonly string[]) {
  const entries = resources.filter((entry) => entry.name === 'ports' && isUsable(entry, roles));
  return normalizeRanges(entries.flatMap((entry) => entry.ranges?.range ?? []));
}

function shortages(resources: readonly Resource[], need: ResourceNeed, roles: readonly string[]): Shortage[] {
  const missing: Shortage[] = [];
  for (const [name, wanted] of Object.entries(need.scalars)) {
    const available = sumScalar(resources, name, roles);
    if (toThousandths(available) < toThousandths(wanted)) missing.push({ name, wanted, available });
  }
  if (need.ports !== undefined && pickPorts(resources, need.ports, roles) === null) {
    missing.push(portShortage(resources, need.ports, roles));
  }
  return missing;
}

function portShortage(resources: readonly Resource[], need: PortNeed, roles: readonly string[]): Shortage {
  const ranges = usablePorts(resources, roles);
  const available = ranges.reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  if (typeof need === 'number') return { name: 'ports', wanted: need, available };
  const missingPorts = firstNumbers(subtractRanges(rangesFrom(need), ranges), need.length);
  return { name: 'ports', wanted: need.length, available, missingPorts };
}

/** Reservations are ours alone, so they go first and leave the unreserved part to others. */
function reservedFirst(resources: readonly Resource[], name: string, roles: readonly string[]): Resource[] {
  const usable = mergeResources(resources).filter((entry) => entry.name === name && isUsable(entry, roles));
  const reserved = usable.filter((entry) => reservedRole(entry) !== null);
  return [...reserved, ...usable.filter((entry) => reservedRole(entry) === null)];
}

function takeScalar(entries: readonly Resource[], amount: number): Resource[] {
  let wanted = toThousandths(amount);
  const taken: Resource[] = [];
  for (const entry of entries) {
    const part = Math.min(wanted, toThousandths(entry.scalar?.value ?? 0));
    if (part <= 0) continue;
    taken.push({ ...entry, scalar: { value: fromThousandths(part) } });
    wanted -= part;
  }
  return taken;
}

function takePorts(entries: readonly Resource[], ports: readonly number[]): Resource[] {
  let wanted = rangesFrom(ports);
  const taken: Resource[] = [];
  for (const entry of entries) {
    const own = entry.ranges?.range ?? [];
    const left = subtractRanges(wanted, own);
    const part = subtractRanges(wanted, left);
    if (part.length > 0) taken.push({ ...entry, ranges: { range: part } });
    wanted = left;
  }
  return taken;
}
