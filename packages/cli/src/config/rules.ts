/** Rules across settings. Each says which setting is at fault and what it wanted. */
import type { Fault } from './load.ts';
import type { Settings } from './fields.ts';

type Some = Partial<Settings>;
type Rule = (settings: Some) => Fault | undefined;

const fault = (name: keyof Settings, message: string): Fault => ({ name, message });

const RULES: readonly Rule[] = [
  function mastersAreKnown({ master, zookeeperMesosUrl }) {
    if (zookeeperMesosUrl !== undefined) {
      return fault(
        'zookeeperMesosUrl',
        'finding masters through ZooKeeper is not in this version: give --master host:port,…',
      );
    }
    return master === undefined
      ? fault('master', 'is required: wanted host:port,host:port or a URL')
      : undefined;
  },
  function stateHasAPlace({ stateDirectory }) {
    return stateDirectory === undefined
      ? fault('stateDirectory', 'is required: wanted an absolute path on durable storage')
      : undefined;
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
  function executorMounts({ volumeMounter }) {
    return volumeMounter === undefined || volumeMounter === 'executor'
      ? undefined
      : fault('volumeMounter', `${volumeMounter} is not in this version: wanted executor`);
  },
  function engineNeedsDocker({ volumePath, frameworkUseDocker }) {
    return volumePath === 'engine' && frameworkUseDocker === false
      ? fault(
          'volumePath',
          'engine reaches volumes through containers: wanted plugin-socket or dvdcli with frameworkUseDocker false',
        )
      : undefined;
  },
  function localIsDockersOwn({ externalVolumeDriver, volumePath }) {
    return externalVolumeDriver === 'local' && volumePath !== 'engine'
      ? fault(
          'volumePath',
          'wanted engine: the driver local is built into Docker and cannot be reached otherwise',
        )
      : undefined;
  },
  function namesAreOurs({ volumeNaming, nodeIdBase }) {
    if (volumeNaming !== undefined && volumeNaming !== 'framework-node-role') {
      return fault('volumeNaming', `${volumeNaming} is not in this version: wanted framework-node-role`);
    }
    return nodeIdBase === 0 ? fault('nodeIdBase', '0 is not in this version: wanted 1') : undefined;
  },
  function fencingNeedsSharedLeases({ suspectPolicy, leaseDirectory }) {
    return suspectPolicy === 'fence' && leaseDirectory === undefined
      ? fault(
          'leaseDirectory',
          'is required with suspectPolicy fence: wanted a directory that scheduler and agents share',
        )
      : undefined;
  },
  function processesHaveElasticsearch(settings) {
    if (settings.frameworkUseDocker !== false) return undefined;
    if (settings.elasticsearchHome !== undefined && settings.elasticsearchBinaryUrl !== undefined) {
      return fault('elasticsearchHome', 'and elasticsearchBinaryUrl exclude each other: wanted one of them');
    }
    return settings.elasticsearchHome === undefined && settings.elasticsearchBinaryUrl === undefined
      ? fault('elasticsearchBinaryUrl', 'or elasticsearchHome is required with frameworkUseDocker false')
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
  return RULES.map((rule) => rule(settings)).filter(
    (found): found is Fault => found !== undefined && !silent.has(found.name),
  );
}
