/** One line in the shape of the original's log, as it looks when standard error is not a terminal. */
export function logLine(
  level: 'info' | 'warning' | 'error',
  message: string,
  at: Date,
  fields: Readonly<Record<string, string>> = {},
): string {
  const time = at.toISOString().replace(/\.\d{3}Z$/, 'Z');
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${quoted(value)} `);
  return `time="${time}" level=${level} msg=${quoted(message)} ${rest.join('')}\n`;
}

/** Bare only what consists of letters, digits, "-" and "."; a path is quoted. */
function quoted(text: string): string {
  return /^[A-Za-z0-9.-]+$/.test(text) ? text : JSON.stringify(text);
}
