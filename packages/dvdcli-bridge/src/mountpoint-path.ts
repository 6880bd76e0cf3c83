import { isAbsolute, normalize } from 'node:path';

export type PathVerdict =
  | { readonly kind: 'plausible'; readonly path: string; readonly said: string }
  | { readonly kind: 'bad'; readonly why: string };

/** Linux's PATH_MAX, with the end of the text. */
const LONGEST_PATH_BYTES = 4_095;
const LONGEST_QUOTE = 300;

/**
 * What can be told of a mountpoint by looking at its text alone. An empty one is the dangerous one: Docker binds its
 * own bundle directory in its place, writable. Pure.
 */
export function judgeMountpointPath(path: string): PathVerdict {
  if (path === '') return { kind: 'bad', why: 'the driver gave no mountpoint' };
  const quoted = path.length > LONGEST_QUOTE ? `${path.slice(0, LONGEST_QUOTE)}…` : path;
  const said = `the driver gave the mountpoint ${JSON.stringify(quoted)}`;
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES)
    return { kind: 'bad', why: `${said}, which is longer than a path can be` };
  if (!isAbsolute(path)) return { kind: 'bad', why: `${said}, which is not absolute` };
  // Whoever reads it takes a whole trimmed line.
  if (/[\0\n\r]/.test(path) || path.trim() !== path)
    return { kind: 'bad', why: `${said}, which no path can be` };
  const clean = normalize(path).replace(/(.)\/+$/, '$1');
  if (clean === '/') return { kind: 'bad', why: `${said}, which is the host's root` };
  return { kind: 'plausible', path: clean, said };
}
