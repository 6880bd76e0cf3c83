/** The executor's configuration: all of it comes from the environment that the agent gives. */
import { NODE_ID_VARIABLE, NODE_MARK_VARIABLE } from '@mesos-elasticsearch/contract';
import { mountLedgerDirectoryFrom, pluginDirectoriesFrom } from '@mesos-elasticsearch/dvdcli-bridge';
import { executorEnvironment, type ExecutorEnvironment } from '@mesos-elasticsearch/mesos-v1';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ExecutorConfig {
  readonly mesos: ExecutorEnvironment;
  /** `http(s)://ip:port` of the agent. */
  readonly endpoint: URL;
  readonly sandbox: string;
  /** This very program as argv, to start children of it. */
  readonly program: readonly string[];
  /** Compared with the launch spec's by the machine. */
  readonly environmentNodeId: string | undefined;
  readonly pluginDirectories: readonly string[];
  /** Of the host, not of this sandbox: all executors of a host share it. */
  readonly mountLedgerDirectory: string;
  /** Upper bound for stopping Elasticsearch after SHUTDOWN; the rest of the grace is for the unmount. */
  readonly shutdownStopMs: number;
  /** For Elasticsearch, the guard and all small programs. */
  readonly childEnvironment: Readonly<Record<string, string>>;
}

/**
 * What children may see. `MESOS_DIRECTORY` tells whose they are, to an agent that has no cgroups to tell by.
 * The authentication token is not among them.
 */
const FOR_CHILDREN: readonly string[] = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'JAVA_HOME',
  'ES_JAVA_HOME',
  'OPENSEARCH_JAVA_HOME',
  'ES_JAVA_OPTS',
  'OPENSEARCH_JAVA_OPTS',
  'MESOS_DIRECTORY',
  'MESOS_SANDBOX',
  // So that whoever comes next for the node finds a program of ours that is still at a volume.
  NODE_MARK_VARIABLE,
];
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const LONGEST_RESERVE_MS = 20_000;

/**
 * @throws ExecutorEnvironmentError naming every missing or wrong variable
 * @param workDirectory where the executor was started: the sandbox, if no variable names it
 * @param user number of the user that the executor runs as
 */
export function loadExecutorConfig(
  environment: Environment,
  workDirectory: string,
  user = process.getuid?.() ?? 0,
): ExecutorConfig {
  const mesos = executorEnvironment(environment);
  // Mesos does not say which it is; operators hand these variables on to executors.
  const tls = [environment.LIBPROCESS_SSL_ENABLED, environment.SSL_ENABLED].some(
    (text) => text === '1' || text === 'true',
  );
  return {
    mesos,
    endpoint: new URL(`${tls ? 'https' : 'http'}://${mesos.agentEndpoint}`),
    sandbox: mesos.sandbox ?? workDirectory,
    program: process.argv.slice(0, 2),
    environmentNodeId: environment[NODE_ID_VARIABLE],
    pluginDirectories: pluginDirectoriesFrom(environment),
    mountLedgerDirectory: mountLedgerDirectoryFrom(environment, user),
    shutdownStopMs: stopShareOf(mesos.shutdownGraceMs),
    childEnvironment: childEnvironment(environment),
  };
}

/** Half of the grace period, or all but 20 s where that is more. */
function stopShareOf(graceMs: number): number {
  return Math.max(graceMs / 2, graceMs - LONGEST_RESERVE_MS);
}

function childEnvironment(environment: Environment): Record<string, string> {
  const kept: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const name of FOR_CHILDREN) {
    const value = environment[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  return kept;
}
