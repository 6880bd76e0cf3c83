import { describe, expect, it } from 'vitest';
import { decodeLaunchSpec, encodeLaunchSpec, type LaunchSpecInput } from '@mesos-elasticsearch/contract';
import { launchSpec } from '../testing/launch-specs.ts';
import { dialectOf } from './dialect.ts';
import { flattenSettings, renderSettings } from './settings.ts';
import { versionOf } from './version.ts';

function render(
  jar: string,
  parts: Partial<LaunchSpecInput['elasticsearch']> = {},
  modules = ['x-pack-security'],
) {
  const dialect = dialectOf(versionOf([jar])!)!;
  const spec = decodeLaunchSpec(encodeLaunchSpec(launchSpec({ elasticsearch: parts })));
  return renderSettings({ dialect, modules, spec, dataPath: '/data', logPath: '/logs' });
}

describe('elasticsearch.yml of each dialect', () => {
  it.each([
    ['elasticsearch-7.17.29.jar', ['x-pack-core', 'x-pack-security']],
    ['elasticsearch-8.19.5.jar', ['x-pack-core', 'x-pack-security', 'x-pack-ml']],
    ['elasticsearch-8.19.5.jar', ['transport-netty4']],
    ['opensearch-2.19.1.jar', ['transport-netty4']],
  ])('%s with the modules %j', (jar, modules) => {
    expect(render(jar, {}, modules).text).toMatchSnapshot();
  });

  it('leaves the first masters out once there is data on record', () => {
    expect(render('elasticsearch-8.19.5.jar', { initialMasterNodes: [] }).text).not.toContain(
      'initial_master',
    );
  });
});

describe('the user’s own settings', () => {
  it('are kept, the framework’s go on top, and what was replaced is named', () => {
    const settings = [
      'node: { name: mine, attr: { rack: r1 } }',
      'path.data: /elsewhere',
      'network.host: 0.0.0.0',
      'discovery.type: single-node',
      'cluster.initial_master_nodes: [mine]',
      'indices.query.bool.max_clause_count: 2048',
      'xpack.security.enabled: "false"',
    ].join('\n');
    const rendered = render('elasticsearch-8.19.5.jar', { settings, initialMasterNodes: [] });
    expect(rendered.overridden).toEqual([
      ...['node.name', 'path.data', 'network.host', 'discovery.type', 'cluster.initial_master_nodes'],
    ]);
    expect(rendered.settings).toMatchObject({
      'node.name': 'elasticsearch-1',
      'node.attr.rack': 'r1',
      'path.data': '/data',
      'indices.query.bool.max_clause_count': 2048,
    });
    expect(rendered.settings).not.toHaveProperty(['discovery.type']);
    expect(rendered.settings).not.toHaveProperty(['network.host']);
  });

  it.each([
    ['a list', '- a', 'is not a mapping'],
    ['broken YAML', 'a: [', 'is not YAML'],
    ['one setting in two spellings', 'node: {name: a}\nnode.name: b', 'sets node.name twice'],
    ['security', 'xpack.security.enabled: true', 'is not supported'],
  ])('are refused when they are %s', (_, settings, text) => {
    expect(() => render('elasticsearch-8.19.5.jar', { settings })).toThrow(text);
  });

  it('may be empty', () => {
    expect(flattenSettings('')).toEqual({});
    expect(flattenSettings('# nothing\n')).toEqual({});
  });
});

describe('versions', () => {
  it.each([
    [['elasticsearch-cli-8.19.5.jar', 'elasticsearch-8.19.5.jar'], '8.19.5', 'elasticsearch 8'],
    [['elasticsearch-7.17.29.jar'], '7.17.29', 'elasticsearch 7.17'],
    [['elasticsearch-8.0.0-rc1-SNAPSHOT.jar'], '8.0.0-rc1-SNAPSHOT', 'elasticsearch 8'],
    [['elasticsearch-6.8.0.jar'], '6.8.0', undefined],
  ])('%j is %s', (libraries, text, dialect) => {
    const version = versionOf(libraries);
    expect(version?.text).toBe(text);
    expect(version && dialectOf(version)?.name).toBe(dialect);
  });

  it('are not guessed', () => {
    expect(versionOf(['lucene-core-9.12.2.jar', 'elasticsearch-core-8.19.5.jar'])).toBeUndefined();
  });
});
