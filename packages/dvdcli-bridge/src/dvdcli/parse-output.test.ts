import { describe, expect, it } from 'vitest';
import { versionText } from '../dvdcli-command/version.ts';
import { readPath, readRun, type RunResult } from './parse-output.ts';
import { kindOf } from './version.ts';

const run = (over: Partial<RunResult>): RunResult => ({
  exitCode: 1,
  stdout: '',
  stderr: '',
  timedOut: false,
  startFailure: undefined,
  ...over,
});
const failed = (message: string, exitCode = 1): RunResult =>
  run({ exitCode, stderr: `time="2026-11-22T11:01:42Z" level=error msg="${message}" volumeName=v1 \n` });

describe('one run of dvdcli', () => {
  it('is fine at exit 0', () => {
    expect(readRun(run({ exitCode: 0, stdout: '/mnt/v1\n' }))).toEqual({ kind: 'ok', stdout: '/mnt/v1' });
  });
  it.each([
    ['unknown flag: --explicitCreate\nUsage:\n  dvdcli mount [flags]', 0],
    ['Error: unknown command "mout" for "dvdcli"', 0],
    ['time="…" level=error msg="Missing volume name"', 64],
  ])('is wrong usage, whatever its exit code: %j', (stderr, exitCode) => {
    expect(readRun(run({ exitCode, stderr }))).toMatchObject({ code: 'invalid', certain: true });
  });
  it.each([
    ['Error: unknown flag: --explicitCreate\nUsage:\n  dvdcli mount [flags]\n\nFlags:\n', ''],
    [
      'Usage:\n  dvdcli [flags]\n  dvdcli [command]\n\nAvailable Commands:\n  create\n',
      'unknown flag: --x\n',
    ],
    ['Usage:\n  /usr/bin/dvdcli [flags]\n', ''],
    ['Error: unknown command "mout" for "dvdcli"\nRun \'dvdcli --help\' for usage.\n', ''],
    ['time="2026-11-22T11:01:42Z" level=warning msg=x \nUsage: \n  dvdcli unmount [flags]\n', ''],
    ['', 'Error: invalid argument "maybe" for --explicitcreate\n'],
    ['', 'flag needs an argument: --volumename\n'],
  ])('that printed its usage on standard output did nothing, though it exits 0: %j', (stdout, stderr) => {
    const meaning = readRun(run({ exitCode: 0, stdout, stderr }));
    expect(meaning).toMatchObject({ kind: 'failed', code: 'invalid', certain: true });
    expect(meaning).not.toMatchObject({ says: '' });
  });
  it('is no usage where a volume has such a name, or the log has such a line', () => {
    const stdout = 'Usage\nusage-of-dvdcli\nerror\n';
    expect(readRun(run({ exitCode: 0, stdout }))).toMatchObject({ kind: 'ok' });
    const stderr = 'Usage: statistics are sent home\n';
    expect(readRun(run({ exitCode: 0, stdout: '/mnt/v1\n', stderr }))).toMatchObject({ kind: 'ok' });
  });
  it.each([
    ['VolumeDriver.Get: volume not found', 'not-found', true],
    ['VolumeDriver.Mount: volume is already mounted by this id', 'conflict', true],
    ['VolumeDriver.Mount: volume v1 is attached to instance a1 (pid 7, alive)', 'attached-elsewhere', true],
    ['VolumeDriver.Remove: volume is in use', 'in-use', true],
    ['Error looking up volume plugin X: plugin not found', 'driver-not-found', true],
    ['dial unix /run/docker/plugins/x.sock: connect: connection refused', 'driver-unavailable', true],
    ['Post http://x/VolumeDriver.Mount: http: ContentLength=14 with Body length 0', 'driver-error', false],
    ['Post http://x/VolumeDriver.Mount: EOF', 'driver-error', false],
    ['something nobody has ever seen', 'driver-error', false],
  ])('that failed with %j', (message, code, certain) => {
    expect(readRun(failed(message))).toMatchObject({ kind: 'failed', code, certain, says: message });
  });
  it.each([
    'VolumeDriver.Mount got an answer that makes no sense: <h1>404 Not Found</h1>',
    'VolumeDriver.Remove got an answer that makes no sense: volume is in use',
    'VolumeDriver.Mount: <html><title>404 Not Found</title></html>',
    'VolumeDriver.Mount: <html>Bad Gateway: no such volume</html>',
    'VolumeDriver.Mount: 504 Gateway Time-out',
    'VolumeDriver.Mount: HTTP status 502',
    'VolumeDriver.Mount: {"Mountpoint":"/not found"}',
    'VolumeDriver.Mount: ',
    "invalid character '<' looking for beginning of value: already mounted",
    'json: cannot unmarshal number into Go struct field .Err: plugin not found',
    'the connection broke during VolumeDriver.Mount: the answer cannot be read: device is busy',
    'VolumeDriver.Mount was not answered within 20 ms: no such volume',
    'Post http://x/VolumeDriver.Mount: net/http: request canceled (Client.Timeout exceeded): not found',
    'Post http://x/VolumeDriver.Mount: read: connection reset by peer: plugin not found',
  ])('whose end nobody saw is not certain, whatever words are in it: %j', (message) => {
    const meaning = readRun(run({ stderr: `level=error msg=${JSON.stringify(message)}\n` }));
    expect(meaning).toMatchObject({ kind: 'failed', code: 'driver-error', certain: false });
  });
  it.each([
    ['Post http://x/Plugin.Activate: EOF', 'driver-unavailable'],
    ['plugin does not implement the requested driver', 'not-a-volume-driver'],
  ])('that ended before the driver was asked did nothing: %j', (why, code) => {
    expect(readRun(failed(`Error looking up volume plugin x: ${why}`))).toMatchObject({
      code,
      certain: true,
    });
  });
  it.each([
    [
      'Error looking up volume plugin X: Plugin does not implement the requested driver',
      'not-a-volume-driver',
    ],
    [
      'Error looking up volume plugin X: driver X: the plugin does not implement VolumeDriver',
      'not-a-volume-driver',
    ],
    [
      'Error looking up volume plugin X: driver X: the plugin directory /p may not be read by this user',
      'permission',
    ],
    [
      'Error looking up volume plugin X: driver X: the managed plugin is disabled; run: docker plugin enable X',
      'driver-disabled',
    ],
    [
      'Error looking up volume plugin X: driver X: the plugin file /p/X.json cannot be used: it has no Addr',
      'driver-unavailable',
    ],
    ['Error looking up volume plugin X: Plugin.Activate: HTTP status 500', 'driver-unavailable'],
  ])('that could not look the driver up asked it nothing: %j', (message, code) => {
    expect(readRun(failed(message))).toMatchObject({ code, certain: true, says: message });
  });
  it('that crashed, was killed or ran out of time may have done anything', () => {
    expect(readRun(failed('panic: runtime error', 2))).toMatchObject({ certain: false });
    expect(readRun(run({ exitCode: undefined }))).toMatchObject({ certain: false });
    expect(readRun(run({ exitCode: undefined, timedOut: true }))).toMatchObject({ code: 'time-limit' });
  });
  it('that never started did nothing', () => {
    expect(readRun(run({ exitCode: undefined, startFailure: 'ENOENT' }))).toMatchObject({ certain: true });
  });
});

