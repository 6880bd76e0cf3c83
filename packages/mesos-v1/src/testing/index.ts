export type { Chunking } from './chunking.ts';
export { chunkings, randomChunking, randomSeed, seededRandom } from './chunking.ts';
export type { Inbox } from './inbox.ts';
export { createInbox } from './inbox.ts';
export type { ManualClock } from './manual-clock.ts';
export { createManualClock } from './manual-clock.ts';
export type { LogLine } from './log.ts';
export { collectingLog } from './log.ts';
export {
  agentResources,
  buildAgentInfo,
  buildExecutorInfo,
  buildFrameworkInfo,
  buildOffer,
  buildTaskInfo,
  buildTaskStatus,
  executorSubscribed,
  portsResource,
  scalarResource,
  schedulerSubscribed,
} from './builders.ts';
export type { FakeAnswer, FakeEventServer, ReceivedCall, Subscription } from './fake-event-server.ts';
export type { FakeMaster } from './fake-master.ts';
export { startFakeMaster } from './fake-master.ts';
export type { FakeAgent } from './fake-agent.ts';
export { startFakeAgent } from './fake-agent.ts';
