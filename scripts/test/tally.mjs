// Counting what ran. Pure.

const LINES_OF_A_FAILURE = 12;

/**
 * One line a fact, as the reporter writes them:
 * `{kind: 'test', name, state: 'passed' | 'failed' | 'skipped', reason?, why?}`, `{kind: 'failure', name}`, `{kind: 'end'}`.
 * A run that was cut off has no `end`, and its last line may be torn.
 * @returns {{passed: number, failures: string[], skipped: {name: string, reason: string}[], ended: boolean}}
 */
export function readFacts(text) {
  const result = { passed: 0, failures: [], skipped: [], ended: false };
  for (const line of text.split('\n')) {
    const fact = parse(line);
    if (fact === undefined) continue;
    if (fact.kind === 'end') result.ended = true;
    else if (fact.kind === 'failure' || fact.state === 'failed') result.failures.push(failure(fact));
    else if (fact.state === 'passed') result.passed += 1;
    else result.skipped.push({ name: fact.name, reason: fact.reason ?? reasonIn(fact.name) });
  }
  return result;
}

/** Whoever reads the last lines only, as of a run elsewhere, learns there what went wrong, and not just where. */
function failure({ name, why }) {
  const lines = (why ?? '').split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(0, LINES_OF_A_FAILURE).map((line) => `\n      ${line.slice(0, 500)}`);
  return `${name}${shown.join('')}`;
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The convention for whole groups: `… (skipped: why)` in the name. */
export function reasonIn(name) {
  return /\(skipped: ([^()]*(?:\([^()]*\)[^()]*)*)\)/.exec(name)?.[1] ?? 'no reason given';
}

/**
 * What a project adds to the sum. A run that was cut off, or that failed without naming a test, is a failure itself.
 * @param {{project: string, facts: ReturnType<typeof readFacts>, exitCode: number | null, timedOutAfterS?: number}} run
 */
export function judge({ project, facts, exitCode, timedOutAfterS }) {
  const failures = facts.failures.map((name) => `${project}: ${name}`);
  if (timedOutAfterS !== undefined) {
    failures.push(`${project}: not finished within ${String(timedOutAfterS)} s`);
  } else if (!facts.ended) {
    failures.push(`${project}: broke off (exit code ${String(exitCode)})`);
  } else if (exitCode !== 0 && failures.length === 0) {
    failures.push(`${project}: exit code ${String(exitCode)}`);
  }
  const skipped = facts.skipped.map(({ name, reason }) => ({ name: `${project}: ${name}`, reason }));
  return { passed: facts.passed, failures, skipped };
}

/** The last words of a run; the very last line is the sum. */
export function summary(results) {
  const failures = results.flatMap((result) => result.failures);
  const skipped = results.flatMap((result) => result.skipped);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  if (passed + failures.length === 0) failures.push('nothing ran at all');
  const lines = [
    ...(skipped.length > 0 ? ['', 'Skipped:'] : []),
    ...skipped.map(({ name, reason }) => `  ${name}\n      because ${reason}`),
    ...(failures.length > 0 ? ['', 'Failed:'] : []),
    ...failures.map((name) => `  ${name}`),
    '',
    `${String(passed)} passed, ${String(failures.length)} failed, ${String(skipped.length)} skipped`,
  ];
  return { text: lines.join('\n'), exitCode: failures.length === 0 ? 0 : 1 };
}
