/** Safety rules that can be switched off, to show that the simulation finds out. */
import { EXECUTOR_SAFETY, type ExecutorSafety } from '@mesos-elasticsearch/executor/core';
import { nodeId } from '@mesos-elasticsearch/contract';
import { NO_NODE_IDS, SAFETY_RULES, takeLowest, type SafetyRules } from '@mesos-elasticsearch/scheduler/core';

/** Name → what is missing without the rule. */
export const MUTATIONS = {
  'lost-means-released': 'judgeStatus: a task that is lost or unreachable counts as released',
  'mounted-means-released': 'judgeStatus: a process that is gone counts as unmounted',
  'untied-means-tied': 'judgeStatus: a container counts as gone with its executor, tied or not',
  'lease-expired-early': 'hasLeaseExpired: half of a lease is enough, without the bound on pauses',
  'lease-expired-under-wait': 'hasLeaseExpired: under the policy "wait" too',
  'epoch-left-open': 'isEpochClosed: an epoch counts as closed though it stands',
  'may-leave-agent': 'mayLeaveAgent: what may still be mounted elsewhere is attached anywhere',
  'suspect-not-counted': 'countsTowardSize: a suspect gets a substitute with a new number',
  'highest-number-first': 'nextNodeId: a new number though lower ones are free',
  'failed-fence-revokes': 'isRevoked: a fence command that failed counts as success',
  'copy-unverified': 'isCopyVerified: any end of a task that was to copy counts as a whole copy',
  'back-after-launch':
    'mayTakeBack: the old volumes count again though the node was launched on the new ones',
  'unstarted-unproven':
    'isUnstarted: a launch that has ended counts as one in which Elasticsearch never started',
  'accept-before-record': 'the launch goes on before its record is durable',
  'failed-read-as-empty': 'a ledger that cannot be read is taken for an empty one',
  'leader-epoch-unchecked': 'store and lease service take writes of a deposed scheduler',
  'lease-taken-twice': 'the lease service gives a lease that is taken, or whose epoch is closed',
  'closed-epoch-renewed': 'the lease service answers renewals in a closed epoch',
  'no-self-fencing': 'the executor goes on without a renewed lease',
  'guard-without-deadline': 'the guard does not look at the deadline',
  'deadline-from-answer': 'the deadline is counted from the answer of a renewal, not from its sending',
  'detached-before-gone': 'volumes are detached before the process is gone',
  'end-before-detached': 'the terminal status is sent before the volumes are detached',
  'marker-unchecked': 'Elasticsearch starts on any volume, whatever its marker says',
  'freshness-unchecked': 'a holder whose lease is stale goes on with its start',
  'orphans-not-ended': 'the next executor does not end what an earlier one left on the machine',
  'stop-kills': 'a scheduler that stops kills its tasks',
  'acknowledged-before-synced': 'Elasticsearch acknowledges a document before it is synced',
} as const;
export type Mutation = keyof typeof MUTATIONS;

export function isMutation(name: string): name is Mutation {
  return Object.hasOwn(MUTATIONS, name);
}

export function safetyWithout(mutations: ReadonlySet<Mutation>): SafetyRules {
  const rules: { -readonly [K in keyof SafetyRules]: SafetyRules[K] } = { ...SAFETY_RULES };
  const released = (row: string) => ({ verdict: 'released', row }) as const;
  if (mutations.has('lost-means-released')) {
    rules.judgeStatus = (evidence) => {
      const lost = ['TASK_LOST', 'TASK_UNREACHABLE', 'TASK_UNKNOWN', 'TASK_GONE'].includes(evidence.state);
      return lost ? released('mutation') : SAFETY_RULES.judgeStatus(evidence);
    };
  }
  if (mutations.has('mounted-means-released')) {
    rules.judgeStatus = (evidence) => {
      const judged = SAFETY_RULES.judgeStatus(evidence);
      return judged.verdict === 'gone-but-mounted' ? released('mutation') : judged;
    };
  }
  if (mutations.has('untied-means-tied')) {
    rules.judgeStatus = (evidence) => {
      const judged = SAFETY_RULES.judgeStatus({ ...evidence, tied: true });
      return judged.verdict === 'gone-but-mounted' && !evidence.tied ? released('mutation') : judged;
    };
  }
  if (mutations.has('lease-expired-early')) {
    rules.hasLeaseExpired = ({ suspectPolicy }, view) => {
      const seen = view?.observation;
      if (suspectPolicy !== 'fence' || view === undefined || seen === undefined) return false;
      return view.readAtMs - seen.firstSeenMs > seen.lease.durationMs / 2;
    };
  }
  if (mutations.has('lease-expired-under-wait')) {
    rules.hasLeaseExpired = (record, view, bound) => {
      const seen = view?.observation;
      if (view === undefined || seen === undefined) return false;
      if (record.suspectPolicy === 'fence') return SAFETY_RULES.hasLeaseExpired(record, view, bound);
      return view.readAtMs - seen.firstSeenMs > seen.lease.durationMs + bound;
    };
  }
  if (mutations.has('epoch-left-open')) rules.isEpochClosed = () => true;
  if (mutations.has('may-leave-agent')) rules.mayLeaveAgent = () => true;
  if (mutations.has('suspect-not-counted')) {
    rules.countsTowardSize = (record) => record.phase !== 'suspect' && SAFETY_RULES.countsTowardSize(record);
  }
  if (mutations.has('failed-fence-revokes')) rules.isRevoked = () => true;
  if (mutations.has('copy-unverified')) rules.isCopyVerified = ({ purpose }) => purpose === 'migrate';
  if (mutations.has('unstarted-unproven')) rules.isUnstarted = () => true;
  if (mutations.has('back-after-launch')) rules.mayTakeBack = ({ migration }) => migration !== undefined;
  if (mutations.has('highest-number-first')) {
    rules.nextNodeId = (ids) => {
      const id = nodeId(ids.highest + 1);
      return ids === NO_NODE_IDS ? takeLowest(ids) : { id, ids: { highest: id, gaps: ids.gaps } };
    };
  }
  return rules;
}

export function executorSafetyWithout(mutations: ReadonlySet<Mutation>): ExecutorSafety {
  const rules: { -readonly [K in keyof ExecutorSafety]: ExecutorSafety[K] } = { ...EXECUTOR_SAFETY };
  if (mutations.has('no-self-fencing')) rules.fencesItself = () => false;
  if (mutations.has('deadline-from-answer')) rules.countedFromMs = (_sentMs, answeredMs) => answeredMs;
  if (mutations.has('detached-before-gone')) rules.mayDetach = () => true;
  if (mutations.has('end-before-detached')) rules.mayReportEnd = () => true;
  if (mutations.has('marker-unchecked')) {
    rules.decideMarker = (spec, role, finding, identity) => {
      const decision = EXECUTOR_SAFETY.decideMarker(spec, role, finding, identity);
      if (decision.kind === 'write') return decision;
      const fresh = { marker: undefined, entries: [] };
      return EXECUTOR_SAFETY.decideMarker({ ...spec, dataOnRecord: false }, role, fresh, identity);
    };
  }
  return rules;
}
