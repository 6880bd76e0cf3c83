/** Whether a mount or an unmount by hand may be asked of the driver: what a node holds stays the node's. */
import { isNodeVolume } from './removal.ts';

export interface HandCase {
  readonly name: string;
  /** Driver and path tell users apart by mount ID: what one does leaves the other's mount as it is. */
  readonly keepsOthers: boolean;
  /** By the mount ledger, one line each; a record that cannot be read is one. */
  readonly recorded: readonly string[];
  /** The same, and processes and containers. */
  readonly usedBy: readonly string[];
}

export type HandDecision =
  | { readonly kind: 'go' }
  /** usage: it becomes possible by what `why` names. refuse: it does not. */
  | { readonly kind: 'usage' | 'refuse'; readonly why: string };

/** @param confirmed what was typed after --yes-mount */
export function decideMount(
  { name, keepsOthers, recorded, usedBy }: HandCase,
  confirmed: string | undefined,
): HandDecision {
  if (confirmed !== undefined && confirmed !== name)
    return { kind: 'usage', why: `--yes-mount names ${JSON.stringify(confirmed)}, not this volume` };
  if (!keepsOthers && usedBy.length > 0) {
    return {
      kind: 'refuse',
      why: `volume ${name} is not mounted: this path or driver cannot tell its users apart, and it is in use: ${usedBy.join('; ')}\nStop that first: the unmount after this mount would take its volume away.`,
    };
  }
  if (confirmed !== undefined) return { kind: 'go' };
  const yes = `--yes-mount ${name}`;
  if (recorded.length > 0) {
    return {
      kind: 'usage',
      why: `nothing was mounted: volume ${name} is in use here: ${recorded.join('; ')}\nTo look at it beside its user, and write nothing: ${yes}`,
    };
  }
  if (!isNodeVolume(name)) return { kind: 'go' };
  return {
    kind: 'usage',
    why: [
      `nothing was mounted: ${name} is named as a node's volume.`,
      'Some drivers take a volume away from the host that has it; if its node runs, that is where it is.',
      `If you have seen that no Elasticsearch uses it: ${yes}`,
    ].join('\n'),
  };
}

/**
 * @param consumer whose mount is to go
 * @param held.byLedger this consumer, or nobody knows whether this consumer, is on record
 * @param held.last no other mount of the volume is left after it, as the driver says
 */
export function decideUnmount(
  { name, keepsOthers, usedBy }: HandCase,
  consumer: string,
  held: { readonly byLedger: string | undefined; readonly last: boolean },
): HandDecision {
  if (held.byLedger !== undefined) {
    return {
      kind: 'refuse',
      why: `volume ${name} is not unmounted: ${consumer} has it: ${held.byLedger}\nIts executor lets go of it when its node stops; after a crash the node's next executor or release task on this host does.`,
    };
  }
  if (usedBy.length === 0 || (keepsOthers && !held.last)) return { kind: 'go' };
  const blind = keepsOthers ? '' : 'this path or driver cannot tell its users apart, and ';
  return {
    kind: 'refuse',
    why: `volume ${name} is not unmounted: ${blind}it is in use: ${usedBy.join('; ')}\nStop that first.`,
  };
}
