import { describe, expect, it } from 'vitest';
import type { CommandRunner } from '../ports.ts';
import { bootstrapProblems } from './bootstrap-checks.ts';
import { findJava, javaVersion } from './java.ts';
import { ourOptions, withAbsolutePaths } from './jvm-options.ts';
import { judge, probeHost } from './probe.ts';

describe('bootstrap checks', () => {
  const low = { maxMapCount: 65_530, openFiles: 20_000, mayRaise: true };
  const outside = { 'network.bind_host': '0.0.0.0', 'network.publish_host': '10.0.0.1' };

  it('name the remedy where Elasticsearch would refuse to start', () => {
    expect(bootstrapProblems(outside, low)).toEqual([
      expect.stringContaining('sysctl -w vm.max_map_count=262144'),
    ]);
    expect(bootstrapProblems(outside, { ...low, mayRaise: false })).toHaveLength(2);
  });

  it('are not enforced on loopback, nor without mmap', () => {
    const loopback = { 'network.bind_host': '127.0.0.2', 'network.publish_host': 'localhost' };
    expect(bootstrapProblems(loopback, low)).toEqual([]);
    expect(bootstrapProblems({ ...outside, 'node.store.allow_mmap': false }, low)).toEqual([]);
  });
});

describe('Java', () => {
  const machine = (found: Record<string, string>): CommandRunner => ({
    run: ([program = '']) =>
      Promise.resolve({
        exitCode: program in found ? 0 : 127,
        stdout: Buffer.from(''),
        stderr: `openjdk version "${found[program] ?? ''}"`,
      }),
  });
  const places = {
    wanted: undefined,
    environment: { JAVA_HOME: '/old' },
    home: '/es',
    onPath: ['/usr/bin/java'],
  };
  const wanted = { oldest: 17, by: 'elasticsearch 8.19.5' };

  it('is the first that is new enough', async () => {
    const java = machine({ '/old/bin/java': '1.8.0_392', '/usr/bin/java': '17.0.15' });
    expect(await findJava(java, places, wanted)).toBe('/usr');
  });

  it('is missing or too old in so many words', async () => {
    await expect(findJava(machine({ '/old/bin/java': '11.0.2' }), places, wanted)).rejects.toThrow(
      /Java missing or too old: elasticsearch 8.19.5 needs Java 17 .*JAVA_HOME \(\/old\): Java 11.*PATH/,
    );
  });

  it('is the named one or none', async () => {
    const java = machine({ '/usr/bin/java': '17.0.15' });
    await expect(findJava(java, { ...places, wanted: '/named' }, wanted)).rejects.toThrow(
      'javaHome of the launch spec',
    );
  });

  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_392"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['command not found', undefined],
  ])('%s', (text, version) => expect(javaVersion(text)).toBe(version));
});

describe('jvm.options', () => {
  it('write below the log directory, never below the home', () => {
    const shipped = [
      '#-XX:HeapDumpPath=data',
      '-XX:HeapDumpPath=data',
      '-XX:ErrorFile=logs/hs_err_pid%p.log',
      '-XX:ErrorFile=hs_err_pid%p.log',
      '9-:-Xlog:gc*,safepoint:file=logs/gc.log:utctime',
      '-Xlog:gc*:file=gc.log:utctime',
      '8:-Xloggc:logs/gc.log',
      '-XX:HeapDumpPath=/already',
    ];
    expect(withAbsolutePaths(shipped.join('\n'), '/l').split('\n')).toEqual([
      '#-XX:HeapDumpPath=data',
      '-XX:HeapDumpPath=/l',
      '-XX:ErrorFile=/l/hs_err_pid%p.log',
      '-XX:ErrorFile=/l/hs_err_pid%p.log',
      '9-:-Xlog:gc*,safepoint:file=/l/gc.log:utctime',
      '-Xlog:gc*:file=/l/gc.log:utctime',
      '8:-Xloggc:/l/gc.log',
      '-XX:HeapDumpPath=/already',
    ]);
  });

  it('have the heap first', () => expect(ourOptions(512, ['-Xmx1g'])).toBe('-Xms512m\n-Xmx512m\n-Xmx1g\n'));
});

describe('what a node answers', () => {
  const state = (master: string | null, names: string[]) =>
    JSON.stringify({
      cluster_uuid: 'u',
      master_node: master,
      nodes: Object.fromEntries(names.map((name, index) => [`id${String(index)}`, { name }])),
    });
  it.each([
    ['joined', 200, state('id0', ['a', 'b']), 'joined'],
    ['no master', 200, state(null, ['b']), 'answers'],
    ['a master that is not among the nodes', 200, state('id7', ['b']), 'answers'],
    ['itself missing', 200, state('id0', ['a']), 'answers'],
    ['no master, said with a code', 503, '{}', 'answers'],
    ['credentials wanted', 401, '', 'answers'],
    ['something else on that port', 200, '<html>', 'silent'],
    ['an error', 500, '', 'silent'],
  ])('%s', (_, status, body, kind) => expect(judge(status, body, 'b').kind).toBe(kind));

  it('is asked where it can be reached', () => {
    expect(probeHost('0.0.0.0', '10.0.0.1')).toBe('127.0.0.1');
    expect(probeHost('_site_', '10.0.0.1')).toBe('10.0.0.1');
    expect(probeHost('127.0.0.3', '127.0.0.3')).toBe('127.0.0.3');
  });
});
