/** The dvdcli path over a program that prints what it likes. */
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { volumeName } from '@mesos-elasticsearch/contract';
import {
  dvdcliVolumes,
  VolumeError,
  type ConsumerId,
  type Outcome,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { Random } from '../sim/random.ts';
import type { Fault } from './in-process.ts';
import { mutated } from './material.ts';
import { VOLUME } from './plugin-material.ts';

const HUNG_MS = 20_000;
const TIME_LIMIT_MS = 700;
const VERSIONS = ['Binary: x\nSemVer: 0.2.1\n', '', 'Binary: x\nSemVer: 0.2.2+mesos-elasticsearch.0.1.0\n'];

/** Prints and ends as the files beside it say, a set of them for each command. */
const PROGRAM = `#!/bin/sh
cat "$0.$1.out"; cat "$0.$1.err" >&2
if [ -e "$0.$1.hang" ]; then sleep 60; fi
exit "$(cat "$0.$1.code")"
`;

export async function fuzzProgram(home: string, seed: number, count: number): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  let next = 0;
  const worker = async (name: string): Promise<void> => {
    while (next < count && faults.length < 10) {
      const stream = (next += 1);
      const input: Record<string, Printed> = {};
      const says = await once(join(home, `${name}${stream}`), new Random(seed, stream), input);
      if (says !== undefined) faults.push({ target: 'dvdcli path', stream, input, says });
    }
  };
  await Promise.all([worker('a'), worker('b')]);
  return faults;
}

interface Printed {
  readonly out: string;
  readonly err: string;
  readonly code: string;
  readonly hangs: boolean;
}

function printed(random: Random, right: string): Printed {
  const isRight = random.chance(0.7);
  return {
    out: isRight ? right : mutated(random, right),
    err: mutated(
      random,
      random.pick(['', 'time="x" level=error msg="volume not found" \n', 'Usage:\n', 'level=info msg=x\n']),
    ),
    code: isRight ? '0' : String(random.pick([0, 0, 1, 2, 64, 255])),
    hangs: random.chance(0.005),
  };
}

async function once(
  directory: string,
  random: Random,
  input: Record<string, Printed>,
): Promise<string | undefined> {
  const program = join(directory, 'dvdcli');
  const mountpoint = join(directory, 'mountpoint');
  mkdirSync(mountpoint, { recursive: true });
  writeFileSync(program, PROGRAM);
  chmodSync(program, 0o755);
  const right: Record<string, string> = {
    ...{ version: random.pick(VERSIONS), get: `${VOLUME}\n`, list: `${VOLUME}\n`, path: `${mountpoint}\n` },
    ...{ mount: `${mountpoint}\n`, unmount: '', create: '', remove: '' },
  };
  for (const [command, text] of Object.entries(right)) {
    const { out, err, code, hangs } = (input[command] = printed(random, text));
    writeFileSync(`${program}.${command}.out`, out);
    writeFileSync(`${program}.${command}.err`, err);
    writeFileSync(`${program}.${command}.code`, code);
    if (hangs) writeFileSync(`${program}.${command}.hang`, '');
  }
  const limits = { mountMs: TIME_LIMIT_MS, createMs: TIME_LIMIT_MS, otherMs: TIME_LIMIT_MS };
  const volumes = dvdcliVolumes({ program, timeLimits: limits });
  const volume = { name: volumeName(VOLUME), driver: 'fuzzed', options: { size: '1' } };
  const started = performance.now();
  try {
    const ensured = await volumes.ensure(volume);
    const attached = await volumes.attach(volume, 'task' as ConsumerId);
    const detached = await volumes.detach(volume, 'task' as ConsumerId);
    if (performance.now() - started > HUNG_MS) return 'hung';
    return (
      [ensured, attached, detached].map(oddOutcome).find((odd) => odd !== undefined) ??
      oddPath(attached, input)
    );
  } catch (error) {
    return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function oddOutcome(outcome: Outcome<unknown>): string | undefined {
  return outcome.kind === 'done' || outcome.error instanceof VolumeError
    ? undefined
    : 'an error without a type';
}

function oddPath(
  attached: Outcome<{ kind: string; hostPath?: string }>,
  input: Readonly<Record<string, Printed>>,
): string | undefined {
  if (attached.kind !== 'done') return undefined;
  const { hostPath = '' } = attached.value;
  if (!hostPath.startsWith('/') || hostPath.includes('\n')) return 'attached without a path';
  if (statSync(hostPath, { throwIfNoEntry: false })?.isDirectory() !== true)
    return 'attached where no directory is';
  const { mount, path } = input;
  if (mount?.code === '0' && !mount.hangs) return undefined;
  // "Already mounted" counts where the mount table agrees with the path that the program prints.
  return path?.code === '0' && path.out.includes(hostPath) ? undefined : 'attached by a mount that failed';
}
