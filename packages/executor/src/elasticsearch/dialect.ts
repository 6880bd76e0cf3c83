/** The one table of what differs between distributions. A setting that a version does not know is fatal to it. */
import type { ElasticsearchVersion } from './version.ts';

export interface Dialect {
  /** How the row is called in messages and snapshots. */
  readonly name: string;
  /** False: taken from the documentation, never seen running here. */
  readonly proven: boolean;
  readonly configurationFile: 'elasticsearch.yml' | 'opensearch.yml';
  readonly program: 'bin/elasticsearch' | 'bin/opensearch';
  readonly keystoreProgram: 'bin/elasticsearch-keystore' | 'bin/opensearch-keystore';
  /** Environment variable with the configuration directory,. */
  readonly pathConfVariable: 'ES_PATH_CONF' | 'OPENSEARCH_PATH_CONF';
  readonly javaHomeVariable: 'ES_JAVA_HOME' | 'OPENSEARCH_JAVA_HOME';
  readonly temporaryVariable: 'ES_TMPDIR' | 'OPENSEARCH_TMPDIR';
  /** Feature version of Java, e.g. 17. */
  readonly oldestJava: number;
  /** OpenSearch 2 renamed it. */
  readonly initialMasterSetting: 'cluster.initial_master_nodes' | 'cluster.initial_cluster_manager_nodes';
  /** Settings that only exist where a module is in `modules/`, off unless the user says otherwise. */
  readonly moduleDefaults: readonly {
    readonly module: string;
    readonly setting: string;
    readonly value: boolean;
  }[];
}

const ELASTICSEARCH = {
  configurationFile: 'elasticsearch.yml',
  program: 'bin/elasticsearch',
  keystoreProgram: 'bin/elasticsearch-keystore',
  pathConfVariable: 'ES_PATH_CONF',
  javaHomeVariable: 'ES_JAVA_HOME',
  temporaryVariable: 'ES_TMPDIR',
  initialMasterSetting: 'cluster.initial_master_nodes',
  // Version 8 turns security on by itself where it is present, and then answers nothing but TLS.
  moduleDefaults: [
    { module: 'x-pack-security', setting: 'xpack.security.enabled', value: false },
    { module: 'x-pack-ml', setting: 'xpack.ml.enabled', value: false },
  ],
} as const;

const OPENSEARCH = {
  configurationFile: 'opensearch.yml',
  program: 'bin/opensearch',
  keystoreProgram: 'bin/opensearch-keystore',
  pathConfVariable: 'OPENSEARCH_PATH_CONF',
  javaHomeVariable: 'OPENSEARCH_JAVA_HOME',
  temporaryVariable: 'OPENSEARCH_TMPDIR',
  moduleDefaults: [],
} as const;

const TABLE: readonly {
  readonly matches: (version: ElasticsearchVersion) => boolean;
  readonly dialect: Dialect;
}[] = [
  {
    matches: ({ product, major, minor }) => product === 'elasticsearch' && major === 7 && minor >= 17,
    dialect: { ...ELASTICSEARCH, name: 'elasticsearch 7.17', proven: true, oldestJava: 11 },
  },
  {
    matches: ({ product, major }) => product === 'elasticsearch' && major === 8,
    dialect: { ...ELASTICSEARCH, name: 'elasticsearch 8', proven: true, oldestJava: 17 },
  },
  {
    matches: ({ product, major }) => product === 'elasticsearch' && major === 9,
    dialect: { ...ELASTICSEARCH, name: 'elasticsearch 9', proven: false, oldestJava: 21 },
  },
  {
    matches: ({ product, major }) => product === 'opensearch' && major === 1,
    dialect: {
      ...OPENSEARCH,
      name: 'opensearch 1',
      proven: false,
      oldestJava: 11,
      initialMasterSetting: 'cluster.initial_master_nodes',
    },
  },
  {
    matches: ({ product, major }) => product === 'opensearch' && major === 2,
    dialect: {
      ...OPENSEARCH,
      name: 'opensearch 2',
      proven: false,
      oldestJava: 11,
      initialMasterSetting: 'cluster.initial_cluster_manager_nodes',
    },
  },
];

/** Undefined for a version nobody has described here. */
export function dialectOf(version: ElasticsearchVersion): Dialect | undefined {
  return TABLE.find(({ matches }) => matches(version))?.dialect;
}

/** For messages: what is in the table. */
export const KNOWN_DIALECTS: readonly string[] = TABLE.map(({ dialect }) => dialect.name);
