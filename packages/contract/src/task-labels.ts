/** Label keys on tasks and containers that scheduler, executor and operators read. */
export const TASK_LABEL = {
  frameworkName: 'mesos-elasticsearch.framework',
  clusterIdentity: 'mesos-elasticsearch.cluster-identity',
  nodeId: 'mesos-elasticsearch.node-id',
  epoch: 'mesos-elasticsearch.epoch',
  agentId: 'mesos-elasticsearch.agent-id',
  taskId: 'mesos-elasticsearch.task-id',
  /** `run` or `release`. */
  purpose: 'mesos-elasticsearch.purpose',
} as const;
