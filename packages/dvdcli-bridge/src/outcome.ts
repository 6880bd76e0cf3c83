/**
 * Storage answers in three ways, not two: after a time limit an attach may still be under way.
 * - `done`: it happened (or had happened already: every operation is idempotent).
 * - `not-done`: it certainly did not happen; the caller may give up or try elsewhere.
 * - `unknown`: it may have happened. Retry it; never free, reuse or delete anything on the strength of it.
 */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'not-done'; readonly error: VolumeError }
  | { readonly kind: 'unknown'; readonly error: VolumeError };

export type VolumeErrorCode =
  | 'driver-not-found'
  | 'driver-unavailable'
  | 'driver-disabled'
  | 'not-a-volume-driver'
  | 'not-found'
  | 'in-use'
  | 'attached-elsewhere'
  | 'conflict'
  | 'bad-mountpoint'
  | 'bad-answer'
  | 'permission'
  | 'unsupported'
  | 'invalid'
  | 'time-limit'
  | 'driver-error';

/** Names the volume and the driver, and carries the driver's own words verbatim in `driverMessage`. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly code: VolumeErrorCode;
  readonly driver: string;
  readonly volume: string | undefined;
  readonly driverMessage: string | undefined;

  constructor(
    code: VolumeErrorCode,
    about: { driver: string; volume?: string | undefined; says?: string | undefined; message: string },
    options?: ErrorOptions,
  ) {
    const where =
      about.volume === undefined
        ? `driver ${about.driver}`
        : `volume ${about.volume} of driver ${about.driver}`;
    const words = about.says === undefined ? '' : `: ${about.says}`;
    super(`${where}: ${about.message}${words}`, options);
    this.code = code;
    this.driver = about.driver;
    this.volume = about.volume;
    this.driverMessage = about.says;
  }
}

export function done<T>(value: T): Outcome<T> {
  return { kind: 'done', value };
}
export function notDone(error: VolumeError): Exclude<Outcome<never>, { kind: 'done' }> {
  return { kind: 'not-done', error };
}
export function unknownOutcome(error: VolumeError): Exclude<Outcome<never>, { kind: 'done' }> {
  return { kind: 'unknown', error };
}
