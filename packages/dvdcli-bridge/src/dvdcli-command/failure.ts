import type { Outcome, VolumeError, VolumeErrorCode } from '../outcome.ts';
import type { LogLevel } from './log-line.ts';

/** A command that failed, with what it writes to the log: exit code 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly code: VolumeErrorCode;
  /** Nothing was done; false: nobody can tell. */
  readonly certain: boolean;
  readonly level: LogLevel;
  readonly fields: Readonly<Record<string, string>>;
  /** What to do next, in a line of its own. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    about: {
      code: VolumeErrorCode;
      certain?: boolean;
      level?: LogLevel;
      fields?: Readonly<Record<string, string>>;
      hint?: string;
    },
  ) {
    super(message);
    this.code = about.code;
    this.certain = about.certain ?? true;
    this.level = about.level ?? 'error';
    this.fields = about.fields ?? {};
    this.hint = about.hint;
  }
}

/**
 * The value, or the failure as the original words it: the verb, then the driver's own words. A driver that cannot be
 * looked up is logged at level info, as there.
 * @param volumeName logged where the original does: at Get, Create and Remove, not at Mount and Unmount
 */
export function wanted<T>(verb: string, outcome: Outcome<T>, volumeName?: string): T {
  if (outcome.kind === 'done') return outcome.value;
  const { error } = outcome;
  const certain = outcome.kind === 'not-done';
  if (certain && isLookup(error)) {
    const plain = error.code === 'driver-not-found' ? 'plugin not found' : error.message;
    throw new CommandFailure(`Error looking up volume plugin ${error.driver}: ${plain}`, {
      code: error.code,
      level: 'info',
      fields: { volumeDriver: error.driver },
      hint: error.message,
    });
  }
  const spoken = error.message.includes(`VolumeDriver.${verb} failed: `) && error.driverMessage !== undefined;
  throw new CommandFailure(spoken ? `VolumeDriver.${verb}: ${error.driverMessage}` : error.message, {
    code: error.code,
    certain,
    ...(volumeName === undefined ? {} : { fields: { volumeName } }),
  });
}

const LOOKUP_CODES: readonly VolumeErrorCode[] = [
  'driver-not-found',
  'driver-disabled',
  'driver-unavailable',
  'not-a-volume-driver',
];

/** The driver was not found, not reached, or is none; it was not asked anything. */
function isLookup(error: VolumeError): boolean {
  if (LOOKUP_CODES.includes(error.code)) return true;
  return error.driverMessage === undefined && (error.code === 'permission' || error.code === 'invalid');
}
