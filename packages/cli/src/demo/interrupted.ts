/** Ctrl-C: the ordinary end of a demo, and the unfinished one of a verification. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('interrupted');
  }
}
