export type {
  ApiOptions,
  ClusterOptions,
  ExecutorOptions,
  FrameworkOptions,
  MesosOptions,
  NodeOptions,
  RuntimeOptions,
  SchedulerOptions,
  SuspectOptions,
  Timing,
} from './options.ts';
export { DEFAULT_TIMING } from './options.ts';
export type { ProgressEvent } from './progress.ts';
export type {
  Clock,
  GatewayHandlers,
  GatewayState,
  MesosGateway,
  MesosGatewayFactory,
  Random,
} from './ports.ts';
export type { ExitReason, RunningScheduler } from './run/start-scheduler.ts';
export { startScheduler } from './run/start-scheduler.ts';
export type { ClusterView, MigrationView, NodeView } from './core/views.ts';
export type { EvaluationOutcome } from './core/offers/outcome.ts';
export type { RuleName } from './core/rules/names.ts';
export { RULES } from './core/rules/names.ts';
export { RELEASE_CONFIRMATION, RETIRE_CONFIRMATION } from './run/http-server.ts';