describe('what the program says it is', () => {
  it.each([
    ['Binary: /usr/bin/dvdcli\nSemVer: 0.2.1\nOsArch: Linux-x86_64', 'original'],
    ['Binary: /usr/bin/dvdcli\nSemVer: 0.1.0\nOsArch: Linux-x86_64', 'too-old'],
    ['Binary: x\nSemVer: \nOsArch: ', 'original'],
    ['SemVer: 0.10.0', 'original'],
    ['', 'original'],
    [versionText('x'), 'ours'],
  ])('%j', (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });
});

describe('output with a log in it', () => {
  it('is read without the log', () => {
    const log = 'time="2026-11-22T11:01:42Z" level=info msg="/mnt/v1" ';
    for (const stdout of [`${log}\n/mnt/v1\n`, `/mnt/v1\n\u001b[34mINFO\u001b[0m[0000] /mnt/v1\n`])
      expect(readRun(run({ exitCode: 0, stdout }))).toEqual({ kind: 'ok', stdout: '/mnt/v1' });
  });
  it('names a missing plugin, whatever is said after that', () => {
    const stderr =
      'level=info msg="Error looking up volume plugin x: plugin not found"\nlevel=error msg="start it"\n';
    expect(readRun(run({ stderr }))).toMatchObject({ code: 'driver-not-found', certain: true });
  });
});

describe('the path', () => {
  it.each([
    ['/mnt/v1', '/mnt/v1'],
    ['', undefined],
    ['mnt/v1', undefined],
    ['/mnt/v1\n/mnt/v2', undefined],
  ])('in %j', (stdout, path) => {
    expect(readPath(stdout)).toBe(path);
  });
});
