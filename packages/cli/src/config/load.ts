/** Settings from flags, variables and a YAML file; all faults of all of them at once. */
import { FIELD_NAMES, FIELDS, VARIABLE_PREFIX, variableOf, type FieldName, type Settings } from './fields.ts';
import { settingFaults } from './rules.ts';

export interface Fault {
  /** The setting, or the unknown key as it was written. */
  readonly name: string;
  readonly message: string;
}

/** What was given, before anything is believed. */
export interface Given {
  /** Flag name without dashes → its text; `true` for a bare flag. */
  readonly flags: ReadonlyMap<string, string | true>;
  /** Flags that are no setting. */
  readonly unknownFlags?: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The parsed YAML file; undefined where there is none. */
  readonly file?: { readonly path: string; readonly content: unknown } | undefined;
}

export type Loaded =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Precedence: flag, then variable, then file, then default. */
export function loadSettings(given: Given): Loaded {
  const faults: Fault[] = [...unknownKeys(given)];
  const values: Record<string, unknown> = {};
  for (const name of FIELD_NAMES) {
    const source = sourceOf(name, given);
    const outcome: Parsed =
      source === undefined ? { ok: true, value: FIELDS[name].fallback } : parse(name, source);
    if (outcome.ok) values[name] = outcome.value;
    else faults.push(outcome.fault);
  }
  // Rules that look at several settings speak only of values that could be understood.
  faults.push(...settingFaults(values, new Set(faults.map((fault) => fault.name))));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, settings: values as unknown as Settings };
}

export function describeFaults(faults: readonly Fault[]): string {
  const lines = faults.map((fault) => `  ${fault.name}: ${fault.message}`);
  return ['The configuration is wrong:', ...lines, 'See: mesos-elasticsearch scheduler --help'].join('\n');
}

interface Source {
  readonly from: string;
  readonly value: unknown;
}

function sourceOf(name: FieldName, { flags, environment, file }: Given): Source | undefined {
  const flag = flags.get(name);
  if (flag !== undefined) return { from: `--${name}`, value: flag };
  const variable = environment[variableOf(name)];
  if (variable !== undefined) return { from: variableOf(name), value: variable };
  const content = asMapping(file?.content);
  if (file === undefined || content === undefined || !Object.hasOwn(content, name)) return undefined;
  return { from: file.path, value: content[name] };
}

type Parsed = { ok: true; value: unknown } | { ok: false; fault: Fault };

function parse(name: FieldName, { from, value }: Source): Parsed {
  const { schema, wants, bare } = FIELDS[name];
  if (value === true && from.startsWith('--') && !bare) {
    return { ok: false, fault: { name, message: `wanted ${wants}, got a flag without a value` } };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    fault: { name, message: `wanted ${wants}, got ${shown(value)} (from ${from})` },
  };
}

/** As it was written, but for the login of a URL. */
function shown(value: unknown): string {
  return JSON.stringify(value).replace(/\/\/.*@/s, '//…@');
}

function unknownKeys({ unknownFlags = [], environment, file }: Given): Fault[] {
  const known = new Set<string>(FIELD_NAMES);
  const variables = new Set([...FIELD_NAMES, 'config'].map(variableOf));
  const faults: Fault[] = unknownFlags.map((name) => ({ name, message: `is not known${didYouMean(name)}` }));
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(VARIABLE_PREFIX) || variables.has(name)) continue;
    faults.push({ name, message: 'no setting has this variable' });
  }
  if (file === undefined) return faults;
  const content = asMapping(file.content);
  if (content === undefined) {
    faults.push({ name: file.path, message: 'wanted a YAML mapping from setting names to values' });
  }
  for (const name of Object.keys(content ?? {})) {
    if (known.has(name)) continue;
    faults.push({ name, message: `is not known (from ${file.path})${didYouMean(name)}` });
  }
  return faults;
}

/** An empty file is an empty mapping. */
function asMapping(content: unknown): Record<string, unknown> | undefined {
  if (content === null || content === undefined) return {};
  return typeof content === 'object' && !Array.isArray(content)
    ? (content as Record<string, unknown>)
    : undefined;
}

/** Points at the same letters in other case: `--frameworkname`, `--framework-name`. */
function didYouMean(name: string): string {
  const plain = (text: string) => text.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
  const found = FIELD_NAMES.find((field) => plain(field) === plain(name));
  return found === undefined ? '' : `: did you mean ${found}?`;
}
