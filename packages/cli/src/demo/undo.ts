/** What was begun and must be undone, the last first. */
import { messageOf } from '../setup/setup-error.ts';

type Step = () => Promise<unknown>;

export class Undo {
  readonly #steps: { readonly what: string; readonly run: Step }[] = [];

  /** What `run` resolves to does not matter, but for a list: words about what stayed behind. */
  add(what: string, run: Step): void {
    this.#steps.push({ what, run });
  }

  /** Goes on after a failure. @returns what could not be undone, in words */
  async run(note: (text: string) => void): Promise<string[]> {
    const left: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      note(step.what);
      try {
        const said = await step.run();
        if (Array.isArray(said)) left.push(...said.map(String));
      } catch (error) {
        left.push(`${step.what}: ${messageOf(error)}`);
      }
    }
    return left;
  }
}
