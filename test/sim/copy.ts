/** A copy of a node's volumes to another driver, piece by piece, as the task that migrates makes it. */
import { markerSchema, VOLUME_ROLES } from '@mesos-elasticsearch/contract';
import type { LaunchSpec, MarkerRecord, MigrationReport, VolumeRole } from '@mesos-elasticsearch/contract';
import { isRole, type VolumeSlot } from '@mesos-elasticsearch/executor/core';
import type { Elasticsearch } from './elasticsearch.ts';
import type { Volume } from './volumes.ts';
import type { World } from './world.ts';

export interface CopyPlan {
  readonly id: string;
  readonly to: string;
  readonly overwriteFormer: boolean;
  /** What a later epoch has marked on the target was marked in this very turn. */
  readonly sinceEpoch: number;
}

/** Of a task that copies: it is played by a node's machine, see `asNode` in `executor.ts`. */
export function copyPlanOf({ purpose, migration }: LaunchSpec): CopyPlan | undefined {
  if (purpose !== 'run' || migration === undefined) return undefined;
  const { id, to, overwriteFormer, sinceEpoch = Number.POSITIVE_INFINITY } = migration;
  return { id, to: to.data.driver, overwriteFormer, sinceEpoch };
}

export function copyReportOf(
  spec: LaunchSpec,
  copier: Elasticsearch | undefined,
): MigrationReport | undefined {
  if (copyPlanOf(spec) === undefined) return undefined;
  const { nodeId, epoch } = spec;
  const stage = copier?.copied === true ? 'verified' : 'copying';
  return { version: 1, kind: 'migration', nodeId, epoch, stage, volumes: [] };
}

const PIECES = 3;
/** Some come to nothing: no space, a driver that refuses. */
const FAILS = 0.15;

/** It ends by itself, whole or not; whoever looks after it sees `copied`. */
export function startCopy(world: World, copier: Elasticsearch, plan: CopyPlan): void {
  const { nodeId, driver, epoch } = copier.at;
  const [from, to] = [world.volumes.of(nodeId, driver), world.volumes.of(nodeId, plan.to)];
  const next = (piece: number): void => {
    copier.process.after(world.random.between(100, 5_000), () => {
      if (!world.judge.canWrite(copier) || world.random.chance(FAILS / PIECES)) {
        copier.process.die();
        return;
      }
      for (const role of VOLUME_ROLES) {
        world.judge.onCopied(to[role], copier);
        const { content } = to[role];
        if (piece === 0) begin(content);
        content.used ||= from[role].content.used;
        const documents = [...from[role].content.synced];
        const share = Math.ceil(((piece + 1) / PIECES) * documents.length);
        for (const document of documents.slice(0, share)) content.synced.add(document);
      }
      if (piece + 1 < PIECES) {
        next(piece + 1);
        return;
      }
      for (const role of VOLUME_ROLES) finish(from[role], to[role], epoch, plan);
      copier.copied = true;
      copier.process.die();
    });
  };
  if (VOLUME_ROLES.every((role) => mayBeWritten(to[role], plan))) next(0);
  else copier.process.after(10, () => copier.process.die());
}

/** Empty, half a copy, of this very turn, this copy taken back, or a former volume where that is allowed. */
function mayBeWritten({ content }: Volume, { id, overwriteFormer, sinceEpoch }: CopyPlan): boolean {
  const marker = markerOf(content.marker);
  return (
    marker === undefined || overwriteFormer || marker.epoch > sinceEpoch || marker.copyOf?.migration === id
  );
}

function begin(content: Volume['content']): void {
  content.marker = undefined;
  content.unfinished = true;
  content.synced.clear();
}

function finish(from: Volume, { content }: Volume, epoch: number, { id }: CopyPlan): void {
  const marker = markerOf(from.content.marker);
  const copyOf = { migration: id, volumeIdentity: marker?.volumeIdentity };
  content.marker = JSON.stringify({ ...marker, epoch, copyOf });
  content.unfinished = false;
}

function markerOf(text: string | undefined): MarkerRecord | undefined {
  return text === undefined ? undefined : markerSchema.safeParse(JSON.parse(text)).data;
}

/** The machine that plays a copy task has the slots of a node; see `asNode` in `executor.ts`. */
export function ownRole(slot: VolumeSlot): VolumeRole {
  if (isRole(slot)) return slot;
  throw new TypeError(`${slot}: the copy task is played by a node's machine`);
}
