/** Nodes that are not wanted any more: stopped one at a time, then retired; and retired ones that are wanted again. */
import { agentId, taskId } from '@mesos-elasticsearch/mesos-v1';
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import { heldNodes, type Model } from '../model.ts';
import type { Step } from '../steps.ts';
import * as transition from '../transitions.ts';
import { recordNode, waitFor, type PlanContext } from './context.ts';
import { surplusNodes } from './launches.ts';

export function planRetirement(context: PlanContext): Step[] {
  const { model, now } = context;
  const records = [...model.nodes.values()].map(({ record }) => record);
  const retiring = records
    .filter((record) => isLeftOver(model, record))
    .map((record) => recordNode(model, transition.retired(record, now.wallMs)));
  const reused = records.flatMap((record) => {
    const volumes = model.operatorReuses.get(record.nodeId);
    if (record.phase !== 'retired' || volumes === undefined) return [];
    return [recordNode(model, transition.reused(record, volumes, now.wallMs))];
  });
  return [...retiring, ...reused];
}

/** A node without data leaves nothing behind that could be old. */
function isLeftOver(model: Model, { phase, nodeId, dataOnRecord }: NodeRecord): boolean {
  const wanted = model.vacancies.has(nodeId) || model.operatorReuses.has(nodeId);
  return phase === 'vacant' && dataOnRecord && !wanted;
}

/** Stops the highest surplus node, and the next one only when all others run. */
export function planShrinking({ model, desired, now }: PlanContext): Step[] {
  const surplus = surplusNodes(model);
  const highest = Math.max(...surplus);
  const record = heldNodes(model).find(({ nodeId }) => nodeId === highest);
  if (record?.holder === undefined) return [];
  const unsettled = heldNodes(model).find(({ phase, nodeId }) => phase !== 'running' && nodeId !== highest);
  if (record.phase !== 'running' || unsettled !== undefined) {
    const which = record.phase === 'running' ? unsettled : record;
    const reason = `one node at a time: node ${which?.nodeId ?? highest} is ${which?.phase ?? 'not settled'}`;
    return [waitFor('size-shrinks', reason, record.nodeId)];
  }
  const killedAtMs = model.shrinking.get(record.nodeId);
  if (killedAtMs !== undefined && now.monotonicMs - killedAtMs < desired.timing.killEveryMs) {
    return [waitFor('size-shrinks', 'it was told to stop', record.nodeId)];
  }
  const { holder } = record;
  const target = { taskId: taskId(holder.taskId), agentId: agentId(holder.agentId) };
  return [{ kind: 'kill', ...target, rule: 'size-shrinks' }];
}
