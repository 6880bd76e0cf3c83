/** Which adapter a launch spec asks for. */
import { randomUUID } from 'node:crypto';
import type { LaunchSpec } from '@mesos-elasticsearch/contract';
import { dvdcliVolumes, type Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import { kernelUptimeClock } from '../clock.ts';
import type { ExecutorConfig } from '../config/executor-config.ts';
import { copyTools } from '../migration/copy-tools.ts';
import { dockerRuntime } from '../docker/docker-runtime.ts';
import { askNode, probeHost } from '../elasticsearch/probe.ts';
import { isolatedVolumes, type IsolatedVolumes } from '../isolators/isolated-volumes.ts';
import { onAbandoned } from '../jar/bounded-program.ts';
import { jarRuntime } from '../jar/jar-runtime.ts';
import { localCommands, lookByProgram } from '../jar/local-commands.ts';
import type { ProcessLooks } from '../jar/look.ts';
import { looksByProgram } from '../jar/process-looks.ts';
import { SetupError, type NodeRuntime } from '../ports.ts';
import { leasesAt } from './lease-place.ts';
import { hostMounts, type HostMounts } from './host-mounts.ts';
import { DEFAULT_TIMINGS, type ExecutorPorts, type Log } from './ports.ts';

/** All ports but those that the session fills. */
export function systemPorts(
  config: ExecutorConfig,
  environment: NodeJS.ProcessEnv,
  log: Log,
): Omit<ExecutorPorts, 'sendStatus' | 'host'> {
  onAbandoned((message, fields) => log.warn(fields, message));
  const looks = looksByProgram(config.program, config.childEnvironment);
  const mounts = hostMounts(config, log, looks);
  return {
    log,
    clock: kernelUptimeClock(),
    randomUuid: randomUUID,
    leasesOf: ({ lease }) => leasesAt(lease, environment, log),
    volumesOf: (spec) => volumesOf(spec, mounts),
    isolatedOf: (spec) => isolatedOf(spec, config, log, mounts),
    // Never on record: whom an isolator mounted for is not the mount ledger's.
    formerIsolatedOf: ({ formerIsolator }) =>
      formerIsolator === undefined
        ? undefined
        : dvdcliVolumes({ program: formerIsolator.dvdcli, lookAt: lookByProgram(config.childEnvironment) }),
    recoverMounts: (spec) => mounts.recover(spec),
    runtimeOf: (spec) => runtimeOf(spec, config, log, looks),
    copyToolsOf: ({ elasticsearch }) => {
      const { sandbox, childEnvironment } = config;
      // A single executable is its own first argument already.
      const program = [process.execPath, process.argv[1] ?? ''].filter(
        (part, at, all) => all.indexOf(part) === at,
      );
      return copyTools({ sandbox, environment: childEnvironment, program, node: elasticsearch });
    },
    askNode: ({ elasticsearch, nodeName }) => {
      const { bindHost, publishHost, httpPort } = elasticsearch;
      return askNode({ host: probeHost(bindHost, publishHost), port: httpPort }, nodeName);
    },
    timings: DEFAULT_TIMINGS,
  };
}

function volumesOf(spec: LaunchSpec, mounts: HostMounts): Volumes {
  if (spec.volumePath.kind === 'engine' && spec.runtime.kind !== 'docker') {
    throw new SetupError(
      'the volume path "engine" needs the docker runtime: only a container makes the Engine mount',
    );
  }
  return mounts.volumesOf(spec);
}

function isolatedOf(
  spec: LaunchSpec,
  config: ExecutorConfig,
  log: Log,
  mounts: HostMounts,
): IsolatedVolumes | undefined {
  const { volumeMounter: mounter, volumes, runtime } = spec;
  if (mounter.kind === 'executor') return undefined;
  if (runtime.kind === 'docker') {
    throw new SetupError(`${mounter.kind} mounts for the Mesos containerizer, not into Docker containers`);
  }
  return isolatedVolumes({
    ...{ mounter, volumes, sandbox: config.sandbox, driver: volumesOf(spec, mounts) },
    commands: localCommands(undefined, config.childEnvironment),
    warn: (message, fields) => log.warn(fields, message),
  });
}

function runtimeOf(spec: LaunchSpec, config: ExecutorConfig, log: Log, looks: ProcessLooks): NodeRuntime {
  const { sandbox, childEnvironment: environment } = config;
  const say = (message: string, fields: Readonly<Record<string, unknown>>) => log.warn(fields, message);
  switch (spec.runtime.kind) {
    case 'jar':
      return jarRuntime({ sandbox, environment, log: say, looks });
    case 'docker':
      return dockerRuntime({ sandbox, socket: spec.runtime.socket, log: say, looks });
  }
}
