/** Reads the configuration from the outside world; every fault of it becomes one error. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { UsageError } from '../commands/exit-code.ts';
import { messageOf } from '../setup/setup-error.ts';
import type { NamedFiles } from './compile.ts';
import { variableOf, type Settings } from './fields.ts';
import { describeFaults, loadSettings, type Fault } from './load.ts';
import { namedFiles } from './named-files.ts';

export interface Asked {
  readonly flags: ReadonlyMap<string, string | true>;
  readonly unknownFlags: readonly string[];
  readonly config: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws UsageError with all faults, one a line. */
export async function readConfiguration(asked: Asked): Promise<{ settings: Settings; files: NamedFiles }> {
  const path = asked.config ?? asked.environment[variableOf('config')];
  const faults: Fault[] = [];
  const file = path === undefined ? undefined : await readYaml(path, faults);
  const loaded = loadSettings({ ...asked, file });
  if (!loaded.ok) faults.push(...loaded.faults);
  const read = loaded.ok ? await namedFiles(loaded.settings) : undefined;
  if (read !== undefined) faults.push(...read.faults);
  if (!loaded.ok || read === undefined || faults.length > 0) throw new UsageError(describeFaults(faults));
  return { settings: loaded.settings, files: read.files };
}

async function readYaml(
  path: string,
  faults: Fault[],
): Promise<{ path: string; content: unknown } | undefined> {
  try {
    return { path, content: parse(await readFile(path, 'utf8')) as unknown };
  } catch (error) {
    faults.push({ name: 'config', message: `wanted a readable YAML file, got ${path}: ${messageOf(error)}` });
    return undefined;
  }
}
