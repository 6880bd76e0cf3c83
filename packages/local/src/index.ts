export type { ClusterControl, Victim } from './cluster-control.ts';
export type { AgentOptions, RunningAgent } from './agent/options.ts';
export { runAgent } from './agent/run-agent.ts';
export type { Flags, FlagSpec } from './cli/flags.ts';
export {
  AGENT_FLAGS,
  agentOptionsFromFlags,
  FlagError,
  MASTER_FLAGS,
  masterOptionsFromFlags,
} from './cli/flags.ts';
export { runLocalCommand } from './cli/run-local-command.ts';
export { parseAttributes, parseResources } from './core/resource-grammar.ts';
export { ListenError } from './http/listen.ts';
export { WorkDirInUseError } from './work-dir-lock.ts';
export type { MasterOptions, RunningMaster } from './master/options.ts';
export { runMaster } from './master/run-master.ts';
export type {
  EmbeddedAgent,
  EmbeddedCluster,
  EmbeddedClusterOptions,
} from './cluster/start-embedded-cluster.ts';
export type { EmbeddedAgentSpec } from './cluster/embedded-machine.ts';
export { startEmbeddedCluster } from './cluster/start-embedded-cluster.ts';
export { programClusterControl } from './cluster/program-cluster-control.ts';
