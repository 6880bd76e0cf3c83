/** One row, from a whole cluster to a whole cluster. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { PlacedNode } from '@mesos-elasticsearch/cli';
import { attachmentFaults } from '../auditor/attachment-log.ts';
import type { Audit } from '../auditor/records.ts';
import { linesOf } from '../cluster/progress.ts';
import { untilWhole } from '../cluster/wholeness.ts';
import type { FaultRow, Ground } from '../rows/row.ts';
import type { Field } from './field.ts';
import type { RowResult } from './result.ts';
import { goneAheadAt, splitOf, type Split } from './timeline.ts';

/** A row that breaks its bound is not waited for much longer: what comes after is on a cluster that is whole. */
const WHOLE_AGAIN_MS = 120_000;
/** Acknowledged shortly before the fault: what was written last is what is lost first. */
const FRESH_DOCUMENTS = 40;
const SETTLE_MS = 3000;

interface Course {
  readonly node: PlacedNode;
  readonly harmedAtMs: number;
  readonly recoverySeconds: number | undefined;
  readonly misses: readonly string[];
  readonly after: PlacedNode | undefined;
  /** Place in the log of progress. */
  readonly place: number;
}

/** @param turn which node is harmed: a different one each time */
export async function runRow(field: Field, row: FaultRow, turn: number): Promise<RowResult> {
  const { cluster, writer, auditor } = field;
  await untilWhole(cluster, WHOLE_AGAIN_MS);
  await writer.untilAcknowledged(FRESH_DOCUMENTS, WHOLE_AGAIN_MS);
  const before = await auditor.audit();
  const course = await runCourse(field, row, turn);
  const { acknowledged, missing } = await writer.verify();
  const audit = await auditor.audit();
  const overlaps = audit.overlaps.length - before.overlaps.length;
  const misses = [
    ...course.misses,
    ...(missing.length === 0
      ? []
      : [`${missing.length} acknowledged documents are lost: ${missing.slice(0, 5).join(', ')}`]),
    ...overlapWords(audit, before),
    ...(await attachmentsOf(field)),
    ...checked(row, course, field, audit),
  ];
  return {
    row,
    misses,
    recoverySeconds: course.recoverySeconds,
    split: row.outcome === 'returns' ? await splitCourse(field, course) : undefined,
    hosts: hostsOf(field, course),
    documents: { acknowledged, found: acknowledged - missing.length },
    overlaps,
    longestGapMs: audit.longestGapMs,
  };
}

async function runCourse({ cluster }: Field, row: FaultRow, turn: number): Promise<Course> {
  const { board, progress, signal } = cluster;
  const nodes = board.running();
  const node = nodes[turn % nodes.length];
  if (node === undefined) throw new Error('no node runs');
  const place = progress.length;
  const lasting = (ms: number) => pause(ms, undefined, { signal });
  const misses: string[] = [];
  const ground: Ground = { cluster, node, lasting, missed: (what) => misses.push(what) };
  const harmedAtMs = Date.now();
  await row.harm(ground);
  const from = row.outcome === 'stays' ? Date.now() : harmedAtMs;
  const limitMs = row.boundMs + WHOLE_AGAIN_MS;
  const harmed = row.outcome === 'stays' ? [] : row.everyNode === true ? nodes : [node];
  for (const { nodeId, epoch } of harmed) {
    const moved = () => (board.node(nodeId)?.epoch ?? 0) > epoch;
    await board.until(`node ${nodeId} runs in a higher epoch`, moved, limitMs, signal);
  }
  await row.mend?.(ground);
  await untilWhole(cluster, limitMs);
  const recoverySeconds = (Date.now() - from) / 1000;
  // A wrong conclusion may take another look at the leases to show.
  if (row.outcome === 'stays') await lasting(SETTLE_MS);
  if (recoverySeconds * 1000 > row.boundMs) {
    misses.push(`whole again after ${recoverySeconds} s, at most ${row.boundMs / 1000} s are allowed`);
  }
  const still = nodes.filter((one) => !harmed.includes(one));
  misses.push(...movements(cluster.progress.since(place), still), ...otherVolumes(harmed, board.running()));
  return { node, harmedAtMs, recoverySeconds, misses, after: board.node(node.nodeId), place };
}

/** Nobody but the harmed may be assigned anew, and those only where the row says so. */
function movements(lines: Parameters<typeof linesOf>[0], still: readonly PlacedNode[]): string[] {
  return still
    .filter(({ nodeId }) => linesOf(lines, 'assigned', nodeId).length > 0)
    .map(({ nodeId }) => `node ${nodeId} was assigned anew, and had to stay`);
}

/** Who returns has its own volumes: others would be empty, or somebody else's. */
function otherVolumes(before: readonly PlacedNode[], after: readonly PlacedNode[]): string[] {
  return before.flatMap(({ nodeId, volumes }) => {
    const now = after.find((node) => node.nodeId === nodeId)?.volumes.join(', ') ?? 'none';
    const had = volumes.join(', ');
    return now === had ? [] : [`node ${nodeId} had the volumes ${had}, and now has ${now}`];
  });
}

function overlapWords(audit: Audit, before: Audit): string[] {
  return audit.overlaps.slice(before.overlaps.length).map(({ volume, holders, firstMs, lastMs }) => {
    const who = holders.map(({ pid, file, command }) => `pid ${pid} (${file}; ${command.slice(0, 80)})`);
    return `${volume} was written by ${who.join(' and ')} from ${new Date(firstMs).toISOString()} for ${lastMs - firstMs} ms`;
  });
}

async function attachmentsOf({ cluster }: Field): Promise<string[]> {
  if (cluster.shape.driver !== 'hostdir') return [];
  return attachmentFaults(await readFile(join(cluster.work.store, 'attachments.log'), 'utf8'));
}

function checked(row: FaultRow, course: Course, { cluster }: Field, audit: Audit): string[] {
  const { node, after, harmedAtMs, place } = course;
  if (after === undefined) return [`node ${node.nodeId} does not run at the end`];
  const lines = cluster.progress.since(place);
  return row.check?.({ node, after, harmedAtMs, lines, audit }) ?? [];
}

async function splitCourse({ cluster }: Field, { node, after, harmedAtMs, place }: Course): Promise<Split> {
  const log = after === undefined ? '' : await executorLog(cluster, after);
  const lines = cluster.progress.since(place);
  return splitOf({ nodeId: node.nodeId, harmedAtMs, lines, goneAheadAtMs: goneAheadAt(log) });
}

function hostsOf({ cluster }: Field, { node, place }: Course): string[] {
  const assigned = linesOf(cluster.progress.since(place), 'assigned', node.nodeId);
  return [node.host, ...assigned.map(({ host }) => host ?? '?')];
}

async function executorLog(
  { machines, board }: Field['cluster'],
  { host, taskId }: PlacedNode,
): Promise<string> {
  const agent = machines.cluster.agents.get(host);
  if (agent === undefined || board.frameworkId === undefined) return '';
  const executors = join(
    agent.workDir,
    'slaves',
    agent.agentId,
    'frameworks',
    board.frameworkId,
    'executors',
  );
  return readFile(join(executors, taskId, 'runs', 'latest', 'stderr'), 'utf8').catch(() => '');
}
