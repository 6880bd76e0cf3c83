import { TASK_LABEL } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { masterEvidence } from './master-state.ts';

const identity = '3f0e3a3e-6b0f-4d0a-9f57-1d9f3c1b2a10';
function task(id: string, nodeId: string, epoch: string, frameworkName = 'es') {
  const labels = {
    [TASK_LABEL.frameworkName]: frameworkName,
    [TASK_LABEL.clusterIdentity]: identity,
    [TASK_LABEL.nodeId]: nodeId,
    [TASK_LABEL.epoch]: epoch,
    team: 'search',
  };
  return {
    id,
    name: 'elasticsearch-executor',
    executor_id: id,
    slave_id: 'S1',
    framework_id: 'F1',
    state: 'TASK_RUNNING',
    labels: Object.entries(labels).map(([key, value]) => ({ key, value })),
  };
}

describe("a master's state", () => {
  const answer = {
    slaves: [{ id: 'S1', hostname: 'agent1' }],
    frameworks: [
      {
        id: 'F1',
        tasks: [task('es-1-3-a', '1', '3'), { ...task('x', '1', '1'), labels: undefined }],
        unreachable_tasks: [{ ...task('es-2-1-b', '2', '1'), slave_id: 'S9', state: 'TASK_UNREACHABLE' }],
        completed_tasks: [{ ...task('es-1-2-c', '1', '2'), executor_id: '', state: 'TASK_FINISHED' }],
      },
      { id: 'F2', tasks: [task('logs-1-1-d', '1', '1', 'logs')] },
    ],
    completed_frameworks: [
      { id: 'F0', completed_tasks: [{ ...task('es-3-4-e', '3', '4'), framework_id: 'F0' }] },
    ],
  };

  it('tells of every task of the framework: running, unreachable, ended, and of one that was removed', () => {
    const { tasks, agents } = masterEvidence('http://m/state', answer, 'es');
    expect(agents).toEqual([{ agentId: 'S1', host: 'agent1' }]);
    expect(
      tasks.map((each) => [each.nodeId, each.epoch, each.host, each.executorId, each.isRegistered]),
    ).toEqual([
      [1, 3, 'agent1', 'es-1-3-a', true],
      [2, 1, undefined, 'es-2-1-b', true],
      [1, 2, 'agent1', 'es-1-2-c', true],
      [3, 4, 'agent1', 'es-3-4-e', false],
    ]);
  });

  it('tells nothing of labels that are not ours to the letter', () => {
    const odd = [task('a', '01', '1'), task('b', '1', '0'), task('c', '1', '1e3'), task('d', '', '1')];
    expect(masterEvidence('m', { frameworks: [{ tasks: odd }] }, 'es').tasks).toEqual([]);
  });

  it('is refused when it is something else', () => {
    expect(() => masterEvidence('http://m/state', { frameworks: [{ tasks: [{ id: 1 }] }] }, 'es')).toThrow(
      /http:\/\/m\/state is not a master's state/,
    );
  });
});
