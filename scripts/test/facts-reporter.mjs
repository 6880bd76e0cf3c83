// A vitest reporter that writes each fact as it becomes known, so that a run that is cut off still counts.
import { appendFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

export default class FactsReporter {
  #file = process.env.TEST_FACTS_FILE;

  onTestCaseResult(test) {
    const { state, note, errors } = test.result();
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    const why =
      state === 'failed' ? (errors ?? []).map(({ message }) => stripVTControlCharacters(message)) : undefined;
    if (state !== 'pending') this.#write({ kind: 'test', name, state, reason: note, why: why?.join('\n') });
  }

  /** A hook that fails, or a file that cannot be loaded, takes tests with it that never report. */
  onTestModuleEnd(module) {
    this.#writeErrors(module.relativeModuleId, module.errors());
    for (const suite of module.children.allSuites()) {
      this.#writeErrors(`${module.relativeModuleId} > ${suite.fullName}`, suite.errors());
    }
  }

  onTestRunEnd(modules, unhandledErrors, reason) {
    this.#writeErrors('an error outside of any test', unhandledErrors);
    if (reason !== 'interrupted') this.#write({ kind: 'end' });
  }

  #writeErrors(name, errors) {
    for (const error of errors) this.#write({ kind: 'failure', name: `${name}: ${error.message}` });
  }

  #write(fact) {
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(fact)}\n`);
  }
}
