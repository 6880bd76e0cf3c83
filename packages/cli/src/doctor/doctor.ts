/** Everything that `doctor` looks at, in the order in which a failure explains the next. */
import type { ReachOptions } from '../volumes/reach.ts';
import { pathOf } from '../volumes/reach.ts';
import { agentLines } from './core/agent.ts';
import { skipped, type Line } from './core/line.ts';
import { driverLines } from './driver-lines.ts';
import {
  agentFinding,
  dockerLine,
  dvdcliFinding,
  fuseLine,
  isolatorActive,
  javaLine,
  mapCountLine,
} from './machine-lines.ts';

export interface DoctorOptions {
  readonly reach: Omit<ReachOptions, 'driver'> & {
    readonly driver: string | undefined;
    readonly timeoutMs: number;
  };
  readonly volumeOptions: string;
  /** host:port */
  readonly agent: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export async function examine({
  reach,
  volumeOptions,
  agent,
  environment,
}: DoctorOptions): Promise<readonly Line[]> {
  const { driver } = reach;
  const path = driver === undefined ? undefined : pathOf({ ...reach, driver });
  const found = await agentFinding(agent);
  // Nodes run in containers or on Java: one of the two is enough.
  const [docker, java] = await Promise.all([
    dockerLine(reach.dockerHost, environment, path === 'engine'),
    javaLine(environment, false),
  ]);
  const runnable = docker.verdict === 'fine' || java.verdict === 'fine';
  return [
    ...(driver === undefined
      ? [skipped('driver', 'give one to try it: --driver NAME')]
      : await driverLines({ ...reach, driver }, volumeOptions, environment)),
    runnable ? docker : await dockerLine(reach.dockerHost, environment, true),
    await dvdcliFinding(reach.dvdcli, path === 'dvdcli' || isolatorActive(found)),
    ...agentLines(found),
    runnable ? java : await javaLine(environment, true),
    mapCountLine(),
    await fuseLine(environment, driver === 'rclone'),
  ];
}
