/** Two entries are of the same kind only if all of their metadata is equal; only then may amounts be mixed. */
import type { Resource } from '../types/messages.ts';

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, canonical(member)]),
  );
}

/** Offers are compared with every waiting node again and again, and a resource never changes. */
const identities = new WeakMap<Resource, string>();

/** Everything of `resource` but its amount. Role `*` and no role are the same. */
export function resourceIdentity(resource: Resource): string {
  const known = identities.get(resource);
  if (known !== undefined) return known;
  const identity = identityOf(resource);
  identities.set(resource, identity);
  return identity;
}

function identityOf(resource: Resource): string {
  const metadata = { ...resource, role: resource.role ?? '*' };
  delete metadata.scalar;
  delete metadata.ranges;
  delete metadata.set;
  return JSON.stringify(canonical(metadata));
}

/** The role that `resource` is reserved for, or null. Reads the old format and the stack of the new one. */
export function reservedRole(resource: Resource): string | null {
  const top = resource.reservations?.at(-1);
  if (top) return top.role ?? null;
  return resource.role === undefined || resource.role === '*' ? null : resource.role;
}

/**
 * True if `resource` can serve any task of a framework with these roles: unreserved or reserved for one of
 * them, and neither revocable, shared, a persistent volume, nor a disk of its own (those are taken on purpose
 * or not at all).
 */
export function isUsable(resource: Resource, roles: readonly string[]): boolean {
  if (resource.revocable ?? resource.shared ?? resource.disk) return false;
  const role = reservedRole(resource);
  return role === null || roles.includes(role);
}
