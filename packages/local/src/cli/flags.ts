/** The flags of `local master` and `local agent`, spelled as a real Mesos spells them. */
import { readFileSync } from 'node:fs';
import type { AgentOptions } from '../agent/options.ts';
import { parseIsolation } from '../core/agent/isolation.ts';
import { parseDuration } from '../core/duration.ts';
import { parseAttributes, parseResources } from '../core/resource-grammar.ts';
import type { MasterOptions } from '../master/options.ts';

export interface FlagSpec {
  readonly name: string;
  readonly value: string;
  readonly help: string;
}

export const MASTER_FLAGS: readonly FlagSpec[] = [
  { name: 'ip', value: 'IP', help: 'address to listen on (127.0.0.1)' },
  { name: 'port', value: 'PORT', help: 'port to listen on, 0 for a free one (5050)' },
  { name: 'hostname', value: 'NAME', help: 'name to be known by (localhost)' },
  { name: 'work_dir', value: 'DIR', help: 'where the list of agents is kept (nowhere)' },
  { name: 'agent_ping_timeout', value: 'DURATION', help: 'how long an agent has to answer a ping (15secs)' },
  { name: 'max_agent_ping_timeouts', value: 'N', help: 'unanswered pings until it is unreachable (5)' },
  { name: 'agent_reregister_timeout', value: 'DURATION', help: 'how long a disconnected agent has (10mins)' },
  { name: 'allocation_interval', value: 'DURATION', help: 'time between rounds of offers (1secs)' },
  {
    name: 'credentials',
    value: 'FILE',
    help: 'JSON {"credentials":[{"principal","secret"}]}; set: schedulers must authenticate',
  },
];

export const AGENT_FLAGS: readonly FlagSpec[] = [
  { name: 'master', value: 'HOST:PORT', help: 'the master' },
  { name: 'work_dir', value: 'DIR', help: 'identity, checkpoints and sandboxes' },
  { name: 'ip', value: 'IP', help: 'address to listen on (127.0.0.1)' },
  { name: 'port', value: 'PORT', help: 'port to listen on (a free one, kept over restarts)' },
  { name: 'hostname', value: 'NAME', help: "name in offers (the machine's)" },
  { name: 'resources', value: 'TEXT', help: 'cpus:2;mem:2048;disk:10000;ports:[31000-31999]' },
  { name: 'attributes', value: 'TEXT', help: 'rack:r1;zone:z1' },
  {
    name: 'executor_environment_variables',
    value: 'JSON',
    help: 'map, added to the environment of executors',
  },
  {
    name: 'executor_registration_timeout',
    value: 'DURATION',
    help: 'how long an executor has to subscribe (1mins)',
  },
  {
    name: 'executor_reregistration_timeout',
    value: 'DURATION',
    help: 'the same after an agent restart (2secs)',
  },
  { name: 'executor_shutdown_grace_period', value: 'DURATION', help: 'between SHUTDOWN and SIGKILL (5secs)' },
  { name: 'recovery_timeout', value: 'DURATION', help: 'how long executors look for a dead agent (15mins)' },
  {
    name: 'isolation',
    value: 'LIST',
    help: 'docker/volume, com_emccode_mesos_DockerVolumeDriverIsolator (none)',
  },
  { name: 'dvdcli', value: 'FILE', help: 'what those isolators mount with (dvdcli in PATH)' },
  { name: 'command_executor', value: 'JSON', help: 'argv of the executor for command tasks (this program)' },
];

export type Flags = Readonly<Record<string, string | undefined>>;

export class FlagError extends Error {
  override readonly name = 'FlagError';
}

function duration(flags: Flags, name: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw new FlagError(`--${name}: '${text}' is not a duration such as 15secs or 500ms`);
  return ms;
}

function integer(flags: Flags, name: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new FlagError(`--${name}: '${text}' is not a whole number`);
  return Number(text);
}

function parsed<T>(flags: Flags, name: string, parse: (text: string) => T): T | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (cause) {
    throw new FlagError(`--${name}: ${(cause as Error).message}`, { cause });
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Throws FlagError that names the flag and what it wants. */
export function masterOptionsFromFlags(flags: Flags): MasterOptions {
  return defined({
    ip: flags.ip,
    port: integer(flags, 'port'),
    hostname: flags.hostname,
    workDir: flags.work_dir,
    agentPingTimeoutMs: duration(flags, 'agent_ping_timeout'),
    maxAgentPingTimeouts: integer(flags, 'max_agent_ping_timeouts'),
    agentReregisterTimeoutMs: duration(flags, 'agent_reregister_timeout'),
    allocationIntervalMs: duration(flags, 'allocation_interval'),
    credentials: parsed(flags, 'credentials', (path) => {
      const file = JSON.parse(readFileSync(path, 'utf8')) as {
        credentials: { principal: string; secret: string }[];
      };
      return file.credentials;
    }),
  });
}

/** Throws FlagError that names the flag and what it wants. */
export function agentOptionsFromFlags(flags: Flags): AgentOptions {
  const { master, work_dir: workDir } = flags;
  if (master === undefined) throw new FlagError('--master is missing: HOST:PORT of the master');
  if (workDir === undefined) throw new FlagError('--work_dir is missing: a directory of this agent alone');
  const options = defined({
    ip: flags.ip,
    port: integer(flags, 'port'),
    hostname: flags.hostname,
    resources: parsed(flags, 'resources', parseResources),
    attributes: parsed(flags, 'attributes', parseAttributes),
    executorEnvironment: parsed(
      flags,
      'executor_environment_variables',
      (text) => JSON.parse(text) as Record<string, string>,
    ),
    executorRegistrationTimeoutMs: duration(flags, 'executor_registration_timeout'),
    executorReregistrationTimeoutMs: duration(flags, 'executor_reregistration_timeout'),
    executorShutdownGraceMs: duration(flags, 'executor_shutdown_grace_period'),
    recoveryTimeoutMs: duration(flags, 'recovery_timeout'),
    isolation: parsed(flags, 'isolation', parseIsolation),
    dvdcli: flags.dvdcli,
    commandExecutor: parsed(flags, 'command_executor', (text) => JSON.parse(text) as string[]),
  });
  return { master: master.replace(/^http:\/\//, ''), workDir, ...options };
}
