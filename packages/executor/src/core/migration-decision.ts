/** What a task that migrates may do with the volumes it has found: decided for all four before anything is written. */
import {
  COPY_MARKER_FILE,
  COPY_MARKER_FORMAT,
  copyMarkerSchema,
  MARKER_FILE,
  VOLUME_ROLES,
  type CopyMarkerRecord,
  type LaunchSpec,
  type MarkerRecord,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import { markerOf, readOwnMarker, type decideMarker, type VolumeFinding } from './marker.ts';
import { newSlot, volumeText, type CopySlot } from './slots.ts';

/**
 * begin: the new volume is empty.
 * resume: it is an earlier try of this very copy, whole or not.
 * overwrite: it is a volume that the node had before, out of date, and that may be written over.
 */
export type CopyStart = 'begin' | 'resume' | 'overwrite';

/** What goes onto the volumes of one role. */
export interface RoleCopy {
  readonly start: CopyStart;
  /** Of the old volume, with our epoch. */
  readonly source: MarkerRecord;
  /** Lies on the new one while it is not what the old one is. */
  readonly copyMarker: CopyMarkerRecord;
  /** Of the new one, at the end. */
  readonly target: MarkerRecord;
}
export type CopyTask = Readonly<Record<VolumeRole, RoleCopy>>;

export type MigrationDecision =
  { readonly kind: 'copy'; readonly task: CopyTask } | { readonly kind: 'refuse'; readonly why: string };

/** What is left of a write of ours that was cut off, and what mkfs has made. */
const NOBODYS: ReadonlySet<string> = new Set([
  'lost+found',
  '.mesos-elasticsearch-probe',
  `${MARKER_FILE}.new`,
  `${COPY_MARKER_FILE}.new`,
]);

/** Of a launch spec, before anything is done for it; undefined: nothing is wrong. */
export function migrationProblem(spec: LaunchSpec): string | undefined {
  if (spec.purpose !== 'migrate') return undefined;
  const { migration, volumePath } = spec;
  if (!migration) return 'the launch spec is for a migration and does not say where to';
  if (volumePath.kind === 'engine') {
    return (
      'a migration needs old and new volumes side by side at paths of the agent, and the Docker Engine gives none ' +
      '(volumePath engine): start the scheduler with --volumePath plugin-socket'
    );
  }
  const same = VOLUME_ROLES.filter((role) => {
    const [from, to] = [spec.volumes[role], migration.to[role]];
    return from.name === to.name && from.driver === to.driver;
  });
  if (same.length === 0) return undefined;
  return `a migration of ${volumeText(spec, same[0] ?? 'data')} to itself: the new volume needs another driver or name`;
}

/** @param freshIdentities random, for the new volumes */
export function decideMigration(
  spec: LaunchSpec,
  findings: Readonly<Record<CopySlot, VolumeFinding>>,
  freshIdentities: Readonly<Record<VolumeRole, string>>,
  judgeOld: typeof decideMarker,
): MigrationDecision {
  const config = decideRole(spec, 'config', findings, freshIdentities.config, judgeOld);
  if (config.kind === 'refuse') return config;
  const data = decideRole(spec, 'data', findings, freshIdentities.data, judgeOld);
  if (data.kind === 'refuse') return data;
  return { kind: 'copy', task: { config: config.copy, data: data.copy } };
}

type RoleDecision = { kind: 'copy'; copy: RoleCopy } | { kind: 'refuse'; why: string };

function decideRole(
  spec: LaunchSpec,
  role: VolumeRole,
  findings: Readonly<Record<CopySlot, VolumeFinding>>,
  freshIdentity: string,
  judgeOld: typeof decideMarker,
): RoleDecision {
  const { migration } = spec;
  if (!migration) return refuse('the launch spec does not say where to migrate');
  // What is moved has run here, so it has a marker: nothing is claimed or adopted on the way.
  const old = judgeOld(
    { ...spec, adoptVolumes: false, dataOnRecord: true },
    role,
    findings[role],
    freshIdentity,
  );
  if (old.kind === 'refuse') return old;
  if (old.previousEpoch === undefined) return refuse(`${volumeText(spec, role)} has no marker`);
  const source = old.marker;
  const start = judgeNew(spec, role, findings[newSlot(role)], { ...source, epoch: old.previousEpoch });
  if (typeof start !== 'string') return start;
  return {
    kind: 'copy',
    copy: {
      start,
      source,
      copyMarker: {
        format: COPY_MARKER_FORMAT,
        clusterIdentity: spec.clusterIdentity,
        nodeId: spec.nodeId,
        role,
        migration: migration.id,
        volumeIdentity: source.volumeIdentity,
        epoch: spec.epoch,
      },
      // Another identity than the old one's: two volumes never say that they are the same one.
      target: {
        ...markerOf(spec, role, freshIdentity),
        copyOf: { migration: migration.id, volumeIdentity: source.volumeIdentity },
      },
    },
  };
}

/** @param source marker of the old volume as it was found */
function judgeNew(
  spec: LaunchSpec,
  role: VolumeRole,
  finding: VolumeFinding,
  source: Omit<MarkerRecord, 'epoch'> & { readonly epoch: number },
): CopyStart | { kind: 'refuse'; why: string } {
  const where = volumeText(spec, newSlot(role));
  if (finding.copyMarker !== undefined)
    return judgeCopy(spec, role, finding.copyMarker, source.volumeIdentity);
  if (finding.marker === undefined) {
    const there = finding.entries.filter((name) => !NOBODYS.has(name));
    if (there.length === 0) return 'begin';
    const some = there.slice(0, 5).join(', ');
    return refuse(
      `${where} is not empty (${some}) and has no marker: nobody knows whose that is; empty it, or choose another volume`,
    );
  }
  const read = readOwnMarker(spec, role, finding.marker, where);
  if (read.kind === 'refuse') return read;
  const found = read.marker;
  if (found.volumeIdentity === source.volumeIdentity) {
    return refuse(`${where} is the old volume itself, reached in another way: both have the same marker`);
  }
  const epochs = `in epoch ${String(found.epoch)}, the old volume in ${String(source.epoch)}`;
  if (found.epoch > source.epoch) {
    return refuse(`${where} was held ${epochs}: it has the newer data and is not written over`);
  }
  // Two volumes of a node have the same epoch only where a copy between them was verified in it, and nothing ran since.
  if (found.epoch === source.epoch) return 'resume';
  // Made in this very turn too, by a task whose end nobody saw; the old volume was claimed once more after it.
  const since = spec.migration?.sinceEpoch;
  if (since !== undefined && found.epoch > since) return 'resume';
  // Taken back, and nothing ran on it: what is there is of this very copy, and no leave of anybody is needed.
  const { copyOf } = found;
  if (copyOf?.migration === spec.migration?.id && copyOf?.volumeIdentity === source.volumeIdentity)
    return 'resume';
  if (spec.migration?.overwriteFormer === true) return 'overwrite';
  return refuse(
    `${where} was held ${epochs}: it has older data of this node; to write over it order the migration with ` +
      `--overwrite-former`,
  );
}

function judgeCopy(
  spec: LaunchSpec,
  role: VolumeRole,
  text: string,
  sourceIdentity: string,
): 'resume' | { kind: 'refuse'; why: string } {
  const where = volumeText(spec, newSlot(role));
  const found = parseCopyMarker(text);
  if (!found) return refuse(`${where}: its copy marker ${COPY_MARKER_FILE} cannot be read; empty the volume`);
  const compared = [
    ['cluster identity', found.clusterIdentity, spec.clusterIdentity],
    ['node ID', found.nodeId, spec.nodeId],
    ['volume role', found.role, role],
    ['migration', found.migration, spec.migration?.id],
    ['volume identity', found.volumeIdentity, sourceIdentity],
  ] as const;
  for (const [what, is, expected] of compared) {
    if (is === expected) continue;
    return refuse(
      `${where} is the unfinished copy of another ${what}: its copy marker says ${String(is)}, this is ` +
        `${String(expected)}; remove that volume, or choose another`,
    );
  }
  if (found.epoch > spec.epoch) {
    return refuse(
      `${where} was copied to in epoch ${String(found.epoch)}, which is newer than ours (${String(spec.epoch)}): ` +
        `we are a late holder and must not write`,
    );
  }
  return 'resume';
}

function parseCopyMarker(text: string): CopyMarkerRecord | undefined {
  try {
    const parsed = copyMarkerSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function refuse(why: string): { kind: 'refuse'; why: string } {
  return { kind: 'refuse', why };
}
