/**
 * What may be part of a path or of a command line. The original tools join both kinds of names into paths
 * unchecked, so that `../plugins/fake` or `bad/../name` reach what they should not.
 * The same rules as the contract's schemas (a test compares them); kept here without zod, because the
 * `dvdcli` command starts once per call and has to start fast.
 */
const DRIVER_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,254}$/;

export function isDriverName(text: string): boolean {
  return DRIVER_NAME.test(text);
}

export function isVolumeName(text: string): boolean {
  return VOLUME_NAME.test(text);
}

export const DRIVER_NAME_RULE = 'letters, digits, "_", "." and "-", the first one a letter or digit';
export const VOLUME_NAME_RULE = `2 to 255 of ${DRIVER_NAME_RULE}`;
