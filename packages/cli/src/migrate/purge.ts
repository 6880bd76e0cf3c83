/**
 * Removes former volumes, on a machine that reaches them. Only what is certainly a volume of that very node from before
 * its move is removed: its marker says so. Whatever else is there is left alone, and named.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COPY_MARKER_FILE, copyMarkerSchema, MARKER_FILE, markerSchema } from '@mesos-elasticsearch/contract';
import {
  volumeSpecSchema,
  VOLUME_ROLES,
  type VolumeRole,
  type VolumeSpec,
} from '@mesos-elasticsearch/contract';
import type { ConsumerId, Outcome, Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import type { MigratingNode, MigrationApi, ShownCluster } from './migration-api.ts';

export interface Purging {
  readonly api: Pick<MigrationApi, 'look' | 'cluster' | 'purged'>;
  readonly volumes: Volumes;
  readonly consumer: ConsumerId;
  /** What the driver does not know here is taken off the record: the operator's word that it is gone. */
  readonly forgetMissing: boolean;
  readonly write: (text: string) => void;
}

interface Former {
  readonly node: MigratingNode;
  readonly cluster: ShownCluster;
  /** The last epoch that may be in its markers. */
  readonly epoch: number;
}

/** @returns how many could not be purged; each was named with the reason */
export async function purgeFormer(purging: Purging): Promise<number> {
  const { api, write } = purging;
  const [migration, cluster] = [await api.look(), await api.cluster()];
  let left = 0;
  for (const node of migration.nodes) {
    for (const { volumes, epoch } of node.formerVolumes) {
      const name = `node ${node.nodeId}, ${volumes.data.driver}, epoch ${epoch}`;
      try {
        const removed = await purgeOne(purging, { node, cluster, epoch }, volumes);
        await api.purged(node.nodeId, volumes.data.driver, epoch);
        write(`${name}: ${removed.length === 0 ? 'off the record' : `removed ${removed.join(' and ')}`}\n`);
      } catch (error) {
        left += 1;
        write(`${name}: kept: ${(error as Error).message}\n`);
      }
    }
  }
  return left;
}

/** Both are looked at before either is removed. @returns the names of those that were there */
async function purgeOne(
  { volumes, consumer, forgetMissing }: Purging,
  former: Former,
  kept: MigratingNode['formerVolumes'][number]['volumes'],
): Promise<string[]> {
  const specs = VOLUME_ROLES.map((role) => ({ role, volume: volumeSpecSchema.parse(kept[role]) }));
  const all = specs.map(({ volume }) => volume);
  refuseWhileNeeded(former.node, all);
  const found: VolumeSpec[] = [];
  for (const { role, volume } of specs) {
    if (await isOurs(volumes, consumer, volume, role, former)) found.push(volume);
  }
  if (found.length === 0 && !forgetMissing) {
    throw new Error(
      'the driver knows neither volume here: run this where it does, or say --forget-missing when they are gone',
    );
  }
  for (const volume of found) expectDone(await volumes.remove(volume), `removing ${volume.name}`);
  return found.map(({ name }) => name);
}

function refuseWhileNeeded(
  { phase, stage, volumes, nodeId }: MigratingNode,
  former: readonly VolumeSpec[],
): void {
  if (phase !== 'running' || stage !== undefined) {
    throw new Error(`node ${nodeId} is ${phase}: they are kept until it runs on its new volumes`);
  }
  const own = [volumes?.config, volumes?.data];
  const used = former.find(({ driver, name }) =>
    own.some((volume) => volume?.driver === driver && volume.name === name),
  );
  if (used !== undefined) throw new Error(`${used.name} of ${used.driver} is what it runs on`);
}

/** False: the driver does not know it. @throws Error for everything that is not certainly ours and old */
async function isOurs(
  volumes: Volumes,
  consumer: ConsumerId,
  volume: VolumeSpec,
  role: VolumeRole,
  former: Former,
): Promise<boolean> {
  const known = expectDone(await volumes.inspect(volume), `asking for ${volume.name}`);
  if (known === undefined) return false;
  const attachment = expectDone(await volumes.attach(volume, consumer), `attaching ${volume.name}`);
  try {
    if (attachment.kind !== 'host-path') throw new Error(`${volume.name} cannot be looked at from this host`);
    const refusal = await whyNotOurs(attachment.hostPath, role, former);
    if (refusal !== undefined) throw new Error(`${volume.name} of ${volume.driver}: ${refusal}`);
  } finally {
    expectDone(await volumes.detach(volume, consumer), `detaching ${volume.name}`);
  }
  return true;
}

async function whyNotOurs(directory: string, role: VolumeRole, former: Former): Promise<string | undefined> {
  const [marker, copy] = [await textOf(directory, MARKER_FILE), await textOf(directory, COPY_MARKER_FILE)];
  if (marker !== undefined) return judgeMarker(marker, role, former);
  if (copy !== undefined) return judgeCopyMarker(copy, role, former);
  const entries = await readdir(directory);
  return `it has no marker (it holds ${entries.slice(0, 5).join(', ') || 'nothing'}): nobody knows whose it is`;
}

/** @returns undefined when it is the node's, from before its move */
export function judgeMarker(text: string, role: VolumeRole, former: Former): string | undefined {
  const parsed = markerSchema.safeParse(jsonOf(text));
  if (!parsed.success) return 'its marker cannot be read';
  const { frameworkName } = parsed.data;
  if (frameworkName !== former.cluster.frameworkName) return `its marker names framework ${frameworkName}`;
  return judgeOwner(parsed.data, role, former);
}

export function judgeCopyMarker(text: string, role: VolumeRole, former: Former): string | undefined {
  const parsed = copyMarkerSchema.safeParse(jsonOf(text));
  return parsed.success ? judgeOwner(parsed.data, role, former) : 'the marker of its copy cannot be read';
}

function judgeOwner(
  found: { clusterIdentity: string; nodeId: number; role: VolumeRole; epoch: number },
  role: VolumeRole,
  { node, cluster, epoch }: Former,
): string | undefined {
  if (found.clusterIdentity !== cluster.clusterIdentity) return 'its marker names another cluster';
  if (found.nodeId !== node.nodeId) return `its marker names node ${found.nodeId}`;
  if (found.role !== role) return `its marker names the role ${found.role}`;
  if (found.epoch > epoch) return `its marker is of epoch ${found.epoch}, on record is ${epoch}: it is newer`;
  if (found.epoch >= node.epoch) return `its marker is of epoch ${found.epoch}, in which the node runs`;
  return undefined;
}

async function textOf(directory: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(directory, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function expectDone<T>(outcome: Outcome<T>, what: string): T {
  if (outcome.kind === 'done') return outcome.value;
  throw new Error(`${what}: ${outcome.kind}: ${outcome.error.message}`);
}
