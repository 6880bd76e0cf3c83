/** Inputs that are nearly right: what is wholly random never gets past the first character of a parser. */
import type { Random } from '../sim/random.ts';

const TOKENS = [
  ...[
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '=',
    '/',
    '..',
    '\n',
    '\r\n',
    '\r',
    '\t',
    ' ',
    '\0',
    '-',
    '--',
    '%00',
  ],
  ...['null', 'true', 'false', '0', '-1', '1e999', '""', '{}', '[]', '[null]', '{"Err":""}', '{"Err":"x"}'],
  ...[
    'Err',
    'err',
    'Mountpoint',
    'mountpoint',
    'Volume',
    'Name',
    'Volumes',
    'Status',
    'Mounts',
    'Implements',
  ],
  ...[
    '/tmp',
    '/',
    '',
    'tmp',
    '//tmp',
    '/tmp/',
    '/tmp\n/tmp',
    '/tmp ',
    '/proc',
    '/nowhere',
    'unix://',
    'tcp://',
    'https://',
  ],
  ...[
    'volume1',
    'VOLUME1',
    'volume2',
    'already mounted',
    'not found',
    'in use',
    'plugin not found',
    'Usage:',
    'msg=',
  ],
  ...[
    '\ud800',
    '\u2028',
    'é',
    '😀',
    '\ufeff',
    '__proto__',
    'constructor',
    'toString',
    '\x1b[31m',
    'x'.repeat(300),
  ],
  ...[
    '99999999m',
    '--timeout=9999999',
    'HTTP/1.1 200 OK',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'ffffffff',
    '0\r\n\r\n',
    ' - ',
    '\\040',
    '\\999',
  ],
];

/** A text, cut, joined, doubled and salted in some places. */
export function mutated(random: Random, text: string): string {
  let result = text;
  for (let changes = random.below(4); changes > 0; changes -= 1) {
    const at = random.below(result.length + 1);
    const to = Math.min(result.length, at + random.below(12));
    switch (random.below(6)) {
      case 0:
        result = result.slice(0, at) + result.slice(to);
        break;
      case 1:
        result = result.slice(0, at);
        break;
      case 2:
        result = result.slice(0, to) + result.slice(at);
        break;
      case 3:
        result = result.slice(0, at) + String.fromCharCode(random.below(256)) + result.slice(at + 1);
        break;
      default:
        result = result.slice(0, at) + random.pick(TOKENS) + result.slice(random.chance(0.5) ? at : to);
    }
  }
  return result;
}

const KEYS = [
  ...[
    'Err',
    'err',
    'Error',
    'Mountpoint',
    'MOUNTPOINT',
    'Volume',
    'Volumes',
    'Name',
    'Status',
    'Mounts',
    'Implements',
  ],
  ...['Addr', 'TLSConfig', 'CAFile', 'InsecureSkipVerify', '__proto__', 'constructor', ''],
];

/** Any JSON value, made of the words that plugins use. */
export function jsonValue(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 3 ? 5 : 9);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick([0, -1, 1.5, 1e21, 9007199254740993]);
  if (kind < 5) return random.pick(TOKENS);
  if (kind === 5) return Array.from({ length: random.below(4) }, () => jsonValue(random, depth + 1));
  const entries = Array.from({ length: random.below(5) }, () => [
    random.pick(KEYS),
    jsonValue(random, depth + 1),
  ]);
  return Object.fromEntries(entries);
}

export function words(random: Random, count: number): readonly string[] {
  return Array.from({ length: count }, () => random.pick(TOKENS));
}
