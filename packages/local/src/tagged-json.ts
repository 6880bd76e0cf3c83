/** JSON that carries bytes, big integers, maps and sets: for the agents' link and for what is kept on disk. */
type Tagged = { $bytes: string } | { $bigint: string } | { $map: [unknown, unknown][] };

function isTagged(value: unknown): value is Tagged {
  if (value === null || typeof value !== 'object') return false;
  return ['$bytes', '$bigint', '$map'].some((tag) => Object.hasOwn(value, tag));
}

function tag(value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: value.toString() };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Map)
    return { $map: [...(value as Map<unknown, unknown>)].map((pair) => pair.map(tag)) };
  if (Array.isArray(value)) return value.map(tag);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, tag(inner)]));
  }
  return value;
}

function untag(value: unknown): unknown {
  if (isTagged(value)) {
    if ('$bigint' in value) return BigInt(value.$bigint);
    if ('$bytes' in value) return new Uint8Array(Buffer.from(value.$bytes, 'base64'));
    return new Map(value.$map.map(([key, inner]) => [untag(key), untag(inner)]));
  }
  if (Array.isArray(value)) return value.map(untag);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, untag(inner)]));
  }
  return value;
}

/** One line of text. */
export function toTaggedJson(value: unknown): string {
  return JSON.stringify(tag(value));
}

/** Throws SyntaxError for what is not JSON. The shape is the writer's: both ends are this program. */
export function fromTaggedJson(text: string): unknown {
  return untag(JSON.parse(text));
}
