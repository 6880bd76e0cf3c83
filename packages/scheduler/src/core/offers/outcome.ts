import type { RuleName } from '../rules/names.ts';

/** Why an offer was taken or declined: a tree, every rule evaluated even after the first has failed. */
export interface EvaluationOutcome {
  readonly pass: boolean;
  readonly rule: RuleName | 'offer' | 'node';
  /** What was wanted and what was there. */
  readonly reason: string;
  readonly children: readonly EvaluationOutcome[];
}

export function passed(rule: EvaluationOutcome['rule'], reason: string): EvaluationOutcome {
  return { pass: true, rule, reason, children: [] };
}

export function failed(rule: EvaluationOutcome['rule'], reason: string): EvaluationOutcome {
  return { pass: false, rule, reason, children: [] };
}

export function judged(pass: boolean, rule: EvaluationOutcome['rule'], reason: string): EvaluationOutcome {
  return pass ? passed(rule, reason) : failed(rule, reason);
}

/** All children must pass. */
export function allOf(
  rule: EvaluationOutcome['rule'],
  reason: string,
  children: readonly EvaluationOutcome[],
): EvaluationOutcome {
  return { pass: children.every((child) => child.pass), rule, reason, children };
}

/** One child must pass. */
export function anyOf(
  rule: EvaluationOutcome['rule'],
  reason: string,
  children: readonly EvaluationOutcome[],
): EvaluationOutcome {
  return { pass: children.some((child) => child.pass), rule, reason, children };
}
