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
