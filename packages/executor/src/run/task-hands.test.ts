import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeLaunchSpec, encodeLaunchSpec, epoch, nodeId } from '@mesos-elasticsearch/contract';
import { MemoryLeases } from '@mesos-elasticsearch/coordination/testing';
import type { Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import type { CommandResult, NodeProcess } from '../ports.ts';
import { launchSpec } from '../testing/launch-specs.ts';
import { DEFAULT_TIMINGS, type ExecutorPorts } from './ports.ts';
import { TaskHands } from './task-hands.ts';

const SPEC = decodeLaunchSpec(
  encodeLaunchSpec(launchSpec({ lease: { policy: 'fence', durationMs: 10_000 } })),
);
const MARKERS = {
  config: { claimed: false, marker: { role: 'config' } },
  data: { claimed: false, marker: { role: 'data' } },
} as unknown as Parameters<TaskHands['claim']>[0];
/** Of everything; what the write probe reads back is one, too. */
const UUID = '6f0a4b1c-6a5c-4a52-9d7e-3f0d8f6a1b2c';
const FINE: CommandResult = { exitCode: 0, stdout: Buffer.from(UUID), stderr: '' };

describe('an executor that is frozen in the middle of a step', () => {
  let nowMs = 0;
  /** What was run on the volumes; the executor is frozen for a minute after so many of them. */
  let ran: string[] = [];
  let freezeAfter = Number.POSITIVE_INFINITY;

  const node = {
    ...{
      tied: true,
      mountpoints: { config: '/config', data: '/data' },
      home: '/home',
      logDirectory: '/logs',
    },
    user: undefined,
    commands: {
      run: (argv: readonly string[]) => {
        ran.push(argv.join(' '));
        if (ran.length === freezeAfter) nowMs += 60_000;
        return Promise.resolve(FINE);
      },
    },
    extend: () => Promise.resolve(),
    gone: new Promise<string>(() => undefined),
  } as unknown as NodeProcess;

  async function started(): Promise<TaskHands> {
    const leases = new MemoryLeases();
    await leases.openEpoch(nodeId(SPEC.nodeId), epoch(SPEC.epoch));
    const attach = () => Promise.resolve({ kind: 'done', value: { kind: 'host-path', hostPath: '/volume' } });
    const silent = () => undefined;
    const ports: ExecutorPorts = {
      log: { info: silent, warn: silent, error: silent },
      clock: { nowMs: () => nowMs },
      host: () => 'agent-1',
      randomUuid: () => UUID,
      sendStatus: silent,
      leasesOf: () => leases,
      volumesOf: () => ({ attach }) as unknown as Volumes,
      recoverMounts: () => Promise.resolve({ letGo: [], left: [], others: [] }),
      runtimeOf: () => ({
        endOrphans: () => Promise.resolve(),
        prepare: () => Promise.resolve(),
        start: () => Promise.resolve(node),
      }),
      copyToolsOf: () => {
        throw new Error('nothing is copied here');
      },
      askNode: () => Promise.reject(new Error('not asked here')),
      timings: DEFAULT_TIMINGS,
    };
    const hands = new TaskHands(ports, SPEC, silent);
    await hands.takeLease();
    await hands.attach('config');
    await hands.attach('data');
    await hands.startProcess();
    return hands;
  }

  beforeEach(() => {
    vi.useFakeTimers();
    nowMs = 1_000;
    ran = [];
    freezeAfter = Number.POSITIVE_INFINITY;
  });
  afterEach(() => vi.useRealTimers());

  it('runs nothing more on a volume that may be somebody else’s by now', async () => {
    const whole = await started();
    await whole.claim(MARKERS);
    const all = ran.length;
    whole.close();
    for (let after = 1; after < all; after += 1) {
      const hands = await started();
      ran = [];
      freezeAfter = after;
      await expect(hands.claim(MARKERS)).rejects.toThrow('the lease was not renewed in time');
      expect(ran).toHaveLength(after);
      hands.close();
      nowMs = 1_000;
    }
  });
});
