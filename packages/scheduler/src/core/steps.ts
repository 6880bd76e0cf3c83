/** What the plan asks to be done: data. `run/execute-step.ts` has one executor for each kind. */
import type { FrameworkRecord, NodeId, NodeRecord } from '@mesos-elasticsearch/contract';
import type { RecordVersion } from '@mesos-elasticsearch/coordination';
import type { AgentId, ExecutorId, OfferId, TaskId, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { ElasticsearchQuestion } from './migration/health.ts';
import type { LaunchIntent } from './model.ts';
import type { EvaluationOutcome } from './offers/outcome.ts';
import type { RuleName } from './rules/names.ts';

interface StepArguments {
  'load-ledger': object;
  'record-framework': { readonly record: FrameworkRecord; readonly expected: RecordVersion };
  'record-node': { readonly record: NodeRecord; readonly expected: RecordVersion };
  /** Records the assignment; the launch goes on only when it is durable. */
  assign: { readonly record: NodeRecord; readonly expected: RecordVersion; readonly intent: LaunchIntent };
  'open-epoch': { readonly nodeId: NodeId; readonly epoch: number };
  'close-epoch': { readonly nodeId: NodeId; readonly epoch: number; readonly rule: RuleName };
  'read-leases': { readonly nodes: readonly { readonly nodeId: NodeId; readonly epoch: number }[] };
  accept: { readonly nodeId: NodeId; readonly intent: LaunchIntent; readonly refuseMs: number };
  decline: {
    readonly offerIds: readonly OfferId[];
    readonly refuseMs: number;
    readonly outcomes: readonly EvaluationOutcome[];
  };
  /** The status has had its effect: acknowledge it if it wants to be, forget it. */
  'settle-status': { readonly status: TaskStatus };
  /** Starts taking the storage of a node away from its old holder; the outcome comes as an event. */
  fence: {
    readonly nodeId: NodeId;
    readonly epoch: number;
    /** 1 for the first call in this epoch. */
    readonly attempt: number;
    readonly host: string;
    readonly volumes: readonly { readonly driver: string; readonly name: string }[];
  };
  /** Starts asking the nodes in turn until one answers; what came of it comes as an event of the same number. */
  'ask-elasticsearch': {
    readonly number: number;
    readonly question: ElasticsearchQuestion;
    /** `host:port` of running nodes; not empty. */
    readonly addresses: readonly string[];
  };
  kill: { readonly taskId: TaskId; readonly agentId: AgentId | undefined; readonly rule: RuleName };
  revive: { readonly waitingFor: string };
  suppress: object;
  reconcile: {
    readonly tasks: readonly { readonly taskId: TaskId; readonly agentId: AgentId }[];
    readonly implicit: boolean;
  };
  'send-seed-hosts': {
    readonly targets: readonly { readonly agentId: AgentId; readonly executorId: ExecutorId }[];
    readonly hosts: readonly string[];
    readonly key: string;
  };
  /** The framework was removed by the master: subscribe without an id. */
  'register-anew': object;
  stop: { readonly reason: 'replaced' | 'refused'; readonly message: string };
  /** Nothing can be done here now, and this is why. */
  wait: { readonly rule: RuleName; readonly nodeId: NodeId | undefined; readonly reason: string };
}
export type StepKind = keyof StepArguments;
export type StepOf<K extends StepKind> = K extends StepKind ? { readonly kind: K } & StepArguments[K] : never;
export type Step = { [K in StepKind]: StepOf<K> }[StepKind];
export type WaitStep = StepOf<'wait'>;
