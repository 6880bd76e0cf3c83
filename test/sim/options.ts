import { parseArgs } from 'node:util';
import { isMutation, MUTATIONS, type Mutation } from './mutations.ts';

export interface SimulationOptions {
  readonly seeds: number;
  readonly first: number;
  /** At least so many steps a seed. */
  readonly steps: number;
  readonly json: boolean;
  readonly mutation: Mutation | undefined;
  /** Only these faults, as a failing run names them. */
  readonly keep: readonly string[] | undefined;
}

export class UsageError extends Error {}

export const USAGE = `usage: npm run sim -- [--seeds N] [--first S] [--steps K] [--json] [--mutate RULE|list] [--keep FAULTS]
  --seeds N      how many seeds are run, one after the other, until one fails (1000)
  --first S      the first of them (1)
  --steps K      steps of each at least, then to the end of its round of faults (1500)
  --json         one JSON object on stdout instead of text
  --mutate RULE  without that safety rule: it must fail; "list" prints the names
  --keep FAULTS  only these faults (round:number, with commas), as a failing seed says for its replay`;

/** @throws UsageError */
export function readOptions(argv: readonly string[]): SimulationOptions | 'list' {
  const { values } = parse(argv);
  if (values.mutate === 'list') return 'list';
  if (values.mutate !== undefined && !isMutation(values.mutate)) {
    throw new UsageError(
      `no rule is named ${values.mutate}; there are: ${Object.keys(MUTATIONS).join(', ')}`,
    );
  }
  const keep = values.keep === '' ? [] : values.keep?.split(',');
  const wrong = keep?.find((id) => !/^\d+:\d+$/.test(id));
  if (wrong !== undefined) throw new UsageError(`--keep wants round:number, not ${wrong}`);
  return {
    seeds: whole('seeds', values.seeds, 1_000),
    first: whole('first', values.first, 1),
    steps: whole('steps', values.steps, 1_500),
    json: values.json === true,
    mutation: values.mutate,
    keep,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        seeds: { type: 'string' },
        first: { type: 'string' },
        steps: { type: 'string' },
        json: { type: 'boolean' },
        mutate: { type: 'string' },
        keep: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0 && text.trim() !== '') return value;
  throw new UsageError(`--${name} wants a whole number, not ${JSON.stringify(text)}`);
}
