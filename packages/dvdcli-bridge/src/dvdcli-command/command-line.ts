/** The original's command line: `dvdcli <command> [flags]`, flags anywhere, extra words ignored. Pure. */
import { parseArgs } from 'node:util';
import { DRIVER_NAME_RULE, VOLUME_NAME_RULE, isDriverName, isVolumeName } from '../names.ts';

export const COMMANDS = ['create', 'remove', 'mount', 'unmount', 'path', 'get', 'list', 'version'] as const;
export type CommandName = (typeof COMMANDS)[number];

export interface CommandLine {
  readonly command: CommandName | 'help';
  readonly driver: string;
  readonly volume: string;
  readonly options: Readonly<Record<string, string>>;
  readonly explicitCreate: boolean;
}

/** The call itself is wrong; the original prints its usage and exits 0, which callers take for success. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError saying what is wrong */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { values, positionals } = parse(argv);
  const [word] = positionals;
  if (values.help === true || word === undefined || word === 'help') return { ...EMPTY, command: 'help' };
  const command = COMMANDS.find((name) => name === word);
  if (command === undefined)
    throw new UsageError(`unknown command ${JSON.stringify(word)} (known: ${COMMANDS.join(', ')})`);
  const line: CommandLine = {
    command,
    driver: values.volumedriver ?? '',
    volume: values.volumename ?? '',
    options: parseOptions(values.volumeopts ?? []),
    explicitCreate: values.explicitcreate ?? false,
  };
  if (command !== 'version') assertNames(line);
  return line;
}

const EMPTY: Omit<CommandLine, 'command'> = { driver: '', volume: '', options: {}, explicitCreate: false };

interface Flags {
  help?: boolean;
  volumedriver?: string;
  volumename?: string;
  volumeopts?: string[];
  explicitcreate?: boolean;
}

function parse(argv: readonly string[]): { values: Flags; positionals: string[] } {
  let explicitcreate: boolean | undefined;
  const rest: string[] = [];
  for (const [index, word] of argv.entries()) {
    if (word === '--') {
      rest.push(...argv.slice(index));
      break;
    }
    // mesos-module-dvdi spells it in camel case, and as a boolean flag it takes its value only after "=".
    const match = /^--explicit[cC]reate(?:=(.*))?$/.exec(word);
    if (match === null) rest.push(word);
    else explicitcreate = parseBoolean(match[1] ?? 'true');
  }
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        volumedriver: { type: 'string' },
        volumename: { type: 'string' },
        volumeopts: { type: 'string', multiple: true },
      },
    });
    return {
      values: { ...values, ...(explicitcreate === undefined ? {} : { explicitcreate }) },
      positionals,
    };
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

/** As Go's strconv.ParseBool reads it. */
function parseBoolean(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new UsageError(`--explicitcreate takes true or false, not ${JSON.stringify(text)}`);
}

/**
 * Cut at every comma, then at the first `=`: the original cuts at every `=` and loses what follows the second.
 * Empty pieces are dropped, and a key given twice has its last value, both as there.
 */
function parseOptions(given: readonly string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (const piece of given.flatMap((text) => text.split(','))) {
    if (piece === '') continue;
    const cut = piece.indexOf('=');
    if (cut < 1) throw new UsageError(`volume option ${JSON.stringify(piece)} is not of the form key=value`);
    options[piece.slice(0, cut)] = piece.slice(cut + 1);
  }
  return options;
}

function assertNames(line: CommandLine): void {
  if (line.driver === '') throw new UsageError('Missing volume driver name (--volumedriver)');
  if (!isDriverName(line.driver))
    throw new UsageError(
      `not a volume driver name: ${JSON.stringify(line.driver)} (wanted: ${DRIVER_NAME_RULE})`,
    );
  if (line.command === 'list') return;
  if (line.volume === '') throw new UsageError('Missing volume name (--volumename)');
  if (!isVolumeName(line.volume))
    throw new UsageError(`not a volume name: ${JSON.stringify(line.volume)} (wanted: ${VOLUME_NAME_RULE})`);
}
