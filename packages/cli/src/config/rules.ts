/** Rules across settings. Each says which setting is at fault and what it wanted. */
import type { Fault } from './load.ts';
import { MOUNTING_RULES } from './rules/mounting.ts';
import { PLACE_RULES } from './rules/place.ts';
import { fault, type Rule, type Some } from './rules/rule.ts';
import { TAKEOVER_RULES } from './rules/takeover.ts';
import { volumeFaults } from './rules/volumes.ts';

const RULES: readonly Rule[] = [
  ...PLACE_RULES,
  function mastersAreKnown({ master, zookeeperMesosUrl }) {
    if ((master === undefined) !== (zookeeperMesosUrl === undefined)) return undefined;
    return master === undefined
      ? fault(
          'master',
          'or zookeeperMesosUrl is required: wanted host:port,host:port or zk://host:port/path',
          ['zookeeperMesosUrl'],
        )
      : fault('master', 'and zookeeperMesosUrl exclude each other: wanted one of them');
  },
  function principalAndSecretComeTogether({ frameworkPrincipal, frameworkSecretPath }) {
    if ((frameworkPrincipal === undefined) === (frameworkSecretPath === undefined)) return undefined;
    return frameworkPrincipal === undefined
      ? fault('frameworkPrincipal', 'is required with frameworkSecretPath')
      : fault('frameworkSecretPath', 'is required with frameworkPrincipal: wanted a file with the secret');
  },
  function nodesHaveVolumes({ externalVolumeDriver }) {
    return externalVolumeDriver === undefined
      ? fault('externalVolumeDriver', 'is required: nodes without an external volume are not in this version')
      : undefined;
  },
  ...MOUNTING_RULES,
  function namesAreOurs({ volumeNaming, nodeIdBase }) {
    if (volumeNaming !== undefined && volumeNaming !== 'framework-node-role') {
      return fault('volumeNaming', `${volumeNaming} is not in this version: wanted framework-node-role`);
    }
    return nodeIdBase === 0 ? fault('nodeIdBase', '0 is not in this version: wanted 1') : undefined;
  },
  ...TAKEOVER_RULES,
  function processesHaveElasticsearch(settings) {
    if (settings.frameworkUseDocker !== false) return undefined;
    if (settings.elasticsearchHome !== undefined && settings.elasticsearchBinaryUrl !== undefined) {
      return fault('elasticsearchHome', 'and elasticsearchBinaryUrl exclude each other: wanted one of them');
    }
    return settings.elasticsearchHome === undefined && settings.elasticsearchBinaryUrl === undefined
      ? fault('elasticsearchBinaryUrl', 'or elasticsearchHome is required with frameworkUseDocker false', [
          'elasticsearchHome',
        ])
      : undefined;
  },
  function fetchedArchivesAreChecked({ elasticsearchBinaryUrl: url, elasticsearchBinarySha256: sum }) {
    return url !== undefined && isUrl(url) && sum === undefined
      ? fault(
          'elasticsearchBinarySha256',
          'is required with a URL: wanted the 64 hexadecimal digits of its SHA-256',
        )
      : undefined;
  },
  function heapFitsMemory({ elasticsearchHeap: heap, elasticsearchRam: memory }) {
    return heap !== undefined && memory !== undefined && heap >= memory
      ? fault('elasticsearchHeap', `wanted less than elasticsearchRam (${memory} MB), got ${heap}`)
      : undefined;
  },
  function portsDiffer({ elasticsearchPorts }) {
    const [http, transport] = elasticsearchPorts?.split(',') ?? [];
    return http !== undefined && http === transport
      ? fault('elasticsearchPorts', 'wanted two different ports')
      : undefined;
  },
];

export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** @param silent settings that are at fault already; no rule adds to that. */
export function settingFaults(settings: Some, silent: ReadonlySet<string>): Fault[] {
  const ruled = RULES.map((rule) => rule(settings)).filter((each) => each !== undefined);
  const plan = volumeFaults(settings).filter(({ name }) => !ruled.some((each) => each.name === name));
  const found = [...ruled, ...plan];
  return found
    .filter(({ name, alternatives }) => ![name, ...alternatives].some((each) => silent.has(each)))
    .map(({ name, message }) => ({ name, message }));
}
