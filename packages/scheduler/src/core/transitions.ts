/** How a node record goes from one phase to the next. Each keeps what the next phase still needs, and says why. */
import type { NodeId, NodeRecord, NodeVolumes } from '@mesos-elasticsearch/contract';
import type { Holder, LeftBehind, NodeReport, Purpose } from '@mesos-elasticsearch/contract';
import type { SuspectPolicy } from '@mesos-elasticsearch/contract';
import { epoch } from '@mesos-elasticsearch/contract';
import { stillUnused } from './migration/proof.ts';

/** How a node left its agent; kept in the record's `lastAgent.left`. */
export type Left =
  | 'released'
  | 'never-started'
  | 'never-took-lease'
  | 'lease-given-back'
  | 'lease-expired'
  | 'preempted'
  | 'operator-word';

export type AssignedRecord = NodeRecord & {
  readonly holder: Holder;
  readonly volumes: NonNullable<NodeRecord['volumes']>;
};

export interface Assignment {
  readonly nodeId: NodeId;
  readonly holder: Holder;
  readonly purpose: Purpose;
  /** Counts from this epoch on. */
  readonly policy: SuspectPolicy;
  /** Absent for a release, which nobody talks to. */
  readonly addresses: { readonly http: string; readonly transport: string } | undefined;
  readonly leftBehind: readonly LeftBehind[];
  /** Of a node that has none yet. */
  readonly newVolumes: NodeVolumes;
  /** Whether an isolator of Mesos mounts for it. */
  readonly isolated: boolean;
  readonly wallMs: number;
}

export function assigned(before: NodeRecord | undefined, now: Assignment): AssignedRecord {
  const migration = before?.migration;
  const stage = now.purpose === 'migrate' ? 'copying' : migration?.stage;
  return {
    nodeId: now.nodeId,
    epoch: epoch((before?.epoch ?? 0) + 1),
    phase: 'assigned',
    holder: now.holder,
    ...(now.purpose === 'run' ? {} : { purpose: now.purpose }),
    ...(now.isolated ? { isolated: true } : {}),
    ...(now.leftBehind.length === 0 ? {} : { leftBehind: now.leftBehind.slice(-MOST_LEFT_BEHIND) }),
    ...(before?.wipe === true ? { wipe: true } : {}),
    ...(now.addresses === undefined ? {} : { addresses: now.addresses }),
    volumes: volumesFor(before, now.newVolumes),
    ...(migration === undefined || stage === undefined ? {} : { migration: { ...migration, stage } }),
    ...(before?.takenBack === undefined ? {} : { takenBack: before.takenBack }),
    ...(before?.formerVolumes === undefined ? {} : { formerVolumes: before.formerVolumes }),
    dataOnRecord: before?.dataOnRecord ?? false,
    suspectPolicy: now.policy,
    ...(before?.lastAgent === undefined ? {} : { lastAgent: before.lastAgent }),
    why: whyAssigned(before, now.purpose),
    since: now.wallMs,
  };
}

const ASSIGNED_FOR = { run: 'relaunch', release: 'release', migrate: 'copy' } as const;

/** Volumes of a node that has data keep their driver and options, whatever the flags say now. */
export function volumesFor(before: NodeRecord | undefined, newVolumes: NodeVolumes): NodeVolumes {
  return (before?.dataOnRecord === true ? before.volumes : undefined) ?? newVolumes;
}

function whyAssigned(before: NodeRecord | undefined, purpose: Purpose): string {
  if (before === undefined || before.epoch === 0) return 'first launch';
  return `${ASSIGNED_FOR[purpose]}: ${before.why}`;
}

export function running(before: NodeRecord, report: NodeReport | undefined, wallMs: number): NodeRecord {
  const addresses =
    report === undefined ? before.addresses : { http: report.http, transport: report.transport };
  const next: NodeRecord = {
    ...withoutLeftBehindOn(before, before.holder?.agentId),
    phase: 'running',
    dataOnRecord: true,
    leaseTaken: true,
    ...(addresses === undefined ? {} : { addresses }),
    ...(report === undefined ? {} : { tied: report.tied }),
    why: 'the executor said RUNNING',
    since: before.phase === 'running' ? before.since : wallMs,
  };
  delete next.wipe;
  delete next.takenBack;
  // Launched on its new volumes, it has come up on them: its turn is over.
  if (before.migration?.stage === 'copied') delete next.migration;
  return next;
}

