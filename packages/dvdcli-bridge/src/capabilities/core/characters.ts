/** Characters that a path cannot carry, and how they are named to people. */

/**
 * What mesos-module-dvdi 0.4.7 refuses in DVDI_VOLUME_NAME, DRIVER, OPTS and EXPLICITCREATE: it puts them into a
 * line for `sh -c`. 26 characters, as its source lists them; `( ) * ! # ~` pass although a shell takes them too.
 */
export const DVDI_FORBIDDEN: readonly string[] = Array.from('%/:;\0<>|`$\'?^& {"}[]\n\t\v\b\r\\');

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
