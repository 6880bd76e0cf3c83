/** The original's command line: `dvdcli <command> [flags]`, flags anywhere, extra words ignored. Pure. */
import { DRIVER_NAME_RULE, VOLUME_NAME_RULE, isDriverName, isVolumeName } from '../names.ts';
import { isTrue, parseBoolean, parseDuration, scanFlags, UsageError, type FlagKind } from './flags.ts';

/** Those that speak to a driver. */
export const VERBS = ['create', 'remove', 'mount', 'unmount', 'path', 'get', 'list'] as const;
export type Verb = (typeof VERBS)[number];
const COMMANDS = [...VERBS, 'version', 'doctor', 'help'] as const;
export type CommandName = (typeof COMMANDS)[number];

export interface CommandLine {
  /** `usage`: nothing at all was asked. */
  readonly command: CommandName | 'usage';
  /** Empty: not given, which only the verbs mind. */
  readonly driver: string;
  /** Empty only for commands that need none. */
  readonly volume: string;
  readonly options: Readonly<Record<string, string>>;
  readonly explicitCreate: boolean;
  /** Sent as the plugin's mount ID; undefined: none is sent, as by the original. */
  readonly mountId: string | undefined;
  /** For the whole command, in milliseconds. */
  readonly timeLimitMs: number;
  readonly json: boolean;
}

/** Mesos kills `mount` after 120 s and leaves the mount to nobody; taking a bad answer back needs some of it too. */
export const DEFAULT_TIME_LIMIT_MS = 105_000;

const KINDS: ReadonlyMap<string, FlagKind> = new Map([
  ['help', 'boolean'],
  ['volumedriver', 'text'],
  ['volumename', 'text'],
  ['volumeopts', 'text'],
  ['explicitcreate', 'boolean'],
  // mesos-module-dvdi spells it so, and the original does not know it.
  ['explicitCreate', 'boolean'],
  ['mountid', 'text'],
  ['timeout', 'text'],
  ['json', 'boolean'],
]);

/** Flags that mean something to some commands only: elsewhere they are refused, as by the original. */
const ONLY_FOR: Readonly<Record<string, readonly CommandName[]>> = {
  volumeopts: ['create', 'mount'],
  explicitcreate: ['mount'],
  explicitCreate: ['mount'],
  mountid: ['mount', 'unmount'],
};

/** @throws UsageError saying what is wrong */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { flags, words } = scanFlags(argv, KINDS);
  const last = (flag: string): string | undefined => flags.get(flag)?.at(-1);
  const booleanOf = (flag: string): boolean | undefined => {
    const given = last(flag);
    return given === undefined ? undefined : parseBoolean(flag, given);
  };
  const timeout = last('timeout');
  const command = booleanOf('help') === true ? 'help' : commandOf(words[0], flags.size);
  const line: CommandLine = {
    command,
    driver: last('volumedriver') ?? '',
    volume: last('volumename') ?? '',
    options: parseOptions(flags.get('volumeopts') ?? []),
    explicitCreate: (booleanOf('explicitcreate') ?? false) || (booleanOf('explicitCreate') ?? false),
    mountId: last('mountid'),
    timeLimitMs: timeout === undefined ? DEFAULT_TIME_LIMIT_MS : parseDuration('timeout', timeout),
    json: booleanOf('json') ?? false,
  };
  assertFlagsFit(command, flags.keys());
  assertNames(line);
  return line;
}

/** Of a command line that may be wrong, so that the answer to it has the form that was asked for. */
export function asksForJson(argv: readonly string[]): boolean {
  const given = argv.findLast((word) => /^--json(?:=|$)/.test(word));
  return given === '--json' || (given !== undefined && isTrue(given.slice('--json='.length)));
}

export function isVerb(command: CommandLine['command']): command is Verb {
  return VERBS.some((verb) => verb === command);
}

function commandOf(word: string | undefined, flagCount: number): CommandLine['command'] {
  if (word === undefined && flagCount === 0) return 'usage';
  const command = COMMANDS.find((name) => name === word);
  if (command !== undefined) return command;
  const said = word === undefined ? 'no command' : `unknown command ${JSON.stringify(word)}`;
  throw new UsageError(`${said} (known: ${COMMANDS.join(', ')})`);
}

/**
 * Cut at every comma, then at the first `=`: the original cuts at every `=` and loses what follows the second.
 * Empty pieces are dropped, and a key given twice has its last value, both as there.
 */
function parseOptions(given: readonly string[]): Record<string, string> {
  const options = new Map<string, string>();
  for (const piece of given.flatMap((text) => text.split(','))) {
    if (piece === '') continue;
    // Node.js puts this character for bytes that are no text.
    if (piece.includes('\ufffd'))
      throw new UsageError(`volume option ${JSON.stringify(piece)} is not valid UTF-8`);
    const cut = piece.indexOf('=');
    if (cut < 1) throw new UsageError(`volume option ${JSON.stringify(piece)} is not of the form key=value`);
    options.set(piece.slice(0, cut), piece.slice(cut + 1));
  }
  return Object.fromEntries(options);
}

function assertFlagsFit(command: CommandLine['command'], given: Iterable<string>): void {
  if (command === 'help' || command === 'usage') return;
  for (const flag of given) {
    const commands = ONLY_FOR[flag];
    if (commands?.includes(command) === false)
      throw new UsageError(`--${flag} is a flag of ${commands.join(' and ')}, not of ${command}`);
  }
}

function assertNames({ command, driver, volume, mountId }: CommandLine): void {
  const verb = isVerb(command);
  if (!verb && command !== 'doctor') return;
  if (driver !== '' && !isDriverName(driver))
    throw new UsageError(`not a volume driver name: ${JSON.stringify(driver)} (wanted: ${DRIVER_NAME_RULE})`);
  if (mountId !== undefined && !/^[\x21-\x7e]{1,255}$/.test(mountId))
    throw new UsageError('--mountid takes 1 to 255 printable ASCII characters without blanks');
  if (command === 'list' || (command === 'doctor' && volume === '')) return;
  if (verb && driver === '') return;
  if (volume === '') throw new UsageError('Missing volume name (--volumename)');
  if (!isVolumeName(volume))
    throw new UsageError(`not a volume name: ${JSON.stringify(volume)} (wanted: ${VOLUME_NAME_RULE})`);
}
