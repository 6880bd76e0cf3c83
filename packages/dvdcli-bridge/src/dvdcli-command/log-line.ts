export type LogLevel = 'info' | 'warning' | 'error';

/** Mesos copies the log into the status of a task; a path, the longest text that is of use to anybody, is shorter. */
const LONGEST_TEXT = 8_192;

export function clipped(text: string): string {
  const rest = text.length - LONGEST_TEXT;
  return rest > 0 ? `${text.slice(0, LONGEST_TEXT)}… (${rest} more characters)` : text;
}

/** One line in the shape of the original's log (logrus), as it looks when standard error is not a terminal. */
export function logLine(
  level: LogLevel,
  message: string,
  at: Date,
  fields: Readonly<Record<string, string>> = {},
): string {
  const time = at.toISOString().replace(/\.\d{3}Z$/, 'Z');
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${quoted(value)} `);
  return `time="${time}" level=${level} msg=${quoted(clipped(message))} ${rest.join('')}\n`;
}

/** Bare only what consists of letters, digits, "-" and "."; a path is quoted. */
function quoted(text: string): string {
  return /^[A-Za-z0-9.-]*$/.test(text) ? text : `"${escaped(text)}"`;
}

const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** As Go's %q writes it: whatever is not printable becomes an escape, so a message is always one line. */
function escaped(text: string): string {
  return text.replace(/["\\]|[^\P{C}]|(?! )\p{Z}/gu, (character) => {
    const named = NAMED[character];
    if (named !== undefined) return named;
    const code = character.codePointAt(0) ?? 0;
    // Half of a pair is no character; Go prints what stands for one.
    if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
