import { describe, expect, it } from 'vitest';
import { epoch, nodeId, type NodeRecord } from '@mesos-elasticsearch/contract';
import type { Offer, Resource } from '@mesos-elasticsearch/mesos-v1';
import { desiredCluster, offerOf, type DesiredChanges } from '../../testing/index.ts';
import { claimLaunch } from '../launch.ts';
import { evaluateFor, evaluateOffer } from './evaluate.ts';
import type { EvaluationOutcome } from './outcome.ts';
import type { Candidate } from './rules.ts';

const WALL = 1_700_000_000_000;
const fresh: Candidate = {
  nodeId: nodeId(1),
  record: undefined,
  purpose: 'run' as const,
  mayLeaveAgent: true,
};
const record: NodeRecord = {
  nodeId: nodeId(1),
  epoch: epoch(1),
  phase: 'vacant',
  dataOnRecord: true,
  suspectPolicy: 'fence',
  why: '',
  since: WALL,
};
const holder = { taskId: 't', executorId: 't', agentId: 'agent-2', host: 'agent-2', frameworkId: 'f' };

function failedRules(
  changes: DesiredChanges,
  offer: Offer = offerOf('o', 'agent-1'),
  candidate: Candidate = fresh,
  agentsInUse: readonly (readonly [string, number])[] = [],
): string[] {
  const outcome = evaluateFor(offer, {
    desired: desiredCluster(changes),
    candidate,
    agentsInUse: new Map(agentsInUse.map(([agent, id]) => [agent, nodeId(id)])),
    wallMs: WALL,
  });
  return outcome.children.filter((child) => !child.pass).map((child) => child.rule);
}

const without = (name: string): Resource[] =>
  (offerOf('o', 'a').resources ?? []).filter((resource) => resource.name !== name);
const normal = { cluster: { strategy: 'normal' } } as const;
const releasing: NodeRecord = { ...record, phase: 'releasing', holder };
const expired: NodeRecord = {
  ...record,
  lastAgent: { agentId: 'agent-1', host: 'agent-1', left: 'lease-expired' },
};
const atHome: NodeRecord = {
  ...record,
  lastAgent: { agentId: 'agent-2', host: 'agent-2', left: 'released' },
};

const copying: NodeRecord = { ...atHome, phase: 'migrating' };
const copy: Candidate = { ...fresh, record: copying, purpose: 'migrate' };
const expiredElsewhere = { agentId: 'agent-2', host: 'agent-2', left: 'lease-expired' };

