import { describe, expect, it } from 'vitest';
import { FIELD_NAMES, variableOf, type Settings } from './fields.ts';
import { loadSettings, type Fault, type Given } from './load.ts';

const enough = {
  master: 'm1:5050,m2:5050',
  stateDirectory: '/var/lib/mesos-elasticsearch',
  externalVolumeDriver: 'rexray',
};
const given = (flags: Record<string, string | true>, rest: Partial<Given> = {}): Given => ({
  flags: new Map(Object.entries(flags)),
  environment: {},
  ...rest,
});
function settingsOf(input: Given): Settings {
  const loaded = loadSettings(input);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.settings;
}
function faultsOf(input: Given): readonly Fault[] {
  const loaded = loadSettings(input);
  return loaded.ok ? [] : loaded.faults;
}
const faultOf = (input: Given, name: string) => faultsOf(input).find((fault) => fault.name === name)?.message;

describe('where a setting comes from', () => {
  const file = { path: 'cluster.yml', content: { frameworkName: 'from-file' } };
  const environment = { ELASTICSEARCH_MESOS_FRAMEWORK_NAME: 'from-variable' };

  it('is the default when nothing is given', () => {
    expect(settingsOf(given(enough))).toMatchObject({
      frameworkName: 'elasticsearch',
      elasticsearchNodes: 3,
      frameworkUseDocker: true,
      suspectPolicy: 'wait',
    });
  });

  it('is the file rather than the default', () => {
    expect(settingsOf(given(enough, { file })).frameworkName).toBe('from-file');
  });

  it('is the variable rather than the file', () => {
    expect(settingsOf(given(enough, { file, environment })).frameworkName).toBe('from-variable');
  });

  it('is the flag rather than all others', () => {
    const flags = { ...enough, frameworkName: 'from-flag' };
    expect(settingsOf(given(flags, { file, environment })).frameworkName).toBe('from-flag');
  });

  it('has one variable each', () => {
    expect(variableOf('elasticsearchBinarySha256')).toBe('ELASTICSEARCH_MESOS_ELASTICSEARCH_BINARY_SHA256');
    expect(new Set(FIELD_NAMES.map(variableOf)).size).toBe(FIELD_NAMES.length);
  });
});

describe('how a value is written', () => {
  it('true or false, as the original wrote it, or as a bare flag', () => {
    const home = { elasticsearchHome: '/opt/elasticsearch' };
    expect(settingsOf(given({ ...enough, ...home, frameworkUseDocker: 'false' })).frameworkUseDocker).toBe(
      false,
    );
    expect(settingsOf(given({ ...enough, adoptVolumes: true })).adoptVolumes).toBe(true);
  });

  it('pairs as text or as a YAML mapping', () => {
    expect(
      settingsOf(given({ ...enough, externalVolumeOptions: 'size=5,type=io1=x' })).externalVolumeOptions,
    ).toEqual({
      size: '5',
      type: 'io1=x',
    });
    const file = { path: 'cluster.yml', content: { externalVolumeOptions: { size: 5 } } };
    expect(settingsOf(given(enough, { file })).externalVolumeOptions).toEqual({ size: '5' });
  });

  it('numbers as numbers in YAML', () => {
    const file = { path: 'cluster.yml', content: { elasticsearchNodes: 5, elasticsearchPorts: '9200,9300' } };
    expect(settingsOf(given(enough, { file }))).toMatchObject({
      elasticsearchNodes: 5,
      elasticsearchPorts: '9200,9300',
    });
  });
});

