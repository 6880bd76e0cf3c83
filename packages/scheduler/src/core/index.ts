/** What decides in a scheduler, for those that run it in a world of their own: the simulation. */
export type { CoreEvent } from './events.ts';
export { emptyModel, heldNodes, wantedSize } from './model.ts';
export type { ElasticsearchOutcome, ElasticsearchQuestion } from './migration/health.ts';
export type { MigrationOrder } from './migration/orders.ts';
export type { DesiredCluster, Model, Now } from './model.ts';
export { NO_NODE_IDS, takeLowest } from './node-ids.ts';
export { nextStep, plan, type PlanContext } from './plan.ts';
export { reduce } from './reduce.ts';
export { DEFAULT_TIMING } from '../options.ts';
export { SAFETY_RULES, type SafetyRules } from './safety.ts';
export type { Step, StepKind, StepOf, WaitStep } from './steps.ts';
