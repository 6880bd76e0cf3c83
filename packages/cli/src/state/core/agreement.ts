/** What all evidence must agree on. A ledger that mixes two clusters would give one's volumes to the other. */
import type { ClusterIdentity } from '@mesos-elasticsearch/contract';
import { exportsOf, type Evidence } from './evidence.ts';

interface Saying {
  readonly value: string;
  readonly source: string;
}

export interface Agreed {
  readonly clusterIdentity: ClusterIdentity;
  readonly clusterUuid: string | undefined;
  /** Undefined: the framework registers anew. */
  readonly frameworkId: string | undefined;
}

export function agreement(evidence: Evidence): {
  readonly agreed?: Agreed;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const one = (what: string, sayings: readonly Saying[]): string | undefined => {
    const values = new Set(sayings.map(({ value }) => value));
    if (values.size > 1) problems.push(disagreement(what, sayings));
    return sayings[0]?.value;
  };
  one('the framework name', frameworkNames(evidence));
  const clusterIdentity = one('the cluster identity', identities(evidence));
  one('the cluster name', clusterNames(evidence));
  const clusterUuid = one("Elasticsearch's UUID of the cluster", clusterUuids(evidence));
  const live = one(
    'the framework ID',
    evidence.tasks
      .filter(({ isRegistered }) => isRegistered)
      .map(({ frameworkId, source }) => ({ value: frameworkId, source })),
  );
  if (clusterIdentity === undefined) {
    problems.push(
      'no evidence names the cluster identity: an export, a task of the live master or a marker of a volume is needed',
    );
  }
  if (problems.length > 0 || clusterIdentity === undefined) return { problems };
  const frameworkId =
    live ?? exportsOf(evidence).find(({ framework }) => framework.frameworkId)?.framework.frameworkId;
  const identity = clusterIdentity as ClusterIdentity;
  return { agreed: { clusterIdentity: identity, clusterUuid, frameworkId }, problems };
}

function disagreement(what: string, sayings: readonly Saying[]): string {
  const lines = sayings.map(({ value, source }) => `\n    ${source}: ${value}`);
  return `${what} is not the same everywhere; leave out what belongs to another cluster:${lines.join('')}`;
}

function identities({ exports, tasks, markers }: Evidence): Saying[] {
  return [
    ...exports.map(({ framework, source }) => ({ value: framework.clusterIdentity, source })),
    ...tasks.map(({ clusterIdentity, source }) => ({ value: clusterIdentity, source })),
    ...markers.map(({ marker, source }) => ({ value: marker.clusterIdentity, source })),
  ];
}

function frameworkNames({ frameworkName, exports, tasks, markers }: Evidence): Saying[] {
  return [
    { value: frameworkName, source: '--frameworkName' },
    ...exports.map(({ framework, source }) => ({ value: framework.frameworkName, source })),
    ...tasks.map((task) => ({ value: task.frameworkName, source: task.source })),
    ...markers.map(({ marker, source }) => ({ value: marker.frameworkName, source })),
  ];
}

function clusterNames({ clusterName, exports, markers }: Evidence): Saying[] {
  return [
    { value: clusterName, source: '--elasticsearchClusterName' },
    ...exports.map(({ framework, source }) => ({ value: framework.clusterName, source })),
    ...markers.map(({ marker, source }) => ({ value: marker.clusterName, source })),
  ];
}

function clusterUuids({ exports }: Evidence): Saying[] {
  return exports.flatMap(({ framework, source }) =>
    framework.clusterUuid === undefined ? [] : [{ value: framework.clusterUuid, source }],
  );
}
