/** A migration as text. Pure. */
import type { MigratingNode, ShownMigration } from './migration-api.ts';

export function migrationText(migration: ShownMigration): string {
  const { ordered, pending, nodes, nodesToMove, waitsFor } = migration;
  const head =
    ordered === undefined
      ? ['No migration was ordered.']
      : [`To ${ordered.to.data.driver}: ${ordered.state} (${ordered.why})`];
  if (pending !== undefined) head.push(`Ordered, and not on record yet: ${pending}`);
  const waits = waitsFor.map(
    ({ rule, nodeId, reason }) =>
      `Waits${nodeId === undefined ? '' : ` (node ${nodeId})`}: ${rule}: ${reason}`,
  );
  return [...head, ...nodes.map((node) => nodeText(node, nodesToMove.includes(node.nodeId))), ...waits].join(
    '\n',
  );
}

function nodeText(node: MigratingNode, isToMove: boolean): string {
  const { nodeId, phase, volumes, formerVolumes } = node;
  const kept = formerVolumes
    .map((former) => `${former.volumes.data.driver} (epoch ${former.epoch})`)
    .join(', ');
  const parts = [
    `${phase} on ${volumes?.data.driver ?? 'no volumes'}`,
    ...(node.stage === undefined ? [] : [turnText(node)]),
    ...(isToMove && node.stage === undefined ? ['has its turn still to come'] : []),
    ...(kept === '' ? [] : [`former volumes kept: ${kept}`]),
  ];
  return `Node ${nodeId}: ${parts.join('; ')}`;
}

/** Of a node that has its turn. */
export function turnText({ stage, copy, failedTries, failedStarts, rollback }: MigratingNode): string {
  const tries = failedTries === 0 ? '' : `, ${failedTries} tries have failed`;
  if (stage === 'copied') {
    const starts = (failedStarts ?? 0) === 0 ? '' : `, ${failedStarts ?? 0} starts have failed`;
    return `copied${starts}${rollback === undefined ? '' : `, ${ROLLBACK_TEXTS[rollback]}`}`;
  }
  if (copy === undefined || stage !== 'copying') return `${stage ?? 'no turn'}${tries}`;
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const total = sum(copy.volumes.map((each) => each.bytesTotal));
  const verifies = copy.stage === 'verifying' || copy.stage === 'verified';
  const done = sum(copy.volumes.map((each) => (verifies ? each.bytesVerified : each.bytesCopied)));
  const lost = [...new Set(copy.volumes.flatMap((each) => each.notKept))].join(', ');
  const notKept = lost === '' ? '' : `, not kept: ${lost}`;
  return `${copy.stage} ${bytesText(done)} of ${bytesText(total)}${tries}${notKept}`;
}

const ROLLBACK_TEXTS = {
  free: 'rollback is free',
  'if-start-fails': 'rollback is free if the start under way fails as those before it',
  'data-loss': 'rollback would lose what only it has acknowledged since its copy',
} as const;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Decimal units, one digit after the point. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < UNITS.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

export function unavailableText(indices: ReadonlyMap<string, readonly string[]>): string {
  if (indices.size === 0)
    return 'Every shard has a copy on another node: no index is away during the migration.';
  const lines = [...indices].map(([index, nodes]) => `  ${index}: during the turn of ${nodes.join(', ')}`);
  return ['These indices have a shard without a copy on another node, and are not whole:', ...lines].join(
    '\n',
  );
}

/** What leave to write over former volumes is given for. @param driver that volumes move to */
export function overwrittenText(
  driver: string,
  nodes: readonly Pick<MigratingNode, 'nodeId' | 'formerVolumes'>[],
): string {
  const lines = nodes.flatMap(({ nodeId, formerVolumes }) =>
    formerVolumes
      .filter(({ volumes }) => volumes.config.driver === driver || volumes.data.driver === driver)
      .map(({ volumes: { config, data }, epoch }) => {
        return `  node ${nodeId}: ${config.name} and ${data.name} of ${driver}, last marked in epoch ${epoch}`;
      }),
  );
  const others = `what ${driver} still has under the names of a node's volumes, if its marker is that node's and older`;
  if (lines.length === 0) {
    return `No former volumes of ${driver} are on record. May be written over: ${others}`;
  }
  return ['These former volumes may be written over:', ...lines, `and ${others}`].join('\n');
}
