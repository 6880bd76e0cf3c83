/** What operators are told about a node that may have run on its new volumes. */
import type { NodeRecord } from '@mesos-elasticsearch/contract';

/** Why it cannot simply go back, and what can be done. */
export function stuckText({ nodeId, migration, formerVolumes }: NodeRecord): string {
  const copiedIn = formerVolumes?.at(-1)?.epoch;
  const driver = migration?.to.data.driver ?? 'its new driver';
  const old = migration?.from.data.driver ?? 'its old driver';
  return (
    `node ${nodeId} was launched on its new volumes (${driver}) and may have acknowledged documents there: the way back is a ` +
    `migration, which copies them: volumes migrate --to ${old} --overwrite-former, while this one is paused or done. Where ${driver} ` +
    `cannot be read any more, rollback with --accept-data-loss ${nodeId} goes back to what was copied in epoch ` +
    `${copiedIn ?? 'unknown'}, and the documents that only this node has acknowledged since are lost`
  );
}
