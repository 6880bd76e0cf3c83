/** Words that tell of a call that was sent and got no answer that anybody can be held to. Go's, and our own command's. */

const BROKEN = /EOF|ContentLength=|broken pipe|connection reset|connection broke|connection was closed/i;
const TOO_LATE = /deadline exceeded|not answered within|Client\.Timeout|timeout awaiting/i;
const NONSENSE =
  /makes no sense|cannot be read|invalid character|cannot unmarshal|unexpected end of JSON|malformed/i;
/** What stands between, a proxy for one, and not the driver. */
const GATEWAY = /<html|<!doctype|bad gateway|gateway time-?out|HTTP status 50[24]/i;
/** An answer of any status but 200 is shown as it is; one without an error in it is no refusal. */
const WITHOUT_ERROR = /\bVolumeDriver\.\w+: \{(?!.*"err)/is;

/** Pure. */
export function brokeOff(says: string): boolean {
  return isTooLate(says) || [BROKEN, NONSENSE, GATEWAY, WITHOUT_ERROR].some((words) => words.test(says));
}

export function isTooLate(says: string): boolean {
  return TOO_LATE.test(says);
}
