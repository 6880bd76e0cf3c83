/** The right volume (design rule 5): what to do about one volume, from what was found on it. */
import {
  COPY_MARKER_FILE,
  MARKER_FILE,
  MARKER_FORMAT,
  markerSchema,
  type LaunchSpec,
  type MarkerRecord,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import type { MarkerToWrite } from './effects.ts';

/** What the volume's root holds. `marker` is the file's text, undefined where there is none. */
export interface VolumeFinding {
  readonly marker: string | undefined;
  /** The same of the copy marker. */
  readonly copyMarker?: string | undefined;
  /** Names in the volume's root, as `ls -A` gives them. */
  readonly entries: readonly string[];
}

export type MarkerDecision =
  | ({ readonly kind: 'write'; readonly previousEpoch: number | undefined } & MarkerToWrite)
  | { readonly kind: 'refuse'; readonly why: string };

/** Made by mkfs, by us, or by a write that was cut off: no sign of anyone's data. */
const NOBODYS: ReadonlySet<string> = new Set(['lost+found', MARKER_FILE]);

const ELASTICSEARCH_FILES: Readonly<Record<VolumeRole, ReadonlySet<string>>> = {
  config: new Set(['elasticsearch.yml', 'elasticsearch.keystore', 'opensearch.yml', 'jvm.options']),
  data: new Set(['nodes', 'indices', '_state', 'node.lock', 'snapshot_cache']),
};

/** The names that show that an Elasticsearch has used this volume. */
export function elasticsearchFilesAmong(
  entries: readonly string[],
  role: VolumeRole,
  clusterName: string,
): readonly string[] {
  return entries.filter(
    (name) =>
      !NOBODYS.has(name) &&
      // Before version 5 the data lay in a folder named after the cluster.
      (ELASTICSEARCH_FILES[role].has(name) || (role === 'data' && name === clusterName)),
  );
}

/**
 * Decides about one volume. Never decides on wording or on a marker it cannot read whole: what is not
 * certainly ours is refused, and the refusal names what is there and what was expected.
 */
export function decideMarker(
  spec: LaunchSpec,
  role: VolumeRole,
  finding: VolumeFinding,
  freshIdentity: string,
): MarkerDecision {
  const volume = spec.volumes[role];
  const where = `volume ${volume.name} of driver ${volume.driver} (${role})`;
  if (finding.copyMarker !== undefined) {
    return refuse(
      `${where} is the unfinished copy of another volume (it has ${COPY_MARKER_FILE}): nothing may run on it; ` +
        `let the migration finish, or give the node back the volume that was copied`,
    );
  }
  if (finding.marker !== undefined) return decideMarked(spec, role, finding.marker, where);

  const files = elasticsearchFilesAmong(finding.entries, role, spec.clusterName);
  const occupied = files.length > 0;
  if (occupied && !spec.adoptVolumes) {
    return refuse(
      `${where} has Elasticsearch files (${files.join(', ')}) but no marker: nobody knows whose they are; ` +
        `to take them over start the scheduler with --adoptVolumes`,
    );
  }
  if (!occupied && spec.dataOnRecord) {
    return refuse(
      `${where} is empty, but data is on record for node ${String(spec.nodeId)}: this is not the volume it had; ` +
        `find out where that volume is before anything is written`,
    );
  }
  return {
    kind: 'write',
    marker: markerOf(spec, role, freshIdentity),
    claimed: !occupied,
    previousEpoch: undefined,
  };
}

function decideMarked(spec: LaunchSpec, role: VolumeRole, text: string, where: string): MarkerDecision {
  const read = readOwnMarker(spec, role, text, where);
  if (read.kind === 'refuse') return read;
  const found = read.marker;
  const { movedTo } = found;
  if (movedTo !== undefined && !countsAgain(spec, movedTo.migration)) {
    return refuse(
      `${where} is out of date: its data was moved to driver ${movedTo.driver} by a migration, and the node ran there since; ` +
        `find the volumes of that driver, or the ledger that knows of them`,
    );
  }
  return {
    kind: 'write',
    marker: markerOf(spec, role, found.volumeIdentity),
    claimed: false,
    previousEpoch: found.epoch,
  };
}

/** Nobody was told that the copy is whole, or it was taken back before anything ran on it. */
function countsAgain({ purpose, migration, takenBack }: LaunchSpec, moved: string): boolean {
  return takenBack === moved || (purpose === 'migrate' && migration?.id === moved);
}

export type ParsedMarker =
  | { readonly kind: 'marker'; readonly marker: MarkerRecord }
  | { readonly kind: 'refuse'; readonly why: string };

/** A marker of this cluster, node and role that is not newer than we are; anything else is refused by name. */
export function readOwnMarker(spec: LaunchSpec, role: VolumeRole, text: string, where: string): ParsedMarker {
  const parsed = parseMarker(text);
  if (parsed.kind === 'refuse') return refuse(`${where}: ${parsed.why}`);
  const found = parsed.marker;
  const wanted = markerOf(spec, role, found.volumeIdentity);
  const compared = [
    ['cluster identity', found.clusterIdentity, wanted.clusterIdentity],
    ['framework name', found.frameworkName, wanted.frameworkName],
    ['cluster name', found.clusterName, wanted.clusterName],
    ['node ID', found.nodeId, wanted.nodeId],
    ['volume role', found.role, wanted.role],
  ] as const;
  for (const [what, is, expected] of compared) {
    if (is !== expected) {
      return refuse(
        `${where} belongs to another ${what}: its marker says ${String(is)}, we are ${String(expected)}`,
      );
    }
  }
  if (found.epoch > spec.epoch) {
    return refuse(
      `${where} was held in epoch ${String(found.epoch)}, which is newer than ours (${String(spec.epoch)}): ` +
        `we are a late holder and must not write`,
    );
  }
  return parsed;
}

function parseMarker(text: string): ParsedMarker {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      kind: 'refuse',
      why: `its marker ${MARKER_FILE} is not JSON; restore it or move the volume away`,
    };
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (format !== MARKER_FORMAT) {
    const said = JSON.stringify(format) as string | undefined;
    return {
      kind: 'refuse',
      why: `its marker has format ${said ?? 'none'}, this executor knows ${String(MARKER_FORMAT)}: use a newer version`,
    };
  }
  const parsed = markerSchema.safeParse(value);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.') || issue.message).join(', ');
    return { kind: 'refuse', why: `its marker ${MARKER_FILE} is damaged (${fields})` };
  }
  return { kind: 'marker', marker: parsed.data };
}

export function markerOf(spec: LaunchSpec, role: VolumeRole, volumeIdentity: string): MarkerRecord {
  return {
    format: MARKER_FORMAT,
    clusterIdentity: spec.clusterIdentity,
    frameworkName: spec.frameworkName,
    clusterName: spec.clusterName,
    nodeId: spec.nodeId,
    role,
    epoch: spec.epoch,
    volumeIdentity,
  };
}

function refuse(why: string): { readonly kind: 'refuse'; readonly why: string } {
  return { kind: 'refuse', why };
}
