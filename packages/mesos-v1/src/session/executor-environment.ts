/** What an agent tells an executor through its environment. */
import type { AgentId, ExecutorId, FrameworkId } from '../types/ids.ts';
import { isValidMesosId } from '../types/ids.ts';
import { parseMesosDuration } from './duration.ts';

export interface ExecutorEnvironment {
  frameworkId: FrameworkId;
  executorId: ExecutorId;
  /** Absent in environments that only carry the v1 variables. */
  agentId?: AgentId;
  /** `ip:port`; whether TLS is spoken there, Mesos does not say. */
  agentEndpoint: string;
  /** The sandbox as this process sees it. */
  sandbox?: string;
  checkpoint: boolean;
  recoveryTimeoutMs: number;
  backoffMaxMs: number;
  shutdownGraceMs: number;
  /** Take it out of the environment before starting children. */
  token?: string;
}

/** Every missing or malformed variable at once. */
export class ExecutorEnvironmentError extends Error {
  override readonly name = 'ExecutorEnvironmentError';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`not the environment that a Mesos agent gives an executor: ${faults.join('; ')}`);
    this.faults = faults;
  }
}

const DEFAULT_RECOVERY_MS = 15 * 60_000;
const DEFAULT_BACKOFF_MS = 2000;
const DEFAULT_GRACE_MS = 5000;

/** Throws ExecutorEnvironmentError. Missing durations take the agent's defaults (15 min, 2 s, 5 s). */
export function executorEnvironment(env: Readonly<Record<string, string | undefined>>): ExecutorEnvironment {
  const reader = new EnvironmentReader(env);
  const read: ExecutorEnvironment = {
    frameworkId: reader.id('MESOS_FRAMEWORK_ID') as FrameworkId,
    executorId: reader.id('MESOS_EXECUTOR_ID') as ExecutorId,
    agentEndpoint: reader.endpoint('MESOS_AGENT_ENDPOINT'),
    checkpoint: reader.flag('MESOS_CHECKPOINT'),
    recoveryTimeoutMs: reader.duration('MESOS_RECOVERY_TIMEOUT', DEFAULT_RECOVERY_MS),
    backoffMaxMs: reader.duration('MESOS_SUBSCRIPTION_BACKOFF_MAX', DEFAULT_BACKOFF_MS),
    shutdownGraceMs: reader.duration('MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD', DEFAULT_GRACE_MS),
  };
  if (reader.given('MESOS_SLAVE_ID')) read.agentId = reader.id('MESOS_SLAVE_ID') as AgentId;
  const sandbox = env.MESOS_SANDBOX ?? env.MESOS_DIRECTORY;
  if (sandbox !== undefined && sandbox !== '') read.sandbox = sandbox;
  const token = env.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
  if (token !== undefined && token !== '') read.token = token;
  if (reader.faults.length > 0) throw new ExecutorEnvironmentError(reader.faults);
  return read;
}

class EnvironmentReader {
  readonly faults: string[] = [];
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  given(name: string): boolean {
    return (this.#env[name] ?? '') !== '';
  }

  id(name: string): string {
    const text = this.#required(name);
    if (text !== '' && !isValidMesosId(text)) this.#wrong(name, 'a Mesos id');
    return text;
  }

  endpoint(name: string): string {
    const text = this.#required(name);
    const port = Number(/^[^\s/]+:(\d{1,5})$/.exec(text)?.[1] ?? Number.NaN);
    if (text !== '' && !(port >= 1 && port <= 65535)) this.#wrong(name, 'ip:port');
    return text;
  }

  /** Mesos writes `1` or `0`. */
  flag(name: string): boolean {
    const text = this.#env[name] ?? '0';
    if (!['0', '1', 'true', 'false', ''].includes(text)) this.#wrong(name, '1 or 0');
    return text === '1' || text === 'true';
  }

  duration(name: string, otherwise: number): number {
    const text = this.#env[name] ?? '';
    if (text === '') return otherwise;
    const ms = parseMesosDuration(text);
    if (ms === null) this.#wrong(name, 'a duration such as 5secs or 15mins');
    return ms ?? otherwise;
  }

  #required(name: string): string {
    if (!this.given(name)) this.faults.push(`${name} is missing`);
    return this.#env[name] ?? '';
  }

  #wrong(name: string, wanted: string): void {
    this.faults.push(`${name} must be ${wanted}, not ${JSON.stringify(this.#env[name])}`);
  }
}
