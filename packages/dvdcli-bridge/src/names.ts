/**
 * What may be part of a path or of a command line. The original tools join both kinds of names into paths
 * unchecked, so that `../plugins/fake` or `bad/../name` reach what they should not.
 * The same rules as the contract's schemas (a test compares them); kept here without zod, because the
 * `dvdcli` command starts once per call and has to start fast.
 */
const SEGMENT = '[A-Za-z0-9][A-Za-z0-9_.-]*';
const SHORT_DRIVER_NAME = new RegExp(`^${SEGMENT}$`);
/** As managed plugins are named: `rexray`, `vieux/sshfs`, `vieux/sshfs:latest`. */
const DRIVER_NAME = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*(?::${SEGMENT})?$`);
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,254}$/;
const LONGEST_DRIVER_NAME = 255;

export function isDriverName(text: string): boolean {
  return DRIVER_NAME.test(text) && !text.includes('..') && text.length <= LONGEST_DRIVER_NAME;
}

/** A name that may be a file of a plugin directory. One with a slash or a tag is a managed plugin's, never a path. */
export function isShortDriverName(text: string): boolean {
  return SHORT_DRIVER_NAME.test(text) && isDriverName(text);
}

export function isVolumeName(text: string): boolean {
  return VOLUME_NAME.test(text);
}

const CHARACTERS = 'letters, digits, "_", "." and "-", the first one a letter or digit';
export const SHORT_DRIVER_NAME_RULE = `${CHARACTERS}, no ".."`;
export const DRIVER_NAME_RULE = `${CHARACTERS}; parts joined by "/", one ":tag" at the end; no ".."`;
export const VOLUME_NAME_RULE = `2 to 255 of ${CHARACTERS}`;
