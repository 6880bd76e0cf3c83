/** Bytes that are not the message they should be. `message` says which field of which message, and why. */
export class WireFormatError extends Error {
  override readonly name = 'WireFormatError';
}

/**
 * A call that a master or agent refuses with 400. `message` is the body of that answer, word for word as a
 * real Mesos 1.3.2 phrases it (recording 08).
 */
export class CallFormatError extends Error {
  override readonly name = 'CallFormatError';
  readonly status = 400;
}
