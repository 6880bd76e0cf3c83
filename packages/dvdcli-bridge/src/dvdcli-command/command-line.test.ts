import { describe, expect, it } from 'vitest';
import { driverNameSchema, volumeName } from '@mesos-elasticsearch/contract';
import { isDriverName, isVolumeName } from '../names.ts';
import { parseCommandLine } from './command-line.ts';
import { UsageError } from './flags.ts';
import { logLine } from './log-line.ts';

const named = ['--volumedriver=rexray', '--volumename', 'vol1'];

describe('the command line', () => {
  it('takes flags before and after the command, in both spellings, and ignores further words', () => {
    const line = parseCommandLine(['--volumedriver=x', 'mount', ...named, 'and', 'more']);
    expect(line).toMatchObject({ command: 'mount', driver: 'rexray', volume: 'vol1', explicitCreate: false });
  });
  it.each([
    [['--explicitcreate'], true],
    [['--explicitCreate=true'], true],
    [['--explicitcreate=0'], false],
    [['--explicitcreate', 'true'], true],
    [['--explicitcreate', 'false'], true],
    [['--explicitcreate=false', '--explicitcreate'], true],
  ])('reads %j', (flags, wanted) => {
    expect(parseCommandLine(['mount', ...named, ...flags]).explicitCreate).toBe(wanted);
  });
  it('cuts options at commas, then at the first "="; the last of a key counts', () => {
    const flags = ['--volumeopts=size=1,url=a=b=c,', '--volumeopts', 'size=2', '--volumeopts=empty='];
    expect(parseCommandLine(['create', ...named, ...flags]).options).toEqual({
      size: '2',
      url: 'a=b=c',
      empty: '',
    });
  });
  it.each([
    ['an unknown command', ['mout', ...named]],
    ['an unknown flag', ['mount', ...named, '--force']],
    ['a flag without its value', ['mount', '--volumedriver']],
    ['a bad boolean', ['mount', ...named, '--explicitcreate=maybe']],
    ['an option without "="', ['mount', ...named, '--volumeopts=size']],
    ['no name', ['mount', '--volumedriver=rexray']],
    ['a driver that is a path', ['mount', '--volumedriver=../plugins/fake', '--volumename=vol1']],
    ['a name that is a path', ['mount', '--volumedriver=rexray', '--volumename=bad/../name']],
  ])('refuses %s', (_, argv) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError);
  });
  it('lists without a volume name, and shows its usage for nothing', () => {
    expect(parseCommandLine(['list', '--volumedriver=rexray']).command).toBe('list');
    expect(parseCommandLine([]).command).toBe('usage');
    expect(parseCommandLine(['help']).command).toBe('help');
  });
});

describe('further flags', () => {
  it.each([
    ['90', 90_000],
    ['1.5m', 90_000],
    ['500ms', 500],
    ['2s', 2_000],
  ])('read the time limit %s', (text, ms) => {
    expect(parseCommandLine(['mount', ...named, '--timeout', text]).timeLimitMs).toBe(ms);
  });
  it.each(['0', '-1', '', 'soon', '1h', '99999m', '1e3', 'NaN'])('refuse the time limit %j', (text) => {
    expect(() => parseCommandLine(['mount', ...named, `--timeout=${text}`])).toThrow(UsageError);
  });
  it('take a value whatever it looks like, as the original does', () => {
    expect(parseCommandLine(['mount', ...named, '--mountid', '--json'])).toMatchObject({
      mountId: '--json',
      json: false,
    });
  });
  it('stay below the time after which Mesos kills a mount, if nothing is said', () => {
    expect(parseCommandLine(['mount', ...named]).timeLimitMs).toBeLessThan(110_000);
  });
});

describe('the log line', () => {
  it('has the original’s shape', () => {
    const at = new Date('2026-11-22T11:01:42.123Z');
    expect(logLine('error', 'volume not found', at, { volumeName: 'v1' })).toBe(
      'time="2026-11-22T11:01:42Z" level=error msg="volume not found" volumeName=v1 \n',
    );
    expect(logLine('info', 'v1', at)).toBe('time="2026-11-22T11:01:42Z" level=info msg=v1 \n');
  });
  it.each([
    ['', ''],
    ['a b"\\', '"a b\\"\\\\"'],
    ['two\nlines\t\x00\x7f', '"two\\nlines\\t\\x00\\x7f"'],
    ['ä €', '"ä €"'],
    ['\u2028\u00a0\u{e0001}\ud800', '"\\u2028\\u00a0\\U000e0001\ufffd"'],
  ])('is one line, quoted as Go quotes: %j', (text, quoted) => {
    expect(logLine('info', text, new Date(0))).toBe(
      `time="1970-01-01T00:00:00Z" level=info msg=${quoted} \n`,
    );
  });
});

describe('names', () => {
  const accepted = (parse: () => unknown): boolean => {
    try {
      parse();
      return true;
    } catch {
      return false;
    }
  };
  it.each([
    'a',
    'ab',
    'a'.repeat(255),
    'a'.repeat(256),
    '-a',
    '.a',
    'a/b',
    'a b',
    'a.b_c-1',
    'ä1',
    '',
    'a\n',
  ])('follow the contract’s rules: %j', (text) => {
    expect(isVolumeName(text)).toBe(accepted(() => volumeName(text)));
    expect(isDriverName(text)).toBe(driverNameSchema.safeParse(text).success);
  });
});
