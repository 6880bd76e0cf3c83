/** One row of the settings table: from it come the flag, the variable, the help line and the document. */
import { parseZookeeperUrl, type ZooKeeperUrl } from '@mesos-elasticsearch/coordination';
import { z } from 'zod';

export const GROUPS = [
  'Mesos',
  'Framework',
  'Elasticsearch nodes',
  'Elasticsearch distribution',
  'Volumes',
  'Safety',
  'Scheduler process',
] as const;
export type Group = (typeof GROUPS)[number];

export interface Field<T> {
  readonly group: Group;
  readonly help: string;
  /** The form a value has, as help and faults name it. */
  readonly wants: string;
  /** Turns text (flag, variable) or a YAML value into the setting; its message says what was wanted. */
  readonly schema: z.ZodType<T>;
  /** Absent: the setting has no value unless given. */
  readonly fallback: T | undefined;
  /** A true-or-false setting may be given as a bare flag. */
  readonly bare: boolean;
}

type Words = readonly [group: Group, help: string];

function field<T>(
  [group, help]: Words,
  wants: string,
  schema: z.ZodType<T>,
  fallback: T | undefined,
): Field<T> {
  return { group, help, wants, schema, fallback, bare: false };
}

/** Makes a value that has a fallback: inner code never sees `undefined` for it. */
export type Given<T> = Field<T> & { readonly fallback: T };

function matching(pattern: RegExp, wants: string): z.ZodType<string, string> {
  return z.string().trim().regex(pattern, { error: wants });
}

const scalar = z.union([z.string(), z.number()]);

export function text(words: Words, fallback: string): Given<string> {
  return field(
    words,
    'text',
    scalar.transform(String).pipe(matching(/\S/, 'text')),
    fallback,
  ) as Given<string>;
}

export function optionalText(words: Words, wants = 'text', pattern = /\S/): Field<string> {
  return field(words, wants, scalar.transform(String).pipe(matching(pattern, wants)), undefined);
}

export function patternText(words: Words, wants: string, pattern: RegExp, fallback: string): Given<string> {
  return field(
    words,
    wants,
    scalar.transform(String).pipe(matching(pattern, wants)),
    fallback,
  ) as Given<string>;
}

/** It may hold a password, which faults must not repeat. */
export function zookeeperUrl(words: Words): Field<ZooKeeperUrl> {
  const wants = 'zk://host:port,host:port/path';
  const schema = z.string({ error: wants }).transform((value, context) => {
    try {
      return parseZookeeperUrl(value);
    } catch {
      context.addIssue({ code: 'custom', message: wants });
      return z.NEVER;
    }
  });
  return field(words, wants, schema, undefined);
}

function numeric(wants: string, accepts: (value: number) => boolean): z.ZodType<number> {
  return scalar
    .transform((value) => (typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)))
    .refine(accepts, { error: wants });
}

export function integer(
  words: Words,
  fallback: number,
  [least, most]: readonly [number, number] = [1, Number.MAX_SAFE_INTEGER],
  because?: string,
): Given<number> {
  const bound = most === Number.MAX_SAFE_INTEGER ? `from ${least} upwards` : `from ${least} to ${most}`;
  const wants = `a whole number ${bound}${because === undefined ? '' : ` (${because})`}`;
  const schema = numeric(wants, (value) => Number.isSafeInteger(value) && value >= least && value <= most);
  return field(words, wants, schema, fallback) as Given<number>;
}

export function optionalInteger(words: Words, range: readonly [number, number]): Field<number> {
  return { ...integer(words, range[0], range), fallback: undefined };
}

export function positive(words: Words, fallback: number): Given<number> {
  const wants = 'a number above 0';
  return field(
    words,
    wants,
    numeric(wants, (value) => Number.isFinite(value) && value > 0),
    fallback,
  ) as Given<number>;
}

export function flag(words: Words, fallback: boolean): Given<boolean> {
  const wants = 'true or false';
  const schema = z
    .union([z.boolean(), z.enum(['true', 'false'])], { error: wants })
    .transform((value) => value === true || value === 'true');
  return { ...field(words, wants, schema, fallback), bare: true } as Given<boolean>;
}

export function choice<const C extends readonly [string, ...string[]]>(
  words: Words,
  choices: C,
  fallback: C[number],
): Given<C[number]> {
  const wants = `one of ${choices.join(', ')}`;
  return field<C[number]>(words, wants, z.enum(choices, { error: wants }), fallback) as Given<C[number]>;
}

/** `k=v,k=v` as text, or a mapping in YAML. A piece without `=` is a fault, never dropped. */
export function pairs(words: Words): Given<Readonly<Record<string, string>>> {
  const wants = 'key=value,key=value';
  const schema = z
    .union([z.string(), z.record(z.string(), scalar)], { error: wants })
    .transform((value, context) => {
      if (typeof value !== 'string') {
        return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, String(entry)]));
      }
      const result = cutPairs(value);
      if (result !== undefined) return result;
      context.addIssue({ code: 'custom', message: wants });
      return z.NEVER;
    });
  return field<Readonly<Record<string, string>>>(words, wants, schema, {}) as Given<
    Readonly<Record<string, string>>
  >;
}

function cutPairs(value: string): Record<string, string> | undefined {
  const result: Record<string, string> = {};
  for (const piece of value.split(',')) {
    if (piece.trim() === '') continue;
    const cut = piece.indexOf('=');
    const key = cut < 0 ? '' : piece.slice(0, cut).trim();
    if (key === '' || Object.hasOwn(result, key)) return undefined;
    result[key] = piece.slice(cut + 1);
  }
  return result;
}

/** White space separates entries in text; a list in YAML. */
export function words(about: Words): Given<readonly string[]> {
  const wants = 'words separated by blanks (a list in YAML)';
  const schema = z
    .union([z.string(), z.array(z.string())], { error: wants })
    .transform((value) =>
      typeof value === 'string' ? value.split(/\s+/).filter((word) => word !== '') : value,
    );
  return field<readonly string[]>(about, wants, schema, []) as Given<readonly string[]>;
}
