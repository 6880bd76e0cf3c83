import { decodeDvdiVariables, DvdiVariablesError, encodeDvdiVariables } from '@mesos-elasticsearch/contract';
import {
  isVerb,
  judgeMountpointPath,
  logLine,
  parseCommandLine,
  parseJsonFile,
  parseMountTable,
  parseSpecFile,
  readPath,
  readRun,
  UsageError,
  type PluginEndpoint,
  type RunResult,
} from '@mesos-elasticsearch/dvdcli-bridge/parsers';
import type { Random } from '../sim/random.ts';
import { jsonValue, mutated, words } from './material.ts';
import type { Fuzzed } from './targets.ts';

const SPECS = ['unix:///run/x.sock', 'tcp://localhost:7979\n', 'https://[::1]:80/', ' http://h ', 'x'];
const JSON_FILES = [
  '{"Name":"x","Addr":"unix:///run/x.sock"}',
  '{"Addr":"https://h:1","TLSConfig":{"CAFile":"/ca","CertFile":"/c","KeyFile":"/k","InsecureSkipVerify":false}}',
  '{"Addr":"https://h:1","TLSConfig":{"InsecureSkipVerify":true}}',
];

/** Refusing is fine, if it is said what is wrong; an error of the engine that runs this is none that was meant. */
function endpointFault(read: () => PluginEndpoint): string | undefined {
  try {
    const endpoint = read();
    if (endpoint.kind === 'unix') return endpoint.socketPath === '' ? 'a socket without a path' : undefined;
    return /^https?:$/.test(endpoint.url.protocol) ? undefined : `the scheme ${endpoint.url.protocol}`;
  } catch (error) {
    if (!(error instanceof Error)) return 'threw what is no error';
    if (error instanceof TypeError || error instanceof RangeError) return `${error.name}: ${error.message}`;
    return error.message === '' ? 'an error without words' : undefined;
  }
}

export const specFileTarget = (random: Random): Fuzzed => {
  const input = mutated(random, random.pick(SPECS));
  return { input, check: () => endpointFault(() => parseSpecFile(input)) };
};

export const jsonFileTarget = (random: Random): Fuzzed => {
  const input = random.chance(0.3)
    ? JSON.stringify(jsonValue(random))
    : mutated(random, random.pick(JSON_FILES));
  return {
    input,
    check: () =>
      endpointFault(() => {
        const endpoint = parseJsonFile(input);
        const unchecked = endpoint.kind === 'tcp' && endpoint.tls?.insecureSkipVerify === true;
        if (unchecked && !/InsecureSkipVerify/i.test(input))
          throw new RangeError('unchecked, and nobody asked for it');
        return endpoint;
      }),
  };
};

export const pathTarget = (random: Random): Fuzzed => {
  const input = mutated(random, random.pick(['/tmp', '/var/lib/rexray/volumes/v/data', '', 'x', '/']));
  return {
    input,
    check() {
      const verdict = judgeMountpointPath(input);
      if (verdict.kind === 'bad') return undefined;
      const fine = /^\/[^\n\r\0]+$/.test(verdict.path) && !/(^|\/)\.{1,2}(\/|$)/.test(verdict.path);
      return fine ? undefined : `took it for ${JSON.stringify(verdict.path)}`;
    },
  };
};

const TABLE =
  '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n' +
  '37 35 0:44 / /var/lib/a\\040b rw - fuse.rclone store: rw\n';

export const mountTableTarget = (random: Random): Fuzzed => {
  const input = mutated(random, TABLE);
  return {
    input,
    check() {
      const odd = parseMountTable(input).find((entry) => typeof entry.mountPoint !== 'string');
      return odd === undefined ? undefined : 'an entry without a mount point';
    },
  };
};

const STDOUTS = [
  '/tmp\n',
  '',
  '\n',
  'tmp\n',
  '/tmp\n/tmp\n',
  'time="x" level=info msg=y \n/tmp\n',
  'INFO[0000] y\n/tmp\n',
];
const STDERRS = [
  '',
  'time="2026-11-22T11:01:42Z" level=error msg="VolumeDriver.Get: volume not found" volumeName=v1 \n',
  'Usage:\n  dvdcli mount [flags]\n',
  'Error: unknown command "mout" for "dvdcli"\n',
  'panic: runtime error: index out of range\n',
  'time="x" level=info msg="Error looking up volume plugin X: plugin not found" volumeDriver=X \n',
];

