import { sameProcess, type AttachmentRecord, type ProcessIdentity } from './attachment.ts';

/** Who asks for a volume that has an attachment on record. */
export interface Claimant {
  readonly instance: string;
  readonly process: ProcessIdentity;
}

/**
 * ours: this very process holds it.
 * take-back: an earlier run of the same instance held it; its users may still be alive, and are ours.
 * forget: held by this instance before the machine was restarted, so nothing can be using it any more.
 * prove-unused: the holder is gone; whether its volume is still in use has to be looked at.
 * refuse: nothing here proves that the holder is gone.
 */
export type HolderJudgement =
  | { readonly kind: 'ours' }
  | { readonly kind: 'take-back' }
  | { readonly kind: 'forget' }
  | { readonly kind: 'prove-unused' }
  | { readonly kind: 'refuse'; readonly reason: string };

/** A directory cannot be revoked from a live process: only a holder that is provably dead loses it. */
export function judgeHolder(
  record: AttachmentRecord,
  claimant: Claimant,
  holderRuns: (holder: ProcessIdentity) => boolean,
): HolderJudgement {
  const { holder } = record;
  if (sameProcess(holder, claimant.process)) return { kind: 'ours' };
  const sameInstance = record.instance === claimant.instance;
  const who = `instance ${record.instance} (pid ${holder.pid}`;
  if (holder.host !== claimant.process.host || holder.machineId !== claimant.process.machineId) {
    return refuse(`${who} on host ${holder.host}); from here its death cannot be proven`);
  }
  if (holder.bootId !== claimant.process.bootId) {
    if (sameInstance && holder.machineId !== '') return { kind: 'forget' };
    return refuse(`${who} in an earlier boot of host ${holder.host}); start that instance again to let go`);
  }
  if (holder.pidNamespace !== claimant.process.pidNamespace) {
    return refuse(`${who} in another process namespace); from here its death cannot be proven`);
  }
  if (holderRuns(holder)) return refuse(`${who}, alive)`);
  return sameInstance ? { kind: 'take-back' } : { kind: 'prove-unused' };
}

function refuse(reason: string): HolderJudgement {
  return { kind: 'refuse', reason };
}
