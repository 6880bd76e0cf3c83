/** The flags of `scheduler`, from the table of settings; nothing is believed here, faults are found later together. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { FIELD_NAMES, FIELDS } from '../config/fields.ts';
import { GROUPS } from '../config/field.ts';
import { shownDefault } from '../config/document.ts';

export interface SchedulerFlags {
  readonly flags: ReadonlyMap<string, string | true>;
  readonly unknownFlags: readonly string[];
  /** Path of the YAML file. */
  readonly config: string | undefined;
}

/** Adds every setting as an optional-valued flag: a missing value is a fault among the others, not the only one. */
export function addSchedulerFlags(command: Command): Command {
  command
    .allowUnknownOption(true)
    .allowExcessArguments(true)
    .addOption(new Option('--config [file]', 'YAML file with settings.').helpGroup('Configuration:'));
  for (const group of GROUPS) {
    for (const name of FIELD_NAMES.filter((field) => FIELDS[field].group === group)) {
      const shown = shownDefault(FIELDS[name]);
      const help = FIELDS[name].help + (shown === '' ? '' : ` (default: ${shown})`);
      command.addOption(new Option(`--${name} [value]`, help).helpGroup(`${group}:`));
    }
  }
  return command;
}

export function readSchedulerFlags(command: Command): SchedulerFlags {
  const values = command.opts<Record<string, string | true | undefined>>();
  const flags = new Map<string, string | true>();
  for (const name of FIELD_NAMES) {
    const value = values[name];
    if (value !== undefined) flags.set(name, value);
  }
  const { config } = values;
  const unknownFlags = unknownOf(command.args);
  if (config === true) unknownFlags.push('config (without a file)');
  return { flags, unknownFlags, config: config === true ? undefined : config };
}

/** What commander could not place: `--frobnicate value` is one fault, a stray word another. */
function unknownOf(args: readonly string[]): string[] {
  const unknown: string[] = [];
  args.forEach((argument, at) => {
    if (argument.startsWith('-')) unknown.push(argument.replace(/^-+/, '').replace(/=.*/s, ''));
    else if (!/^-[^=]*$/.test(args[at - 1] ?? '')) unknown.push(argument);
  });
  return unknown;
}