export const runTarget = (random: Random): Fuzzed => {
  const input: RunResult = {
    exitCode: random.pick([0, 0, 0, 1, 1, 2, 64, 137, undefined]),
    stdout: mutated(random, random.pick(STDOUTS)),
    stderr: mutated(random, random.pick(STDERRS)),
    timedOut: random.chance(0.05),
    startFailure: random.chance(0.05) ? 'ENOENT' : undefined,
  };
  return {
    input,
    check() {
      const meaning = readRun(input);
      if (meaning.kind === 'failed') {
        const fate = input.startFailure === undefined && (input.timedOut || input.exitCode === undefined);
        return meaning.certain && fate && !/^(Usage:|Error: |unknown)/m.test(input.stderr)
          ? 'certain of what nobody saw the end of'
          : undefined;
      }
      if (input.exitCode !== 0 || input.timedOut || input.startFailure !== undefined)
        return 'a failure that is fine';
      const path = readPath(meaning.stdout);
      return path === undefined || /^\/[^\n\r\0]*$/.test(path) ? undefined : 'a path that is none';
    },
  };
};

const ARGV = [
  ['mount', '--volumedriver=rexray', '--volumename=volume1', '--volumeopts=size=1,a=b'],
  ['--volumedriver', 'rexray', 'unmount', '--volumename', 'volume1', '--mountid', 'x', '--timeout=5s'],
  ['create', '--volumedriver=vieux/sshfs:latest', '--volumename=volume1', '--json', '--volumeopts', 'a=b=c'],
  ['mount', '--explicitCreate=true', '--explicitcreate', '--volumedriver=x', '--volumename=xy'],
  ['list', '-h'],
];

export const argvTarget = (random: Random): Fuzzed => {
  const input = random
    .pick(ARGV)
    .map((word) => (random.chance(0.3) ? mutated(random, word) : word))
    .concat(words(random, random.below(3)));
  return {
    input,
    check() {
      try {
        const line = parseCommandLine(input);
        if (!(line.timeLimitMs > 0 && line.timeLimitMs <= 86_400_000)) return 'no time limit';
        if (Object.keys(line.options).some((key) => key === '' || /[,=]/.test(key)))
          return 'an option without a key';
        if (!isVerb(line.command) || line.driver === '') return undefined;
        const names = /^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*(?::[A-Za-z0-9][\w.-]*)?$/;
        if (!names.test(line.driver) || line.driver.includes('..')) return `the driver ${line.driver}`;
        return line.command === 'list' || /^[A-Za-z0-9][\w.-]+$/.test(line.volume) ? undefined : 'a bad name';
      } catch (error) {
        return error instanceof UsageError ? undefined : String(error);
      }
    },
  };
};

const DVDI_NAMES = ['NAME', 'DRIVER', 'OPTS', 'CONTAINERPATH', 'DVDCLI', 'EXPLICITCREATE'];
const DVDI_VALUES = ['volume1', 'rexray', 'size=5,newfstype=ext4', '/data', '/usr/bin/dvdcli', 'true'];

/** What is read strictly can be sent, and is read again as the same. */
export const dvdiVariablesTarget = (random: Random): Fuzzed => {
  const usual = random.pick(['', '1', '2']);
  const input = Object.fromEntries(
    DVDI_NAMES.flatMap((name, at): [string, string][] => {
      if (random.chance(0.1)) return [];
      const suffix = random.chance(0.9) ? usual : random.pick(['', '0', '1', '10']);
      const variable = `DVDI_VOLUME_${name}${suffix}`;
      const value = DVDI_VALUES[at] ?? '';
      const odd = random.chance(0.05);
      return [
        [odd ? mutated(random, variable) : variable, random.chance(0.3) ? mutated(random, value) : value],
      ];
    }),
  );
  return {
    input,
    check() {
      try {
        decodeDvdiVariables(input, 'compat');
      } catch (error) {
        if (!(error instanceof DvdiVariablesError)) return String(error);
      }
      try {
        const { mounts } = decodeDvdiVariables(input);
        const again = decodeDvdiVariables(encodeDvdiVariables(mounts)).mounts;
        return JSON.stringify(again) === JSON.stringify(mounts)
          ? undefined
          : 'is another one when it is sent';
      } catch (error) {
        return error instanceof DvdiVariablesError ? undefined : String(error);
      }
    },
  };
};

export const logTarget = (random: Random): Fuzzed => {
  const input = mutated(random, random.pick(['volume not found', '/tmp', '']));
  return {
    input,
    check() {
      const line = logLine('error', input, new Date(0), { volumeName: input });

      const one = line.endsWith(' \n') && !/[\x00-\x1f\x7f\u2028\u2029]/.test(line.slice(0, -1));
      return one ? undefined : 'more than one line';
    },
  };
};
