/** Where ledger and leases are, and who may read and write them there. */
import { fault, type Rule } from './rule.ts';

const ONLY_WITH_ZOOKEEPER = [
  'zookeeperUrlOnAgents',
  'zookeeperCredentialsFile',
  'zookeeperExecutorDigest',
  'zookeeperExecutorCredentialsFile',
  'zookeeperExecutorSecret',
] as const;

export const PLACE_RULES: readonly Rule[] = [
  function stateHasOnePlace({ stateDirectory, zookeeperUrl }) {
    if ((stateDirectory === undefined) !== (zookeeperUrl === undefined)) return undefined;
    return stateDirectory === undefined
      ? fault(
          'stateDirectory',
          'or zookeeperUrl is required: wanted an absolute path on durable storage, or zk://host:port/path',
          ['zookeeperUrl'],
        )
      : fault('stateDirectory', 'and zookeeperUrl exclude each other: wanted one of them');
  },
  function leasesAreWithTheLedger({ leaseDirectory, zookeeperUrl }) {
    return leaseDirectory !== undefined && zookeeperUrl !== undefined
      ? fault('leaseDirectory', 'has no place beside zookeeperUrl: the leases are in ZooKeeper then')
      : undefined;
  },
  function urlHasNoLogin({ zookeeperUrl }) {
    return loginFault('zookeeperUrl', zookeeperUrl?.credentials, 'zookeeperCredentialsFile');
  },
  function agentsUrlHasNoLogin({ zookeeperUrlOnAgents }) {
    return loginFault(
      'zookeeperUrlOnAgents',
      zookeeperUrlOnAgents?.credentials,
      'zookeeperExecutorCredentialsFile or zookeeperExecutorSecret',
    );
  },
  function urlHasAPath({ zookeeperUrl }) {
    return zookeeperUrl?.path === '/'
      ? fault(
          'zookeeperUrl',
          'wanted a path such as /mesos-elasticsearch, below which each cluster has its place',
        )
      : undefined;
  },
  function clusterNameIsAZnode({ zookeeperUrl, elasticsearchClusterName: name }) {
    return zookeeperUrl !== undefined && name !== undefined && (name.includes('/') || /^\.{1,2}$/.test(name))
      ? fault(
          'elasticsearchClusterName',
          'wanted a name without "/" with zookeeperUrl, where it is part of a path',
        )
      : undefined;
  },
  function agentsUrlIsTheSamePlace({ zookeeperUrl, zookeeperUrlOnAgents }) {
    if (zookeeperUrlOnAgents === undefined || zookeeperUrl === undefined) return undefined;
    return zookeeperUrlOnAgents.path === zookeeperUrl.path
      ? undefined
      : fault(
          'zookeeperUrlOnAgents',
          `wanted other addresses of the same place, with the path ${zookeeperUrl.path}: leases elsewhere keep nobody out`,
        );
  },
  function zookeeperIsUsed(settings) {
    if (settings.zookeeperUrl !== undefined) return undefined;
    const idle = ONLY_WITH_ZOOKEEPER.find((name) => settings[name] !== undefined);
    return idle === undefined
      ? undefined
      : fault(idle, 'says something only with zookeeperUrl: wanted both or neither', ['zookeeperUrl']);
  },
  function executorsLogInWhereTheSchedulerDoes(settings) {
    if (settings.zookeeperUrl === undefined) return undefined;
    const { zookeeperCredentialsFile: own, zookeeperExecutorDigest: digest } = settings;
    const { zookeeperExecutorCredentialsFile: file, zookeeperExecutorSecret: secret } = settings;
    if (file !== undefined && secret !== undefined) {
      return fault(
        'zookeeperExecutorSecret',
        'and zookeeperExecutorCredentialsFile exclude each other: wanted one of them',
      );
    }
    const theirs = file ?? secret;
    if (own === undefined && digest === undefined && theirs === undefined) return undefined;
    if (own === undefined) {
      return fault(
        'zookeeperCredentialsFile',
        'is required where executors log in: wanted a file with user:password',
      );
    }
    if (digest === undefined) {
      return fault(
        'zookeeperExecutorDigest',
        'is required with zookeeperCredentialsFile: executors could not read their node otherwise',
      );
    }
    return theirs === undefined
      ? fault(
          'zookeeperExecutorCredentialsFile',
          'or zookeeperExecutorSecret is required with zookeeperCredentialsFile: executors must log in too',
        )
      : undefined;
  },
];

function loginFault(name: 'zookeeperUrl' | 'zookeeperUrlOnAgents', login: unknown, instead: string) {
  return login === undefined
    ? undefined
    : fault(name, `wanted no user:password@, which every process list would show: give ${instead}`);
}
