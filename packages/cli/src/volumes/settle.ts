/** Three-valued outcomes as a command ends with them. */
import type { Outcome } from '@mesos-elasticsearch/dvdcli-bridge';
import { UnknownOutcomeError } from '../commands/exit-code.ts';

/**
 * The value of what is done.
 * @throws Error (exit 1) for what certainly did not happen, UnknownOutcomeError (exit 75) where nobody can tell
 */
export function settled<T>(outcome: Outcome<T>, findOut: string): T {
  switch (outcome.kind) {
    case 'done':
      return outcome.value;
    case 'not-done':
      throw outcome.error;
    case 'unknown':
      throw new UnknownOutcomeError(`${outcome.error.message}\nIt may have happened. Find out: ${findOut}`, {
        cause: outcome.error,
      });
  }
}

/**
 * The value of a question, which changes nothing whether it was answered or not.
 * @throws Error (exit 1)
 */
export function answered<T>(outcome: Outcome<T>): T {
  switch (outcome.kind) {
    case 'done':
      return outcome.value;
    case 'not-done':
      throw outcome.error;
    case 'unknown':
      throw new Error(`${outcome.error.message}\nNothing was changed; ask again.`, { cause: outcome.error });
  }
}
