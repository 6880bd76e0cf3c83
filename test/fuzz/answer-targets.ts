import {
  answerReader,
  readAnswer,
  readGet,
  readList,
  readManagedPlugins,
  readMountpoint,
  type AnswerReading,
} from '@mesos-elasticsearch/dvdcli-bridge/parsers';
import type { Random } from '../sim/random.ts';
import { jsonValue, mutated } from './material.ts';
import { httpAnswer, pluginAnswer, VOLUME, type PluginAnswer } from './plugin-material.ts';
import type { Fuzzed, Target } from './targets.ts';

const asIs = (path: string): string => path;

/** What Go would make of it, the slow and plain way: the judge of ours. */
function plainReading({ status, body }: PluginAnswer): Readonly<Record<string, unknown>> | undefined {
  if (status !== 200) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const errors = Object.entries(value).filter(([key]) => key.toLowerCase() === 'err');
  // Of two spellings the exact one counts.
  const error = (errors.find(([key]) => key === 'Err') ?? errors[0])?.[1] as unknown;
  return typeof error === 'string' && error !== '' ? undefined : (value as Record<string, unknown>);
}

const onAnswer =
  (check: (given: PluginAnswer) => string | undefined): Target =>
  (random): Fuzzed => {
    const input = pluginAnswer(random);
    return { input, check: () => check(input) };
  };

export const answerTarget = onAnswer((given) => {
  const answer = readAnswer(given.status, given.body);
  if (answer.kind === 'ok') return plainReading(given) === undefined ? 'ok without a success' : undefined;
  return typeof answer.says === 'string' ? undefined : 'words that are no text';
});

export const mountpointTarget = onAnswer((given) => {
  const answer = readMountpoint(readAnswer(given.status, given.body), asIs);
  if (answer.kind === 'refused') return undefined;
  if (typeof answer.value !== 'string') return 'a mountpoint that is no text';
  const plain = plainReading(given);
  if (plain === undefined) return 'a mountpoint without a success';
  return answer.value === '' || JSON.stringify(plain).includes(JSON.stringify(answer.value))
    ? undefined
    : 'a mountpoint that nobody gave';
});

export const getTarget = onAnswer((given) => {
  const answer = readGet(VOLUME, given.status, given.body, asIs);
  if (answer.kind === 'refused') return undefined;
  if (answer.value.kind === 'absent' && answer.value.certain && plainReading(given) === undefined)
    return 'certainly absent without a success';
  if (answer.value.kind !== 'present') return undefined;
  const { volume } = answer.value;
  if (plainReading(given) === undefined) return 'present without a success';
  if (volume.name !== VOLUME) return 'another volume';
  if (!given.body.toLowerCase().includes(VOLUME)) return 'a name that nobody gave';
  return typeof volume.mountpoint === 'string' ? undefined : 'a mountpoint that is no text';
});

export const listTarget = onAnswer((given) => {
  const answer = readList(readAnswer(given.status, given.body), asIs);
  if (answer.kind === 'refused') return undefined;
  if (plainReading(given) === undefined) return 'a list without a success';
  const fine = answer.value.every(({ name, mountpoint }) => name !== '' && typeof mountpoint === 'string');
  return fine ? undefined : 'a volume without a name';
});

function readInPieces(bytes: Buffer, sizes: () => number): AnswerReading {
  const reader = answerReader(1 << 16);
  for (let at = 0; at < bytes.length;) {
    const size = sizes();
    const reading = reader.take(bytes.subarray(at, at + size));
    if (reading.kind !== 'more') return reading;
    at += size;
  }
  return reader.end();
}

export const httpTarget = (random: Random): Fuzzed => {
  const bytes = httpAnswer(random, pluginAnswer(random));
  const sizes = Array.from({ length: 8 }, () => 1 + random.below(40));
  let next = 0;
  return {
    input: bytes.toString('latin1'),
    check() {
      const whole = readInPieces(bytes, () => Math.max(1, bytes.length));
      const pieces = readInPieces(bytes, () => sizes[(next += 1) % sizes.length] ?? 1);
      if (whole.kind === 'more' || pieces.kind === 'more') return 'neither whole nor broken at its end';
      if (whole.kind !== pieces.kind) return `whole: ${whole.kind}, in pieces: ${pieces.kind}`;
      if (whole.kind !== 'complete' || pieces.kind !== 'complete') return undefined;
      if (whole.body !== pieces.body || whole.status !== pieces.status) return 'another answer in pieces';
      return whole.status >= 200 && whole.status <= 999 ? undefined : `the status ${whole.status}`;
    },
  };
};

const PLUGINS = JSON.stringify([
  {
    Id: 'a'.repeat(64),
    Name: 'vieux/sshfs:latest',
    Enabled: true,
    Config: {
      Interface: { Socket: 'sshfs.sock', Types: ['docker.volumedriver/1.0'] },
      PropagatedMount: '/mnt',
    },
  },
]);

export const managedTarget = (random: Random): Fuzzed => {
  const input = random.chance(0.2) ? JSON.stringify(jsonValue(random)) : mutated(random, PLUGINS);
  return {
    input,
    check() {
      const plugins = readManagedPlugins(input);
      const odd = plugins?.find(({ id }) => typeof id !== 'string' || /[/\0]|^\.*$/.test(id));
      return odd === undefined ? undefined : 'an ID that walks away';
    },
  };
};