/** A task that copies has spoken: its node is held by it, and runs nothing. */
export function copying(before: NodeRecord, wallMs: number): NodeRecord {
  const since = before.phase === 'migrating' ? before.since : wallMs;
  return { ...before, phase: 'migrating', leaseTaken: true, why: 'migration: its volumes are copied', since };
}

/** An executor that runs, or has ended in order, has undone before what others had left behind on its agent. */
function withoutLeftBehindOn(record: NodeRecord, agentId: string | undefined): NodeRecord {
  const rest = (record.leftBehind ?? []).filter((each) => each.agentId !== agentId);
  const next: NodeRecord = { ...record, leftBehind: rest };
  if (rest.length === 0) delete next.leftBehind;
  return next;
}

/** A suspect whose holder spoke again before it was RUNNING. */
export function launching(before: NodeRecord, wallMs: number): NodeRecord {
  return { ...before, phase: 'assigned', why: 'the executor is back', since: wallMs };
}

export function suspected(before: NodeRecord, why: string, wallMs: number): NodeRecord {
  return { ...before, phase: 'suspect', why, since: wallMs };
}

export function releasing(before: NodeRecord, why: string, wallMs: number): NodeRecord {
  return { ...before, phase: 'releasing', why, since: wallMs };
}

/** Ends that come after the executor has detached everything, what others left behind on its agent included. */
const VOLUMES_DETACHED: ReadonlySet<Left> = new Set(['released', 'lease-given-back']);
/** Ends of holders that never attached anything. */
const NEVER_ATTACHED: ReadonlySet<Left> = new Set(['never-started', 'never-took-lease']);
/** More than that is forgotten, oldest first: mounts on machines where the node has not been for as many moves. */
const MOST_LEFT_BEHIND = 8;

/** Known to be gone, but nobody saw an unmount. */
function leftBehindBy({ holder, isolated }: NodeRecord, left: Left): LeftBehind[] {
  // An isolator mounts before the executor has a lease, or even runs.
  if (holder === undefined || (NEVER_ATTACHED.has(left) && isolated !== true)) return [];
  const { agentId, taskId } = holder;
  return [{ agentId, taskId, fencedAfterMs: 0, ...(isolated === true ? { isolated } : {}) }];
}

function withLeftBehind(record: NodeRecord, more: readonly LeftBehind[]): NodeRecord {
  const all = [...(record.leftBehind ?? []), ...more].slice(-MOST_LEFT_BEHIND);
  return all.length === 0 ? record : { ...record, leftBehind: all };
}

export function vacated(before: NodeRecord, left: Left, why: string, wallMs: number): NodeRecord {
  const { holder } = before;
  const kept = VOLUMES_DETACHED.has(left)
    ? withoutLeftBehindOn(before, holder?.agentId)
    : withLeftBehind(before, leftBehindBy(before, left));
  const next: NodeRecord = { ...kept, phase: 'vacant', why, since: wallMs };
  const { migration } = before;
  if (migration !== undefined && migration.stage !== 'copied') {
    next.phase = 'migrating';
    next.migration = { ...migration, stage: 'copying' };
  }
  const unused = NEVER_ATTACHED.has(left) ? stillUnused(before) : undefined;
  if (unused?.stage === 'copied') next.migration = unused;
  if (holder !== undefined) next.lastAgent = { agentId: holder.agentId, host: holder.host, left };
  delete next.holder;
  delete next.addresses;
  delete next.purpose;
  delete next.isolated;
  delete next.tied;
  delete next.leaseTaken;
  return next;
}

/** Not wanted any more. What its volumes hold is old from now on. */
export function retired(before: NodeRecord, wallMs: number): NodeRecord {
  const why = 'size-shrank: fewer nodes are wanted; the volumes keep what they hold';
  const next: NodeRecord = { ...before, phase: 'retired', why, since: wallMs };
  delete next.migration;
  return next;
}

/** An operator's word about the volumes of a retired node. */
export function reused(before: NodeRecord, volumes: 'keep' | 'wipe', wallMs: number): NodeRecord {
  const why = `operator-word: its volumes may be used again (${volumes})`;
  return { ...before, phase: 'vacant', ...(volumes === 'wipe' ? { wipe: true } : {}), why, since: wallMs };
}