describe('offer rules', () => {
  it.each<[string, string[], string[]]>([
    ['a good offer', failedRules({}), []],
    ['too few cpus for node and executor together', failedRules({ node: { cpus: 3.95 } }), ['cpus']],
    ['just enough cpus', failedRules({ node: { cpus: 3.9 } }), []],
    ['too little memory', failedRules({ node: { memMb: 4096 } }), ['mem']],
    [
      'all that is missing, not only the first',
      failedRules({ node: { cpus: 9, memMb: 9000 } }),
      ['cpus', 'mem'],
    ],
    ['no disk, external volumes', failedRules({}, offerOf('o', 'a', { resources: without('disk') })), []],
    ['no disk, agent disk', failedRules(normal, offerOf('o', 'a', { resources: without('disk') })), ['disk']],
    ['no ports', failedRules({}, offerOf('o', 'a', { resources: without('ports') })), ['ports']],
    ['ports not offered', failedRules({ node: { ports: { http: 9200, transport: 9300 } } }), ['ports']],
    ['ports offered', failedRules({ node: { ports: { http: 31_000, transport: 31_001 } } }), []],
    ['agent in use', failedRules({}, undefined, fresh, [['agent-1', 2]]), ['one-node-per-agent']],
    ['agent held by the node itself', failedRules({}, undefined, fresh, [['agent-1', 1]]), []],
    ['attribute missing', failedRules({ cluster: { agentAttributes: { zone: 'a' } } }), ['agent-attributes']],
    [
      'attribute there',
      failedRules(
        { cluster: { agentAttributes: { zone: 'a' } } },
        offerOf('o', 'a', { attributes: [{ name: 'zone', type: 'TEXT', text: { value: 'a' } }] }),
      ),
      [],
    ],
    [
      'maintenance',
      failedRules({}, offerOf('o', 'a', { unavailability: { start: { nanoseconds: 1n } } })),
      ['agent-available'],
    ],
    [
      'volumes still mounted elsewhere',
      failedRules({}, undefined, {
        nodeId: nodeId(1),
        record: releasing,
        purpose: 'run' as const,
        mayLeaveAgent: false,
      }),
      ['volume-attached-elsewhere'],
    ],
    [
      'volumes mounted on this agent',
      failedRules({}, offerOf('o', 'agent-2'), {
        nodeId: nodeId(1),
        record: releasing,
        purpose: 'run' as const,
        mayLeaveAgent: false,
      }),
      [],
    ],
    [
      'volumes on a lost agent',
      failedRules({}, undefined, {
        nodeId: nodeId(1),
        record: releasing,
        purpose: 'run' as const,
        mayLeaveAgent: true,
      }),
      [],
    ],
    [
      'agent of an expired lease',
      failedRules({}, undefined, { ...fresh, record: expired }),
      ['avoids-former-agent'],
    ],
    [
      'agent whose storage was just taken away',
      failedRules({}, undefined, {
        ...fresh,
        record: { ...expired, lastAgent: { agentId: 'agent-1', host: 'agent-1', left: 'preempted' } },
      }),
      ['avoids-former-agent'],
    ],
    [
      'agent of a lease that expired long ago',
      failedRules({}, undefined, { ...fresh, record: { ...expired, since: WALL - 600_000 } }),
      [],
    ],
    ['a copy, on the agent that had the volumes last', failedRules({}, offerOf('o', 'agent-2'), copy), []],
    ['a copy, elsewhere', failedRules({}, undefined, copy), ['copies-at-home']],
    [
      'a copy, elsewhere, and that agent offers nothing for a minute',
      failedRules({}, undefined, { ...copy, record: { ...copying, since: WALL - 60_000 } }),
      [],
    ],
    [
      'a copy, elsewhere, and that agent is lost',
      failedRules({}, undefined, { ...copy, record: { ...copying, lastAgent: expiredElsewhere } }),
      [],
    ],
    [
      'data on another agent, agent disk',
      failedRules(normal, undefined, { ...fresh, record: atHome }),
      ['sticks-to-agent'],
    ],
    ['data on another agent, external', failedRules({}, undefined, { ...fresh, record: atHome }), []],
    [
      'data on this agent, agent disk',
      failedRules(normal, offerOf('o', 'agent-2'), { ...fresh, record: atHome }),
      [],
    ],
  ])('%s', (_what, failed, expected) => {
    expect(failed).toEqual(expected);
  });

  it('take the lowest node that the offer suits, and keep the reasons of the others', () => {
    const second: Candidate = { ...fresh, nodeId: nodeId(2) };
    const stuck: Candidate = { ...fresh, record: releasing, purpose: 'run' as const, mayLeaveAgent: false };
    const { candidate, outcome } = evaluateOffer(offerOf('o', 'agent-1'), [stuck, second], {
      desired: desiredCluster(),
      agentsInUse: new Map(),
      wallMs: WALL,
    });
    expect(candidate?.nodeId).toBe(2);
    const reasons = (tree: EvaluationOutcome): string[] => [tree.reason, ...tree.children.flatMap(reasons)];
    expect(reasons(outcome)).toContain('the volumes may still be mounted on agent-2');
  });

  it('say so when no node waits', () => {
    const context = { desired: desiredCluster(), agentsInUse: new Map(), wallMs: WALL };
    const { outcome } = evaluateOffer(offerOf('o', 'agent-1'), [], context);
    expect(outcome).toMatchObject({ pass: false, children: [{ rule: 'offer-wanted' }] });
  });
});

describe('a claim', () => {
  it('uses what is reserved for the role first, and nothing reserved for others', () => {
    const desired = desiredCluster({ framework: { role: 'search' }, node: { cpus: 1 } });
    const cpus = (value: number, role: string): Resource => ({
      name: 'cpus',
      type: 'SCALAR',
      scalar: { value },
      role,
    });
    const offer = offerOf('o', 'a', {
      resources: [...without('cpus'), cpus(8, 'other'), cpus(1, '*'), cpus(0.5, 'search')],
    });
    const claim = claimLaunch(desired, offer);
    const taken = claim?.task.filter((resource) => resource.name === 'cpus');
    expect(taken?.map(({ role, scalar }) => [role, scalar?.value])).toEqual([
      ['search', 0.5],
      ['*', 0.5],
    ]);
  });
});
