export { ManualClock, settled } from './manual-clock.ts';
export { FakeMaster } from './fake-master.ts';
export { offerOf } from './offers.ts';
export type { FakeAgent, FakeTask } from './fake-master.ts';
export { FakeExecutor, Holders } from './fake-executor.ts';
export { Story } from './story.ts';
export { desiredCluster } from './desired.ts';
export type { DesiredChanges } from './desired.ts';
