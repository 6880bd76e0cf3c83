import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { leadingChild, MasterInfoError, masterUrls } from './group.ts';

interface Shown {
  readonly kind: string;
  readonly command: string;
  readonly output: string;
}
/** What ZooKeeper's own client showed beside real masters: command → the last line of its output. */
const recorded = new Map(
  readFileSync(
    new URL('../../../../test/fixtures/recordings/12-zookeeper-leader-election.jsonl', import.meta.url),
    'utf8',
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Shown)
    .filter(({ kind }) => kind === 'zookeeper')
    .map(({ command, output }) => [command, output.trim().split('\n').at(-1) ?? '']),
);
const namesIn = (list: string) => list.replace(/[[\]\s]/g, '').split(',');
const bytes = (text: string) => new TextEncoder().encode(text);
const hrefs = (child: string, data: Uint8Array) => masterUrls(child, data).map(({ href }) => href);

describe('the group of masters', () => {
  it('is led as a real one was, before and after its leader died', () => {
    expect(recorded.get('get /mesos/json.info_0000000000')).toContain('"port":5060');
    // The recording lists the group twice; the later one is without the dead leader.
    expect(leadingChild(namesIn(recorded.get('ls /mesos')!))).toBe('json.info_0000000002');
    expect(leadingChild(['json.info_0000000002', 'json.info_0000000000', 'log_replicas'])).toBe(
      'json.info_0000000000',
    );
    expect(hrefs('json.info_0000000000', bytes(recorded.get('get /mesos/json.info_0000000000')!))).toEqual([
      'http://127.0.0.1:5060/',
      'http://localhost:5060/',
    ]);
    expect(hrefs('json.info_0000000002', bytes(recorded.get('get /mesos/json.info_0000000002')!))[0]).toBe(
      'http://127.0.0.1:5061/',
    );
  });

  it.each([
    [[], undefined],
    [['log_replicas'], undefined],
    [['info_0000000007', 'json.info_0000000009'], 'info_0000000007'],
    [['info_0000000009', 'json.info_0000000007'], 'json.info_0000000007'],
    [['0000000003', 'json.info_0000000007'], '0000000003'],
    [['json.info_0000000010', 'json.info_0000000009'], 'json.info_0000000009'],
    [['json.info_2147483647', 'json.info_-2147483648'], 'json.info_-2147483648'],
    [['json.info_', 'json.info_12x', 'json.info'], undefined],
  ])('%j is led by %s', (children, leader) => {
    expect(leadingChild(children)).toBe(leader);
  });
});

describe('a master in JSON', () => {
  it.each([
    [
      'an address',
      { ip: 1, port: 1, address: { ip: '10.0.0.1', hostname: 'm1', port: 5050 } },
      ['http://10.0.0.1:5050/', 'http://m1:5050/'],
    ],
    [
      'no address: the integer, first byte lowest',
      { ip: 0x0100000a, port: 5050, hostname: 'm1' },
      ['http://10.0.0.1:5050/', 'http://m1:5050/'],
    ],
    ['an integer above 2^31', { ip: 0xfe01a8c0, port: 5050 }, ['http://192.168.1.254:5050/']],
    ['every address', { address: { ip: '0.0.0.0', hostname: 'm1', port: 5050 } }, ['http://m1:5050/']],
    [
      'localhost somewhere else',
      { address: { ip: '10.0.0.1', hostname: 'localhost', port: 5050 } },
      ['http://10.0.0.1:5050/'],
    ],
    ['IPv6', { address: { ip: 'fd00::1', port: 5050 } }, ['http://[fd00::1]:5050/']],
    ['its name twice', { hostname: '10.0.0.1', address: { ip: '10.0.0.1', port: 80 } }, ['http://10.0.0.1/']],
  ])('with %s', (_, info, expected) => {
    expect(hrefs('json.info_0000000001', bytes(JSON.stringify(info)))).toEqual(expected);
  });

  it.each([
    ['text', 'master@10.0.0.1:5050'],
    ['nothing', ''],
    ['no port', '{"ip":1}'],
    ['no host', '{"ip":0,"port":5050}'],
    ['a wrong type', '{"ip":"10.0.0.1","port":5050}'],
    ['a host that is none', '{"hostname":"a b","port":5050}'],
  ])('that is %s is refused', (_, text) => {
    expect(() => masterUrls('json.info_0000000001', bytes(text))).toThrow(MasterInfoError);
  });
});

describe('a master in protobuf', () => {
  const schema = protobuf
    .parse(
      `
    syntax = "proto2";
    message Address { optional string hostname = 1; optional string ip = 2; required int32 port = 3; }
    message Capability { optional int32 type = 1; }
    message MasterInfo {
      required string id = 1; required uint32 ip = 2; required uint32 port = 3; optional string pid = 4;
      optional string hostname = 5; optional string version = 6; optional Address address = 7;
      repeated Capability capabilities = 9;
    }`,
    )
    .root.lookupType('MasterInfo');
  const encode = (info: object) => schema.encode(schema.fromObject(info)).finish();
  const old = { id: 'x', ip: 16777343, port: 5060, pid: 'master@127.0.0.1:5060' };

  it('is found by integer and port, and by address where it has one', () => {
    expect(hrefs('info_0000000001', encode(old))).toEqual(['http://127.0.0.1:5060/']);
    const address = { hostname: 'm1', ip: '10.0.0.1', port: 5051 };
    const newer = { ...old, hostname: 'm0', version: '1.3.2', address, capabilities: [{ type: 1 }] };
    expect(hrefs('info_0000000001', encode(newer))).toEqual(['http://10.0.0.1:5051/', 'http://m1:5051/']);
  });

  it('cut short is refused', () => {
    const whole = encode({ ...old, hostname: 'a-long-name' });
    expect(() => masterUrls('info_0000000001', whole.subarray(0, whole.length - 3))).toThrow(MasterInfoError);
    expect(() => masterUrls('info_0000000001', bytes(''))).toThrow(MasterInfoError);
  });
});

describe('the oldest form', () => {
  it('is a pid', () => {
    expect(hrefs('0000000001', bytes('master@10.0.0.1:5050'))).toEqual(['http://10.0.0.1:5050/']);
    expect(() => masterUrls('0000000001', bytes('{}'))).toThrow(MasterInfoError);
  });
});

it('refuses a label that is not known', () => {
  expect(() => masterUrls('yaml.info_0000000001', bytes('{}'))).toThrow(/yaml\.info/);
});
