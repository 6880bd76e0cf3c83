/** elasticsearch.yml: what the user gave, and on top what the framework must decide. Pure. */
import { parseDocument, stringify } from 'yaml';
import type { LaunchSpec } from '@mesos-elasticsearch/contract';
import { SetupError } from '../ports.ts';
import type { Dialect } from './dialect.ts';

export type SettingValue = string | number | boolean | null | readonly unknown[];
export type FlatSettings = Readonly<Record<string, SettingValue>>;

export interface SettingsInput {
  readonly dialect: Dialect;
  /** Names in the distribution's `modules/`. */
  readonly modules: readonly string[];
  readonly spec: LaunchSpec;
  readonly dataPath: string;
  readonly logPath: string;
}

export interface RenderedSettings {
  readonly text: string;
  /** Keys of the user's that the framework had to replace or drop. */
  readonly overridden: readonly string[];
  readonly settings: FlatSettings;
}

/**
 * Other spellings of what the framework decides, and settings that contradict it: they would win over ours or
 * be fatal beside them.
 */
const NEVER_THE_USERS: readonly string[] = [
  'network.host',
  'http.host',
  'http.bind_host',
  'http.publish_host',
  'http.publish_port',
  'transport.host',
  'transport.bind_host',
  'transport.publish_host',
  'transport.publish_port',
  'transport.tcp.port',
  'discovery.type',
  'discovery.zen.hosts_provider',
  'cluster.initial_master_nodes',
  'cluster.initial_cluster_manager_nodes',
];

/** @throws SetupError for a text that is no mapping, names a key twice, or wants what cannot be had yet. */
export function renderSettings(input: SettingsInput): RenderedSettings {
  const user = flattenSettings(input.spec.elasticsearch.settings ?? '');
  refuseSecurity(user);
  const ours = frameworkSettings(input);
  const replaced = [...Object.keys(ours), ...NEVER_THE_USERS];
  const overridden = replaced.filter((key) => Object.hasOwn(user, key) && !same(user[key], ours[key]));
  const kept = Object.fromEntries(Object.entries(user).filter(([key]) => !replaced.includes(key)));
  const settings = { ...moduleDefaults(input), ...kept, ...ours };
  return { text: stringify(settings), overridden, settings };
}

function frameworkSettings({ dialect, spec, dataPath, logPath }: SettingsInput): FlatSettings {
  const { elasticsearch } = spec;
  const first = elasticsearch.initialMasterNodes;
  return {
    'cluster.name': spec.clusterName,
    'node.name': spec.nodeName,
    'path.data': dataPath,
    'path.logs': logPath,
    'network.bind_host': elasticsearch.bindHost,
    'network.publish_host': elasticsearch.publishHost,
    'http.port': elasticsearch.httpPort,
    'transport.port': elasticsearch.transportPort,
    // Addresses change when nodes move: the executor rewrites unicast_hosts.txt while the node runs.
    'discovery.seed_providers': 'file',
    // Only while the cluster has never formed; later it could found a second one.
    ...(first.length > 0 ? { [dialect.initialMasterSetting]: first } : {}),
  };
}

function moduleDefaults({ dialect, modules }: SettingsInput): FlatSettings {
  const present = dialect.moduleDefaults.filter(({ module }) => modules.includes(module));
  return Object.fromEntries(present.map(({ setting, value }) => [setting, value]));
}

function refuseSecurity(user: FlatSettings): void {
  if (String(user['xpack.security.enabled']) !== 'true') return;
  throw new SetupError(
    'xpack.security.enabled: true in the user settings is not supported: the executor cannot ask a node that wants credentials; leave it out',
  );
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other) || String(one) === String(other);
}

/** `node: {name: x}` and `node.name: x` are the same setting to Elasticsearch: both become `node.name`. */
export function flattenSettings(text: string): FlatSettings {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) throw new SetupError(`the user's elasticsearch.yml is not YAML: ${problem.message}`);
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new SetupError("the user's elasticsearch.yml is not a mapping of settings to values");
  }
  const flat: Record<string, SettingValue> = {};
  flattenInto(flat, '', value as Record<string, unknown>);
  return flat;
}

function flattenInto(
  flat: Record<string, SettingValue>,
  prefix: string,
  value: Record<string, unknown>,
): void {
  for (const [key, item] of Object.entries(value)) {
    const name = `${prefix}${key}`;
    if (item !== null && typeof item === 'object' && !Array.isArray(item)) {
      flattenInto(flat, `${name}.`, item as Record<string, unknown>);
    } else if (Object.hasOwn(flat, name)) {
      throw new SetupError(`the user's elasticsearch.yml sets ${name} twice`);
    } else {
      flat[name] = item as SettingValue;
    }
  }
}
