/** Characters that a path cannot carry, and how they are named to people. */

export { DVDI_FORBIDDEN } from '@mesos-elasticsearch/contract';

const NAMES: Readonly<Record<string, string>> = {
  '\0': 'NUL',
  '\n': 'a line feed',
  '\t': 'a tab',
  '\v': 'a vertical tab',
  '\b': 'a backspace',
  '\r': 'a carriage return',
  ' ': 'a blank',
};

/** `"%"`, or the name of what cannot be seen. */
export function nameOfCharacter(character: string): string {
  return NAMES[character] ?? `"${character}"`;
}

/** Those of `forbidden` that are in the text, each once, in the order of the text. */
export function charactersIn(text: string, forbidden: readonly string[]): readonly string[] {
  return [...new Set(text)].filter((character) => forbidden.includes(character));
}
