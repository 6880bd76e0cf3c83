import type { Settings } from '../fields.ts';
import type { Fault } from '../load.ts';

export type Some = Partial<Settings>;

export interface RuleFault extends Fault {
  /** Settings that would have done as well: where one of them is at fault already, this is none of its own. */
  readonly alternatives: readonly (keyof Settings)[];
}
/** Looks at several settings; says which is at fault and what it wanted. */
export type Rule = (settings: Some) => RuleFault | undefined;

export function fault(
  name: keyof Settings,
  message: string,
  alternatives: readonly (keyof Settings)[] = [],
): RuleFault {
  return { name, message, alternatives };
}
