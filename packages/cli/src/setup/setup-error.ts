/** Something this machine lacks. The message says what, and what to do about it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** Says to the user, on stderr, what set-up does. */
export type Tell = (line: string) => void;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
