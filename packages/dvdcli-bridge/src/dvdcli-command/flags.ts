/**
 * The original's way with flags (Go's pflag): `--name value` and `--name=value`, before and after the command, a
 * value taken whatever it looks like; `--` ends them. Pure.
 */

export type FlagKind = 'text' | 'boolean';

export interface ScannedWords {
  /** Values by flag, in the order given; a boolean without a value is `true`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

/** The call itself is wrong; the original prints its usage and exits 0, which callers take for success. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError naming the flag that is unknown or lacks its value */
export function scanFlags(argv: readonly string[], kinds: ReadonlyMap<string, FlagKind>): ScannedWords {
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') {
      words.push(...argv.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      continue;
    }
    const { name, value } = splitFlag(word);
    const kind = kinds.get(name);
    if (kind === undefined) throw new UsageError(`unknown flag ${JSON.stringify(word)}`);
    const given = flags.get(name) ?? [];
    flags.set(name, given);
    if (value !== undefined) given.push(value);
    else if (kind === 'boolean') given.push('true');
    else {
      at += 1;
      const next = argv[at];
      if (next === undefined) throw new UsageError(`the flag --${name} needs a value`);
      given.push(next);
    }
  }
  return { flags, words };
}

function splitFlag(word: string): { name: string; value: string | undefined } {
  const name = word === '-h' ? 'help' : word.startsWith('--') ? word.slice(2) : word;
  const cut = name.indexOf('=');
  return cut < 0 ? { name, value: undefined } : { name: name.slice(0, cut), value: name.slice(cut + 1) };
}

/** As Go's strconv.ParseBool reads it. */
export function parseBoolean(flag: string, text: string): boolean {
  if (isTrue(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new UsageError(`--${flag} takes true or false, not ${JSON.stringify(text)}`);
}

export function isTrue(text: string): boolean {
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const LONGEST_MS = 24 * 60 * 60_000;

/** `90`, `90s`, `1.5m`, `500ms`: seconds where no unit is given. In milliseconds; more than 0, at most a day. */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m)?$/.exec(text);
  const ms = Math.round(Number(match?.[1]) * (UNIT_MS[match?.[2] ?? 's'] ?? 0));
  if (match === null || ms < 1 || ms > LONGEST_MS)
    throw new UsageError(`--${flag} takes a time such as 90s, 2m or 500ms, not ${JSON.stringify(text)}`);
  return ms;
}
