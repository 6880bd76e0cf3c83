/** What an agent's flags and what lies on its disk say about isolators that mount volumes. */
import { failed, fine, skipped, type Line } from './line.ts';

const DVDI = 'com_emccode_mesos_DockerVolumeDriverIsolator';
const DOCKER_VOLUME = 'docker/volume';

export interface AgentFinding {
  /** What was asked, e.g. `127.0.0.1:5051`. */
  readonly agent: string;
  /** The agent's flag; undefined where it did not answer. */
  readonly isolation: string | undefined;
  /** Why it did not; undefined when nobody asked for that agent and none is there. */
  readonly failure: string | undefined;
  /** Files that the isolators keep, as far as they exist on this host. */
  readonly traces: readonly string[];
}

/** Files that are there only where an isolator has run since this host was started. */
export const TRACES: readonly string[] = [
  '/var/run/mesos/isolators/docker/volume',
  '/var/run/mesos/isolators/mesos-module-dvdi/dvdimounts.pb',
];

/** @returns the isolation flag of `/flags` or `/state`; undefined for anything else */
export function isolationOf(answer: unknown): string | undefined {
  const flags = (answer as { flags?: { isolation?: unknown } } | null)?.flags;
  return typeof flags?.isolation === 'string' ? flags.isolation : undefined;
}

export function activeIsolators(isolation: string): readonly string[] {
  const names = isolation.split(',').map((name) => name.trim());
  return [DVDI, DOCKER_VOLUME].filter((name) => names.includes(name));
}

export function agentLines({ agent, isolation, failure, traces }: AgentFinding): readonly Line[] {
  const left = traces.length === 0 ? '' : `; traces of one on this host: ${traces.join(', ')}`;
  if (isolation === undefined) {
    return [
      failure === undefined
        ? skipped('isolators', `no agent at ${agent}${left}`)
        : failed(
            'isolators',
            `the agent ${agent} does not tell its flags: ${failure}${left}`,
            `start it, or give its address: --agent host:port`,
          ),
    ];
  }
  const active = activeIsolators(isolation);
  if (active.length === 0) {
    return [
      skipped(
        'isolators',
        `none that mounts volumes on ${agent} (--isolation=${isolation}); the executor mounts${left}`,
      ),
    ];
  }
  const names = isolation.split(',');
  const lacksLinux = active.includes(DOCKER_VOLUME) && !names.includes('filesystem/linux');
  return [
    fine('isolators', `${active.join(' and ')} on ${agent}${left}`),
    ...(lacksLinux
      ? [
          failed(
            'isolators',
            `${DOCKER_VOLUME} without filesystem/linux`,
            'start the agent with --isolation=filesystem/linux,docker/volume',
          ),
        ]
      : []),
  ];
}
