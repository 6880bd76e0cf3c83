import {
  decodeDvdiVariables,
  decodeLaunchSpec,
  nodeId,
  type LeftBehind,
} from '@mesos-elasticsearch/contract';
import type { IsolatorMounter, Purpose, VolumeMounter } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { desiredCluster, offerOf } from '../testing/index.ts';
import { buildTask, claimLaunch } from './launch.ts';
import { nodeVolumesOf } from './migration/volumes.ts';
import { isIsolated, mountingFault, mountingObstacle } from './mounting.ts';
import { assigned } from './transitions.ts';

const PATHS = { config: '/tmp/config', data: '/data' };
const isolator = (kind: IsolatorMounter['kind']): VolumeMounter => ({
  kind,
  paths: PATHS,
  dvdcli: '/usr/bin/dvdcli',
});
const REXRAY = { driver: 'rexray', options: { size: '5' } };

function launch(
  volumeMounter: VolumeMounter | undefined,
  facts: { purpose?: Purpose; leftBehind?: LeftBehind[] } = {},
) {
  const cluster = { volumes: { config: REXRAY, data: REXRAY }, ...(volumeMounter && { volumeMounter }) };
  const desired = desiredCluster({ cluster });
  const offer = offerOf('offer-1', 'agent-1');
  const taskId = 'elasticsearch-1-1-abc';
  const purpose = facts.purpose ?? 'run';
  const record = assigned(undefined, {
    nodeId: nodeId(1),
    holder: { taskId, executorId: taskId, agentId: 'agent-1', host: 'agent-1', frameworkId: 'f' },
    purpose,
    policy: 'wait',
    addresses: undefined,
    leftBehind: facts.leftBehind ?? [],
    newVolumes: nodeVolumesOf('elasticsearch', nodeId(1), desired.cluster.volumes),
    isolated: isIsolated(desired, purpose),
    wallMs: 1,
  });
  const framework = {
    clusterIdentity: '3f0e3a3e-6b0f-4d0a-9f57-1d9f3c1b2a10' as never,
    ...{ frameworkName: 'elasticsearch', clusterName: 'mesos-ha', bootstrapped: false },
  };
  const claim = claimLaunch(desired, offer)!;
  const task = buildTask(desired, { record, offer, claim, framework, seedHosts: [] });
  const variables = task.executor?.command?.environment?.variables ?? [];
  const own = Object.fromEntries(variables.map(({ name, value }) => [name, value ?? '']));
  return { task, record, variables: own, spec: decodeLaunchSpec(task.data!) };
}
const dvdiNames = (variables: object) => Object.keys(variables).filter((name) => name.startsWith('DVDI_'));

describe('a launch whose volumes an isolator mounts', () => {
  it('tells mesos-module-dvdi by variables, config first, the path in the slot of its volume', () => {
    const { task, variables, spec, record } = launch(isolator('dvdi-isolator'));
    const told = Object.fromEntries(dvdiNames(variables).map((name) => [name, variables[name]!]));
    expect(decodeDvdiVariables(told).mounts).toMatchObject([
      {
        slot: 1,
        name: 'elasticsearch1config',
        driver: 'rexray',
        options: { size: '5' },
        containerPath: '/tmp/config',
      },
      {
        slot: 2,
        name: 'elasticsearch1data',
        driver: 'rexray',
        options: { size: '5' },
        containerPath: '/data',
      },
    ]);
    expect(task.executor?.container).toBeUndefined();
    expect(spec.volumeMounter).toEqual(isolator('dvdi-isolator'));
    expect(record.isolated).toBe(true);
  });

  it("tells Mesos's own by the executor's container, options as they are, and sets no DVDI variable", () => {
    const { task, variables, record } = launch(isolator('docker-volume-isolator'));
    expect(dvdiNames(variables)).toEqual([]);
    const volume = (name: string, containerPath: string) => ({
      mode: 'RW',
      containerPath,
      source: {
        type: 'DOCKER_VOLUME',
        dockerVolume: {
          ...{ driver: 'rexray', name },
          driverOptions: { parameter: [{ key: 'size', value: '5' }] },
        },
      },
    });
    expect(task.executor?.container).toEqual({
      type: 'MESOS',
      mesos: {},
      volumes: [volume('elasticsearch1config', '/tmp/config'), volume('elasticsearch1data', '/data')],
    });
    expect(record.isolated).toBe(true);
  });

  it('tells nobody when the executor mounts, or the task only lets go', () => {
    for (const { task, variables, spec, record } of [
      launch(undefined),
      launch({ kind: 'executor' }),
      launch(isolator('dvdi-isolator'), { purpose: 'release' }),
      launch(isolator('docker-volume-isolator'), { purpose: 'release' }),
    ]) {
      expect(dvdiNames(variables)).toEqual([]);
      expect(task.executor?.container).toBeUndefined();
      expect(spec.volumeMounter).toEqual({ kind: 'executor' });
      expect(record.isolated).toBeUndefined();
    }
  });

  it('leaves what isolators had mounted to them, and to dvdcli where the next one mounts without them', () => {
    const leftBehind = [
      { agentId: 'agent-1', taskId: 'by-executor' },
      { agentId: 'agent-1', taskId: 'by-isolator', isolated: true },
      { agentId: 'agent-2', taskId: 'elsewhere', isolated: true },
    ];
    const again = launch(isolator('dvdi-isolator'), { leftBehind });
    expect(again.spec.formerConsumers).toEqual(['by-executor']);
    expect(again.spec.formerIsolator).toBeUndefined();
    const released = launch(isolator('dvdi-isolator'), { leftBehind, purpose: 'release' });
    expect(released.spec.formerConsumers).toEqual(['by-executor']);
    expect(released.spec.formerIsolator).toEqual({ dvdcli: '/usr/bin/dvdcli' });
    expect(launch(undefined, { leftBehind }).spec.formerIsolator).toEqual({ dvdcli: '/usr/bin/dvdcli' });
  });
});

describe('what an isolator cannot do', () => {
  it('edge case 22: volumes that it cannot be told of are an obstacle, those on record included', () => {
    const desired = desiredCluster({
      cluster: {
        volumeMounter: isolator('dvdi-isolator'),
        volumes: { config: REXRAY, data: { driver: 'rclone', options: { remote: ':local:/x' } } },
      },
    });
    const fresh = nodeVolumesOf('elasticsearch', nodeId(1), desired.cluster.volumes);
    expect(mountingObstacle(desired, 'run', fresh)).toMatch(/DVDI_VOLUME_OPTS2 .*prohibits: ":"/);
    expect(mountingObstacle(desiredCluster(), 'run', fresh)).toBeUndefined();
    // Volumes that no isolator can mount can be moved to such as it can.
    expect(mountingObstacle(desired, 'migrate', fresh)).toBeUndefined();
  });

  it('Docker containers, and variables by the back door, are refused at the start', () => {
    const { cluster, node, executor } = desiredCluster();
    const isolated = { ...cluster, volumeMounter: isolator('docker-volume-isolator') };
    const docker = { kind: 'docker', image: 'e', forcePull: false, socket: '/s' } as const;
    expect(mountingFault({ cluster: isolated, node, executor })).toBeUndefined();
    expect(mountingFault({ cluster: isolated, node: { ...node, runtime: docker }, executor })).toMatch(
      /jar runtime/,
    );
    const environment = { DVDI_VOLUME_NAME: 'x' };
    expect(mountingFault({ cluster, node, executor: { ...executor, environment } })).toMatch(
      /DVDI_VOLUME_NAME/,
    );
  });
});
