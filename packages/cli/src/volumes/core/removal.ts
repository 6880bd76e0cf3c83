/** Whether a volume may be removed on an operator's word. Design rule: no volume goes but by an explicit command. */

/** What was found in a volume's root. */
export type Inside =
  | {
      readonly kind: 'marker';
      readonly file: string;
      /** Whose it is, in words. */
      readonly owner: string;
      /** The file's content; undefined where it is not JSON. */
      readonly marker: unknown;
    }
  | { readonly kind: 'no-marker'; readonly entries: number }
  | { readonly kind: 'not-seen'; readonly why: string };

export interface RemovalCase {
  readonly name: string;
  /** What was typed after --yes-delete. */
  readonly confirmed: string | undefined;
  /** Who has it mounted or open, one line each. */
  readonly usedBy: readonly string[];
  readonly inside: Inside;
}

export type RemovalDecision =
  { readonly kind: 'remove' } | { readonly kind: 'refuse'; readonly why: string; readonly next: string };

/** What is in use stays, whatever was typed; what may be a cluster's goes only by its name typed once more. */
export function decideRemoval({ name, confirmed, usedBy, inside }: RemovalCase): RemovalDecision {
  if (usedBy.length > 0) {
    return {
      kind: 'refuse',
      why: `it is in use: ${usedBy.join('; ')}`,
      next: 'stop that and unmount it first',
    };
  }
  if (confirmed === name) return { kind: 'remove' };
  const next = `if it may go for ever: --yes-delete ${name}`;
  if (confirmed !== undefined) {
    return { kind: 'refuse', why: `--yes-delete names ${JSON.stringify(confirmed)}, not this volume`, next };
  }
  if (isNodeVolume(name)) {
    return { kind: 'refuse', why: "its name is that of a node's volume", next };
  }
  switch (inside.kind) {
    case 'marker':
      return {
        kind: 'refuse',
        why: `its marker ${inside.file} says that it belongs to ${inside.owner}`,
        next,
      };
    case 'not-seen':
      return { kind: 'refuse', why: `nobody has seen that no cluster owns it (${inside.why})`, next };
    case 'no-marker':
      return { kind: 'remove' };
  }
}

/** `elasticsearch1data`: framework name, node ID, role. */
export function isNodeVolume(name: string): boolean {
  return /[1-9][0-9]*(?:config|data)$/.test(name);
}
