/**
 * JSON with whole 64-bit numbers. Mesos writes nanoseconds since 1970 (about 1.8e18) as plain numbers, which
 * JSON.parse rounds to a multiple of 256 ns.
 */

/** A string, or a number with whatever follows its integer part. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/** As JSON.parse, but integers of 16 and more digits come as strings of digits. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  JSON.parse(text); // the error's position must be that of the text as it came
  return JSON.parse(
    text.replace(STRING_OR_NUMBER, (token) => (LONG_INTEGER.test(token) ? `"${token}"` : token)),
  );
}

/** As JSON.stringify for plain data, with bigint as a number, and infinities as Mesos reads them. */
export function printJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(printJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]) => `${JSON.stringify(key)}:${printJson(member)}`,
    );
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Where JSON.parse stopped, in the words of Mesos' parser: `syntax error at line 1 near: …`. */
export function describeSyntaxError(text: string, error: unknown): string {
  const position = errorPosition(text, error instanceof Error ? error.message : '');
  const line = text.slice(0, position).split('\n').length;
  const rest = text.slice(position).split('\n')[0] ?? '';
  return `syntax error at line ${line} near: ${rest}`;
}

function errorPosition(text: string, message: string): number {
  const told = /position (\d+)/.exec(message);
  if (told) return Number(told[1]);
  if (message.includes('end of JSON')) return text.length;
  const token = /^Unexpected token '(.+?)'/su.exec(message)?.[1];
  return token === undefined ? 0 : Math.max(0, text.indexOf(token));
}
