/**
 * Every setting of the scheduler, in one table. Names that mesos/elasticsearch had keep their spelling and
 * meaning; docs/configuration.md is generated from here (`npm run docs:config`).
 */
import { DEFAULT_CONTAINER_PATHS } from '@mesos-elasticsearch/contract';
import {
  choice,
  flag,
  integer,
  optionalInteger,
  optionalText,
  pairs,
  patternText,
  positive,
  text,
  words,
  zookeeperUrl,
} from './field.ts';

const ABSOLUTE = /^\//;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const WANTS_NAME = 'letters, digits, ".", "_" and "-", first a letter or digit';
const DRIVER = /^[A-Za-z0-9][A-Za-z0-9_.:/-]*$/;
/** The Elasticsearch version that is used unless another is asked for; started on Java 17. */
export const DEFAULT_ELASTICSEARCH_VERSION = '8.19.5';

export const FIELDS = {
  master: optionalText(
    [
      'Mesos',
      'Mesos masters: host:port, several separated by commas, or one http(s) URL. Required without --zookeeperMesosUrl.',
    ],
    'host:port,host:port or http(s)://host:port',
    /^(https?:\/\/[^\s,]+|[^\s,/:]+:\d{1,5}(,[^\s,/:]+:\d{1,5})*)$/,
  ),
  zookeeperMesosUrl: zookeeperUrl([
    'Mesos',
    'Where the masters elect their leader, as they were told with --zk; user:password@ before the hosts if they need it.',
  ]),
  zookeeperMesosTimeout: integer(
    ['Mesos', 'ZooKeeper session timeout in milliseconds, of --zookeeperMesosUrl.'],
    20_000,
    [1000, 600_000],
  ),
  encoding: choice(['Mesos', 'How calls to Mesos are encoded.'], ['protobuf', 'json'], 'protobuf'),

  frameworkName: patternText(
    ['Framework', 'Name in Mesos, and the first part of every volume name.'],
    WANTS_NAME,
    NAME,
    'elasticsearch',
  ),
  frameworkUser: text(['Framework', 'User that Mesos runs executors as.'], 'root'),
  frameworkFailoverTimeout: positive(
    ['Framework', 'Seconds that Mesos keeps the tasks without a scheduler before it kills them.'],
    2_592_000,
  ),
  frameworkRole: text(['Framework', 'Role whose resources are used.'], '*'),
  frameworkPrincipal: optionalText([
    'Framework',
    'Principal to authenticate with; needs --frameworkSecretPath.',
  ]),
  frameworkSecretPath: optionalText(
    ['Framework', 'File that holds the secret of the principal; a last newline is dropped.'],
    'a path',
  ),
  frameworkUseDocker: flag(
    ['Framework', 'true: nodes run in Docker containers. false: as processes on the agent.'],
    true,
  ),

  elasticsearchClusterName: patternText(
    ['Elasticsearch nodes', 'cluster.name of Elasticsearch.'],
    'text without blanks or ":"',
    /^[^\s:]+$/,
    'mesos-ha',
  ),
  elasticsearchNodes: integer(['Elasticsearch nodes', 'Wanted number of nodes.'], 3),
  elasticsearchCpu: positive(['Elasticsearch nodes', 'CPUs of one node.'], 1),
  elasticsearchRam: integer(
    ['Elasticsearch nodes', 'Memory of one node in MB; half of it becomes the heap.'],
    2048,
    [512, Number.MAX_SAFE_INTEGER],
  ),
  elasticsearchHeap: optionalInteger(
    ['Elasticsearch nodes', 'Heap of one node in MB. Absent: half of its memory.'],
    [128, Number.MAX_SAFE_INTEGER],
  ),
  elasticsearchDisk: integer(
    ['Elasticsearch nodes', 'Disk of one node in MB; not looked at with an external volume.'],
    1024,
  ),
  elasticsearchPorts: optionalText(
    ['Elasticsearch nodes', 'HTTP and transport port of every node. Absent: taken from the offer.'],
    'http,transport, two port numbers from 1 to 65535',
    /^([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]),([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
  ),
  elasticsearchSettingsLocation: optionalText(
    [
      'Elasticsearch nodes',
      'elasticsearch.yml whose settings every node gets; what the framework must set goes on top.',
    ],
    'a path',
  ),
  elasticsearchKeystorePath: optionalText(
    ['Elasticsearch nodes', 'YAML file with the entries of the keystore of every node, name: value.'],
    'a path',
  ),
  elasticsearchCredentialsFile: optionalText(
    ['Elasticsearch nodes', 'File here with user:password, for what the scheduler asks Elasticsearch.'],
    'an absolute path',
    ABSOLUTE,
  ),
  elasticsearchCaFile: optionalText(
    ['Elasticsearch nodes', 'PEM file here with the CA of the nodes, asked over HTTPS then. Absent: HTTP.'],
    'an absolute path',
    ABSOLUTE,
  ),
  elasticsearchJvmOptions: words(['Elasticsearch nodes', 'More options for the JVM of every node.']),
  elasticsearchBindHost: text(['Elasticsearch nodes', 'Address that the nodes listen on.'], '0.0.0.0'),
  elasticsearchUid: integer(
    ['Elasticsearch nodes', 'Numeric user that Elasticsearch runs as where the executor is root.'],
    1000,
  ),
  elasticsearchGid: integer(
    ['Elasticsearch nodes', 'Numeric group that Elasticsearch runs as where the executor is root.'],
    1000,
  ),
  executorName: text(['Elasticsearch nodes', 'Name of the tasks in Mesos.'], 'elasticsearch-executor'),
  executorLabels: pairs(['Elasticsearch nodes', 'Labels of the tasks.']),
  executorCpu: positive(['Elasticsearch nodes', 'CPUs of one executor, on top of the node.'], 0.1),
  executorRam: integer(['Elasticsearch nodes', 'Memory of one executor in MB, on top of the node.'], 128, [
    32,
    Number.MAX_SAFE_INTEGER,
  ]),
  nodeProgram: text(['Elasticsearch nodes', 'Node.js on the agents, which runs the executor.'], 'node'),
  useIpAddress: flag(
    ['Elasticsearch nodes', 'Nodes publish the IP address of their agent, not its name.'],
    false,
  ),
  shutdownGraceSeconds: integer(
    ['Elasticsearch nodes', 'Seconds a node has to stop and let go of its volumes before it is killed.'],
    120,
    [10, 86_400],
  ),

  elasticsearchVersion: patternText(
    ['Elasticsearch distribution', 'Version of Elasticsearch.'],
    'a version such as 8.19.5',
    /^\d+\.\d+\.\d+$/,
    DEFAULT_ELASTICSEARCH_VERSION,
  ),
  elasticsearchDockerImage: optionalText([
    'Elasticsearch distribution',
    'Image of the containers. Absent: elasticsearch:VERSION.',
  ]),
  executorForcePullImage: flag(['Elasticsearch distribution', 'Pull the image before every start.'], false),
  elasticsearchHome: optionalText(
    ['Elasticsearch distribution', 'Elasticsearch as installed on every agent (processes only).'],
    'an absolute path',
    ABSOLUTE,
  ),
  elasticsearchBinaryUrl: optionalText(
    [
      'Elasticsearch distribution',
      'Archive of Elasticsearch (tar.gz or zip) that agents fetch: a URL, or a file here that the scheduler serves.',
    ],
    'a URL or a path',
  ),
  elasticsearchBinarySha256: optionalText(
    ['Elasticsearch distribution', 'Checksum of that archive; required for a URL.'],
    '64 hexadecimal digits',
    /^[0-9a-f]{64}$/,
  ),
  javaHome: optionalText(
    ['Elasticsearch distribution', 'Java on the agents (processes only).'],
    'an absolute path',
    ABSOLUTE,
  ),
  dockerSocket: patternText(
    ['Elasticsearch distribution', "Path of Docker's socket on the agents."],
    'an absolute path',
    ABSOLUTE,
    '/var/run/docker.sock',
  ),

  externalVolumeDriver: optionalText(
    ['Volumes', 'Docker volume driver of the config and data volumes. Required in this version.'],
    'a driver name such as rexray or rclone',
    DRIVER,
  ),
  externalVolumeOptions: pairs([
    'Volumes',
    'Options given to the driver when it creates a volume; {volume} stands for its name.',
  ]),
  volumeMounter: choice(
    [
      'Volumes',
      'Who mounts the volumes: the executor, mesos-module-dvdi (told by DVDI_* variables), or docker/volume of Mesos. The isolators need frameworkUseDocker false; docs/volumes-isolators.md.',
    ],
    ['executor', 'dvdi-isolator', 'docker-volume-isolator'],
    'executor',
  ),
  isolatorConfigPath: text(
    ['Volumes', 'Where an isolator mounts the config volume (dvdi-isolator, docker-volume-isolator).'],
    DEFAULT_CONTAINER_PATHS.config,
  ),
  isolatorDataPath: text(
    ['Volumes', 'Where an isolator mounts the data volume; the directory must be on every agent.'],
    DEFAULT_CONTAINER_PATHS.data,
  ),
  volumePath: choice(
    [
      'Volumes',
      'How the executor reaches the driver. engine needs Docker containers; local is reached by engine only.',
    ],
    ['plugin-socket', 'dvdcli', 'engine'],
    'plugin-socket',
  ),
  dvdcliProgram: patternText(
    ['Volumes', 'The dvdcli command on the agents.'],
    'an absolute path',
    ABSOLUTE,
    '/usr/bin/dvdcli',
  ),
  adoptVolumes: flag(['Volumes', 'Take over volumes that hold data but no marker.'], false),
  nodeIdBase: integer(['Volumes', 'Lowest node ID. Only 1 in this version.'], 1, [0, 1]),
  volumeNaming: choice(
    ['Volumes', 'How volumes are named. Only framework-node-role in this version.'],
    ['framework-node-role', 'framework-node-data'],
    'framework-node-role',
  ),
  dataDir: patternText(
    [
      'Volumes',
      'Directory for data on the agent. Without effect: nodes without an external volume are not in this version.',
    ],
    'an absolute path',
    ABSOLUTE,
    '/var/lib/mesos/slave/elasticsearch',
  ),

  stateDirectory: optionalText(
    [
      'Safety',
      'Directory of the ledger: which node ID is held by whom. Keep it on durable storage. This or --zookeeperUrl is required.',
    ],
    'an absolute path',
    ABSOLUTE,
  ),
  leaseDirectory: optionalText(
    [
      'Safety',
      'Directory of the leases, the same path on the scheduler and on every agent. Absent: --stateDirectory.',
    ],
    'an absolute path',
    ABSOLUTE,
  ),
  zookeeperUrl: zookeeperUrl([
    'Safety',
    'Ledger, leases and the election of the leading scheduler are there, below the path, instead of in a directory. Without a login.',
  ]),
  zookeeperUrlOnAgents: zookeeperUrl([
    'Safety',
    'The same place as the agents reach it. Absent: --zookeeperUrl.',
  ]),
  zookeeperSessionTimeoutMs: integer(
    [
      'Safety',
      'ZooKeeper session timeout in milliseconds, of --zookeeperUrl: a standby scheduler takes over about that long after the leader died.',
    ],
    10_000,
    [1000, 600_000],
  ),
  zookeeperCredentialsFile: optionalText(
    [
      'Safety',
      'File here with user:password, by which the scheduler alone may write the ledger. Absent: whoever reaches ZooKeeper may.',
    ],
    'an absolute path',
    ABSOLUTE,
  ),
  zookeeperExecutorDigest: optionalText(
    [
      'Safety',
      'Whom the executors log in as, in the form that ZooKeeper keeps in its ACLs: no password, and none can be got from it but by guessing.',
    ],
    'user:DIGEST with DIGEST = base64(SHA-1(user:password))',
    /^[^\s:]+:[A-Za-z0-9+/]{27}=$/,
  ),
  zookeeperExecutorCredentialsFile: optionalText(
    [
      'Safety',
      'File on every agent with user:password for the executors, which may read their node and hold its lease.',
    ],
    'an absolute path',
    ABSOLUTE,
  ),
  zookeeperExecutorSecret: optionalText(
    [
      'Safety',
      'The same as a Mesos secret by reference, put into the environment of the executors by the agent (Mesos 1.3 and its environment_secret isolator).',
    ],
    'the name of a secret',
    /^\S+$/,
  ),
  suspectPolicy: choice(
    [
      'Safety',
      'A node that may or may not be alive: wait for proof, let its lease run out (fence), or take its storage away after --preemptAfterMs (preempt).',
    ],
    ['wait', 'fence', 'preempt'],
    'wait',
  ),
  leaseMs: integer(
    ['Safety', 'Length of a lease in milliseconds.'],
    30_000,
    [5000, 3_600_000],
    'a shorter one leaves the guard no time: it is renewed four times in its length, and two seconds of it are kept for the kill',
  ),
  pauseBoundMs: integer(
    [
      'Safety',
      'Longest time in milliseconds that a whole machine is frozen and then goes on; waited out after a lease.',
    ],
    30_000,
    [0, 86_400_000],
  ),
  preemptAfterMs: integer(
    ['Safety', 'Milliseconds that a node is suspect before its storage is taken away (preempt).'],
    60_000,
    [0, 86_400_000],
  ),
  fenceCommand: optionalText(
    [
      'Safety',
      'Program here, called as PROGRAM DRIVER VOLUME HOST for each volume (preempt); exit code 0 says that HOST can no longer write it.',
    ],
    'an absolute path',
    ABSOLUTE,
  ),
  fenceCommandTimeoutMs: integer(
    ['Safety', 'Milliseconds that one call of --fenceCommand may take; after that nothing is known of it.'],
    60_000,
    [1000, 3_600_000],
  ),
  driverRevokes: flag(
    [
      'Safety',
      'Your word that the driver takes a volume away from its old host when it is attached elsewhere, as REX-Ray does with preempt: true (preempt, and fence where an isolator mounts).',
    ],
    false,
  ),
  retiredVolumes: choice(
    [
      'Safety',
      'Volumes of a node that was retired, when the cluster grows again: use them with their old data (keep), empty them first (wipe), or leave that node ID alone (refuse).',
    ],
    ['keep', 'refuse', 'wipe'],
    'refuse',
  ),

  webUiPort: integer(['Scheduler process', 'Port of the REST API; 0 picks a free one.'], 31_100, [0, 65_535]),
  bindHost: text(['Scheduler process', 'Address that the REST API listens on.'], '0.0.0.0'),
  publishHost: optionalText([
    'Scheduler process',
    'Name or address under which agents reach this scheduler. Absent: the host name.',
  ]),
  executorBundle: optionalText(
    ['Scheduler process', 'The executor that agents fetch. Absent: the one that came with this command.'],
    'a path',
  ),
  progress: choice(
    ['Scheduler process', 'What happens to the nodes, as JSON lines on stdout.'],
    ['none', 'json'],
    'none',
  ),
  logLevel: choice(
    ['Scheduler process', 'Least level that is logged (to stderr).'],
    ['trace', 'debug', 'info', 'warn', 'error'],
    'info',
  ),
} as const;

export type FieldName = keyof typeof FIELDS;
export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];

type Value<F> = F extends { fallback: infer D; schema: { _output: infer T } }
  ? undefined extends D
    ? T | undefined
    : T
  : never;
/** Every setting, parsed; what has neither a value nor a default is undefined. */
export type Settings = { readonly [K in FieldName]: Value<(typeof FIELDS)[K]> };

/** `frameworkName` → `ELASTICSEARCH_MESOS_FRAMEWORK_NAME`: one rule, no exceptions. */
export const VARIABLE_PREFIX = 'ELASTICSEARCH_MESOS_';
export function variableOf(name: string): string {
  return VARIABLE_PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
