import { decodeLaunchSpec, encodeLaunchSpec } from '@mesos-elasticsearch/contract';
import { done, type Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import { expect, it } from 'vitest';
import type { IsolatedVolumes } from '../isolators/isolated-volumes.ts';
import type { NodeRuntime } from '../ports.ts';
import { launchSpec } from '../testing/launch-specs.ts';
import { DEFAULT_TIMINGS, type ExecutorPorts } from './ports.ts';
import { TaskHands } from './task-hands.ts';

const FORMER = { formerConsumers: ['by-executor'], formerIsolator: { dvdcli: '/usr/bin/dvdcli' } };

/** What is detached, by whom, and how the step ends. */
async function detachFormer(facts: { isolated?: true; left?: string[]; migrates?: true }) {
  const said: string[] = [];
  const volumes = (by: string) =>
    ({
      inspect: () => Promise.resolve(done(undefined)),
      detach: ({ name }: { name: string }, consumer: string) => {
        said.push(`${by}: ${name} of ${consumer}`);
        return Promise.resolve(done(undefined));
      },
    }) as unknown as IsolatedVolumes & Volumes;
  const to = { driver: 'newdir', options: {} };
  const migration = {
    ...{ id: '6f0a4b1c-6a5c-4a52-9d7e-3f0d8f6a1b2c', sinceEpoch: 1, overwriteFormer: false },
    to: { config: { name: 'elasticsearch1config', ...to }, data: { name: 'elasticsearch1data', ...to } },
  };
  const changes = facts.migrates ? { ...FORMER, purpose: 'migrate' as const, migration } : FORMER;
  const spec = decodeLaunchSpec(encodeLaunchSpec(launchSpec(changes)));
  const silent = () => undefined;
  const ports = {
    log: { info: silent, warn: silent, error: silent },
    volumesOf: () => volumes('driver'),
    ...(facts.isolated ? { isolatedOf: () => volumes('isolator') } : {}),
    formerIsolatedOf: () => volumes('dvdcli'),
    recoverMounts: () => {
      said.push('ledger');
      return Promise.resolve({ letGo: [], left: facts.left ?? [], others: [] });
    },
    runtimeOf: () => ({}) as NodeRuntime,
    timings: DEFAULT_TIMINGS,
  } as unknown as ExecutorPorts;
  const end = await new TaskHands(ports, spec, silent).detachFormer();
  return { said, end };
}

it('what the scheduler names goes first, then what is on record, then what an isolator has left', async () => {
  const { said, end } = await detachFormer({});
  expect(said.map((line) => line.replace(/ of elasticsearch-1.*/, ''))).toEqual([
    'driver: elasticsearch1data of by-executor',
    'driver: elasticsearch1config of by-executor',
    'ledger',
    'dvdcli: elasticsearch1data',
    'dvdcli: elasticsearch1config',
  ]);
  expect(end).toEqual({ kind: 'former-detached' });
});

it('where an isolator has mounted again, nothing is taken from it but by the records', async () => {
  const { said } = await detachFormer({ isolated: true });
  expect(said.filter((line) => line.includes('by-executor'))).toEqual([]);
  expect(said).toContain('ledger');
});

it('what the records still have mounted ends the step before the isolator’s is touched', async () => {
  const { said, end } = await detachFormer({ left: ['elasticsearch1data of hostdir for by-executor'] });
  expect(end).toMatchObject({ kind: 'step-failed', step: 'detach-former', outcome: 'unknown' });
  expect(said.some((line) => line.startsWith('dvdcli'))).toBe(false);
});

it('a migration lets go of its new volumes too, for the node may have run on them', async () => {
  const { said } = await detachFormer({ migrates: true });
  expect(said.filter((line) => line.startsWith('dvdcli'))).toHaveLength(4);
});
