/** Is the driver there, does it answer, and does it do its work? */
import { randomBytes } from 'node:crypto';
import { volumeName } from '@mesos-elasticsearch/contract';
import { validateVolumePlan, type VolumeErrorCode } from '@mesos-elasticsearch/dvdcli-bridge';
import { pathOf, reach, within, type ReachOptions } from '../volumes/reach.ts';
import { optionsFor } from '../volumes/verbs.ts';
import { adviceFor } from './core/advice.ts';
import { failed, fine, skipped, type Line } from './core/line.ts';
import { tryScratch } from './scratch.ts';

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

export async function driverLines(
  options: ReachOptions & { readonly timeoutMs: number },
  volumeOptions: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly Line[]> {
  const volumes = reach(options, environment);
  const start = performance.now();
  const listed = await within(options, undefined, volumes.list(options.driver));
  const ms = performance.now() - start;
  if (listed.kind !== 'done') {
    const { code, message } = listed.error;
    const advice = adviceFor(code);
    return NOT_FOUND.includes(code)
      ? [failed('driver', message, advice), skipped('answer', 'not tried')]
      : [fine('driver', `${options.driver} is known`), failed('answer', message, advice)];
  }
  const name = volumeName(`doctor-${randomBytes(8).toString('hex')}`);
  const trial = {
    volumes,
    volume: { name, driver: options.driver, options: optionsFor(volumeOptions, name) },
    limitMs: options.timeoutMs,
    within: <T>(work: Parameters<typeof within<T>>[2]) => within(options, name, work),
  };
  return [
    fine('driver', `${options.driver}, by ${pathOf(options)}`),
    fine('answer', `${listed.value.length} volumes`, ms),
    ...optionLines(options, trial.volume.options),
    ...(await tryScratch(trial)),
  ];
}