describe('a wrong configuration', () => {
  it('reports all its faults at once, each with its name, what it wanted and where it came from', () => {
    const faults = faultsOf(
      given(
        {
          elasticsearchNodes: '0',
          elasticsearchCpu: 'many',
          volumePath: 'fuse',
          frameworkPrincipal: 'me',
          master: true,
        },
        {
          unknownFlags: ['framework-name'],
          environment: { ELASTICSEARCH_MESOS_TYPO: '1', OTHER: '2', ELASTICSEARCH_MESOS_LEASE_MS: '5s' },
          file: { path: 'cluster.yml', content: { frameworkNames: 'x', adoptVolumes: 'maybe' } },
        },
      ),
    );
    expect(Object.fromEntries(faults.map(({ name, message }) => [name, message]))).toEqual({
      'framework-name': 'is not known: did you mean frameworkName?',
      ELASTICSEARCH_MESOS_TYPO: 'no setting has this variable',
      frameworkNames: 'is not known (from cluster.yml)',
      master: 'wanted host:port,host:port or http(s)://host:port, got a flag without a value',
      elasticsearchNodes: 'wanted a whole number from 1 upwards, got "0" (from --elasticsearchNodes)',
      elasticsearchCpu: 'wanted a number above 0, got "many" (from --elasticsearchCpu)',
      volumePath: 'wanted one of plugin-socket, dvdcli, engine, got "fuse" (from --volumePath)',
      adoptVolumes: 'wanted true or false, got "maybe" (from cluster.yml)',
      leaseMs: expect.stringMatching(
        /^wanted a whole number from 5000 to 3600000 \(a shorter one leaves the guard no time: .*\), got "5s" \(from ELASTICSEARCH_MESOS_LEASE_MS\)$/,
      ),
      stateDirectory:
        'or zookeeperUrl is required: wanted an absolute path on durable storage, or zk://host:port/path',
      frameworkSecretPath: 'is required with frameworkPrincipal: wanted a file with the secret',
      externalVolumeDriver: 'is required: nodes without an external volume are not in this version',
    });
  });

  it('names what is not in this version and what to give instead', () => {
    expect(faultOf(given({ ...enough, nodeIdBase: '0' }), 'nodeIdBase')).toMatch(/wanted 1/);
    expect(faultOf(given({ ...enough, volumeNaming: 'framework-node-data' }), 'volumeNaming')).toMatch(
      /wanted framework/,
    );
  });

  it('refuses a lease that is shorter than the guard can keep', () => {
    expect(faultOf(given({ ...enough, leaseMs: '4999' }), 'leaseMs')).toMatch(
      /the guard no time.*got "4999"/,
    );
    expect(faultsOf(given({ ...enough, leaseMs: '5000' }))).toEqual([]);
  });

  it('wants Elasticsearch from somewhere, and a checksum for what is fetched from a URL', () => {
    const jar = { ...enough, frameworkUseDocker: 'false' };
    expect(faultOf(given(jar), 'elasticsearchBinaryUrl')).toMatch(/required with frameworkUseDocker false/);
    const url = { ...jar, elasticsearchBinaryUrl: 'https://files.example/elasticsearch.tar.gz' };
    expect(faultOf(given(url), 'elasticsearchBinarySha256')).toMatch(/required with a URL/);
    expect(faultsOf(given({ ...jar, elasticsearchBinaryUrl: '/srv/elasticsearch.zip' }))).toEqual([]);
  });

  it('refuses volume paths that cannot reach the driver', () => {
    expect(faultOf(given({ ...enough, externalVolumeDriver: 'local' }), 'volumePath')).toMatch(
      /wanted engine/,
    );
    const jar = {
      ...enough,
      frameworkUseDocker: 'false',
      elasticsearchHome: '/opt/es',
      volumePath: 'engine',
    };
    expect(faultOf(given(jar), 'volumePath')).toMatch(/wanted plugin-socket or dvdcli/);
  });

  it('refuses an isolator together with what only the Engine reaches, and with asking the Engine', () => {
    const mesos = { ...enough, frameworkUseDocker: 'false', elasticsearchHome: '/opt/es' };
    const isolated = { ...mesos, volumeMounter: 'dvdi-isolator', volumePath: 'engine' };
    expect(faultOf(given(isolated), 'volumePath')).toMatch(
      /wanted plugin-socket or dvdcli with volumeMounter dvdi-isolator, got engine/,
    );
    const local = { ...mesos, volumeMounter: 'docker-volume-isolator', externalVolumeDriver: 'local' };
    expect(faultOf(given(local), 'volumeMounter')).toMatch(
      /wanted executor, with volumePath engine, got docker-volume-isolator/,
    );
  });

  it('wants a mapping in the file', () => {
    expect(faultOf(given(enough, { file: { path: 'c.yml', content: ['a'] } }), 'c.yml')).toMatch(
      /YAML mapping/,
    );
    expect(faultsOf(given(enough, { file: { path: 'empty.yml', content: null } }))).toEqual([]);
  });
});
