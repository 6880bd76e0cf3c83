/** Is the driver there, does it answer, and does it do its work? */
import { randomBytes } from 'node:crypto';
import { volumeName } from '@mesos-elasticsearch/contract';
import {
  validateVolumePlan,
  type VolumeDescription,
  type VolumeError,
  type VolumeErrorCode,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { volumesWords } from '../volumes/command-words.ts';
import { pathOf, reach, within, type ReachOptions } from '../volumes/reach.ts';
import { optionsFor } from '../volumes/verbs.ts';
import { adviceFor } from './core/advice.ts';
import { failed, fine, skipped, type Line } from './core/line.ts';
import { CONSUMER, tryScratch } from './scratch.ts';

/** User that a node runs as unless told otherwise (--elasticsearchUid). */
const NODE_UID = 1000;

/** A scratch file may be written where an index could not: what is known of the driver is said all the same. */
function optionLines(reached: ReachOptions, options: Readonly<Record<string, string>>): readonly Line[] {
  const path = pathOf(reached);
  const plan = { path, driver: reached.driver, options, frameworkName: 'doctor', uid: NODE_UID };
  const policies = { runtime: 'docker', suspectPolicy: 'wait', driverRevokes: false } as const;
  return validateVolumePlan({ ...plan, ...policies }).map(({ message }) =>
    failed(
      'options',
      message,
      'correct them: --options k=v,k=v, and --externalVolumeOptions of the scheduler',
    ),
  );
}

const NOT_FOUND: readonly VolumeErrorCode[] = ['driver-not-found', 'permission', 'invalid'];

/** It lists volumes by the driver's name, and of a driver that it does not have there are none. */
function engineOnly(options: ReachOptions): boolean {
  return pathOf(options) === 'engine' && options.driver !== 'local';
}

function noAnswerLines(options: ReachOptions, { code, message }: VolumeError): readonly Line[] {
  const { driver } = options;
  const path = pathOf(options);
  if (path !== 'plugin-socket' && code === 'driver-unavailable') {
    const next = { engine: 'start dockerd, or give --docker-host', dvdcli: 'give a dvdcli: --dvdcli PATH' };
    return [
      skipped('driver', `${driver} could not be asked by ${path}`),
      failed('answer', message, `${next[path]}; if that is there, start the driver`),
    ];
  }
  return NOT_FOUND.includes(code)
    ? [failed('driver', message, adviceFor(code)), skipped('answer', 'not tried')]
    : [fine('driver', `${driver} is known`), failed('answer', message, adviceFor(code))];
}

/** A doctor that was killed could not clear up after itself; one on another host may be at work on them. */
function leftLines(options: ReachOptions, volumes: readonly VolumeDescription[]): readonly Line[] {
  const left = volumes.map(({ name }) => name).filter((name) => SCRATCH.test(name));
  if (left.length === 0) return [];
  const says = `${left.join(', ')}: scratch volumes of a doctor that was killed, or is at work elsewhere. If none is:`;
  return [skipped('left behind', [says, ...left.map((name) => clearing(name, options))].join('\n'))];
}

const SCRATCH = /^doctor-[0-9a-f]{16}$/;

/** What removes a scratch volume that is left, mounted or not. */
function clearing(name: string, options: ReachOptions): string {
  const remove = `${volumesWords('rm', name, options)} --yes-delete ${name}`;
  if (pathOf(options) === 'engine') return remove;
  return `${volumesWords('unmount', name, options)} --consumer ${CONSUMER}\n${remove}`;
}

export async function driverLines(
  options: ReachOptions & { readonly timeoutMs: number },
  volumeOptions: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly Line[]> {
  const volumes = reach(options, environment);
  const start = performance.now();
  const listed = await within(options, undefined, volumes.list(options.driver));
  const ms = performance.now() - start;
  if (listed.kind !== 'done') return noAnswerLines(options, listed.error);
  const name = volumeName(`doctor-${randomBytes(8).toString('hex')}`);
  const trial = {
    volumes,
    volume: { name, driver: options.driver, options: optionsFor(volumeOptions, name) },
    limitMs: options.timeoutMs,
    clearing: clearing(name, options),
    within: <T>(work: Parameters<typeof within<T>>[2]) => within(options, name, work),
  };
  return [
    listed.value.length === 0 && engineOnly(options)
      ? skipped('driver', `${options.driver}: the Engine tells that it lacks a driver when it makes a volume`)
      : fine('driver', `${options.driver}, by ${pathOf(options)}`),
    fine('answer', `${listed.value.length} volumes`, ms),
    ...leftLines(options, listed.value),
    ...optionLines(options, trial.volume.options),
    ...(await tryScratch(trial)),
  ];
}
