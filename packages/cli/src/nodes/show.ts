/** Nodes as text. Pure: the time is an input. */
import { textTable } from '../text-table.ts';
import type { ShownNode } from './nodes-api.ts';

const HEAD = ['NODE', 'PHASE', 'EPOCH', 'AGENT', 'SINCE', 'WHY', 'WAITS FOR'];

export function nodesTable(nodes: readonly ShownNode[], nowMs: number): string {
  if (nodes.length === 0) return 'There are no nodes yet.';
  return textTable([HEAD, ...nodes.map((node) => rowOf(node, nowMs))]);
}

function rowOf(node: ShownNode, nowMs: number): string[] {
  return [
    String(node.nodeId),
    node.phase,
    String(node.epoch),
    node.host ?? '-',
    age(node.sinceMs, nowMs),
    node.why,
    node.waitsFor.map(({ rule, reason }) => `${rule}: ${reason}`).join('; ') || '-',
  ];
}

/** All that a person must weigh before giving a word about the node's holder. */
export function nodeFacts(node: ShownNode, nowMs: number): string {
  const holder =
    node.taskId === undefined
      ? 'none'
      : `task ${node.taskId} on ${node.host ?? 'an unknown host'} (agent ${node.agentId ?? 'unknown'})`;
  const waits = node.waitsFor.map(({ rule, reason }) => `\n  waits for: ${rule}: ${reason}`).join('');
  return [
    `Node ${node.nodeId} (${node.name})`,
    `  phase:     ${node.phase} for ${age(node.sinceMs, nowMs)}: ${node.why}`,
    `  epoch:     ${node.epoch}`,
    `  holder:    ${holder}`,
    `  volumes:   ${node.volumes.join(', ') || 'none'}${node.dataOnRecord ? ' (data on record)' : ''}${waits}`,
  ].join('\n');
}

function age(sinceMs: number, nowMs: number): string {
  if (sinceMs === 0) return '-';
  const seconds = Math.max(0, Math.round((nowMs - sinceMs) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
