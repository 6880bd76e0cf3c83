/** Everything that can happen to the model: what Mesos said, what a step brought about, what an operator wants. */
import type { ClusterSettings, FrameworkRecord, LeaseRecord, NodeId } from '@mesos-elasticsearch/contract';
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import type { LeaseState, LedgerSnapshot, RecordVersion } from '@mesos-elasticsearch/coordination';
import type { SchedulerEvent } from '@mesos-elasticsearch/mesos-v1';
import type { GatewayState } from '../ports.ts';
import type { ElasticsearchOutcome, ElasticsearchQuestion } from './migration/health.ts';
import type { MigrationOrder } from './migration/orders.ts';
import type { Step, StepOf } from './steps.ts';

/** Monotonic milliseconds around a question to the lease service. */
interface Asked {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

interface EventPayloads {
  mesos: { readonly event: SchedulerEvent };
  gateway: { readonly state: GatewayState };
  'ledger-loaded': { readonly snapshot: LedgerSnapshot };
  'framework-recorded': { readonly record: FrameworkRecord; readonly version: RecordVersion };
  'node-recorded': { readonly record: NodeRecord; readonly version: RecordVersion };
  assigned: { readonly step: StepOf<'assign'>; readonly version: RecordVersion };
  'epoch-opened': { readonly nodeId: NodeId };
  'epoch-closed': {
    readonly nodeId: NodeId;
    readonly epoch: number;
    readonly lease: LeaseRecord | undefined;
  } & Asked;
  'leases-read': {
    readonly readings: readonly {
      readonly nodeId: NodeId;
      readonly epoch: number;
      readonly lease: LeaseState;
    }[];
  } & Asked;
  /** A step of ours was carried out; its arguments say what changed. */
  done: {
    readonly step: StepOf<
      | 'accept'
      | 'decline'
      | 'settle-status'
      | 'kill'
      | 'revive'
      | 'suppress'
      | 'reconcile'
      | 'send-seed-hosts'
      | 'register-anew'
      | 'fence'
      | 'ask-elasticsearch'
    >;
  };
  'step-failed': {
    readonly step: Step;
    readonly service: 'store' | 'leases' | 'mesos';
    readonly error: string;
    /** Another scheduler leads: nothing of ours is written any more. */
    readonly deposed?: boolean;
  };
  /** What came of a `fence` step. */
  fenced: {
    readonly nodeId: NodeId;
    readonly epoch: number;
    readonly attempt: number;
    readonly outcome: 'revoked' | 'failed';
    readonly message: string;
  };
  /** What came of an `ask-elasticsearch` step. */
  'elasticsearch-answered': {
    readonly number: number;
    readonly question: ElasticsearchQuestion;
    readonly outcome: ElasticsearchOutcome;
  };
  'migration-ordered': { readonly order: MigrationOrder };
  /** The former volumes of that driver, last marked in that epoch, are gone. */
  'former-volumes-purged': { readonly nodeId: NodeId; readonly driver: string; readonly epoch: number };
  'size-ordered': { readonly nodes: number };
  'settings-ordered': { readonly settings: ClusterSettings };
  'operator-reuse': { readonly nodeId: NodeId; readonly volumes: 'keep' | 'wipe' };
  'operator-release': { readonly nodeId: NodeId; readonly epoch: number };
}
export type CoreEvent = {
  [K in keyof EventPayloads]: { readonly kind: K } & EventPayloads[K];
}[keyof EventPayloads];
