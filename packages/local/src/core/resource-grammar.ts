/** `cpus:2;mem:2048;disk(es):10000;ports:[31000-31999]` and `rack:r1;zone:z1`, as the Mesos agent's flags. */
import type { Attribute, Range, Resource } from '@mesos-elasticsearch/mesos-v1';

type Value = Pick<Resource, 'scalar' | 'ranges' | 'set'> & { type: 'SCALAR' | 'RANGES' | 'SET' };

function parseRanges(text: string): Range[] {
  return text.split(',').map((part) => {
    const match = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(part);
    const [begin, end] = [Number(match?.[1]), Number(match?.[2])];
    if (match === null || begin > end)
      throw new TypeError(`not a range: '${part.trim()}', expected first-last`);
    return { begin, end };
  });
}

function parseValue(text: string): Value | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return { type: 'SCALAR', scalar: { value: Number(text) } };
  if (/^\[.*\]$/.test(text)) return { type: 'RANGES', ranges: { range: parseRanges(text.slice(1, -1)) } };
  if (/^\{.*\}$/.test(text)) {
    return {
      type: 'SET',
      set: {
        item: text
          .slice(1, -1)
          .split(',')
          .map((item) => item.trim()),
      },
    };
  }
  return undefined;
}

function entries(text: string): [name: string, value: string][] {
  return text
    .split(';')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const colon = entry.indexOf(':');
      if (colon <= 0) throw new TypeError(`'${entry}' is not of the form name:value`);
      return [entry.slice(0, colon).trim(), entry.slice(colon + 1).trim()];
    });
}

/** Throws TypeError that names the entry which is wrong. */
export function parseResources(text: string): Resource[] {
  return entries(text).map(([label, written]) => {
    const match = /^([^()]+?)(?:\(([^()]+)\))?$/.exec(label);
    const value = parseValue(written);
    if (match?.[1] === undefined || value === undefined) {
      throw new TypeError(
        `'${label}:${written}' is not a resource; expected name:number, name:[a-b] or name:{x,y}`,
      );
    }
    return { name: match[1], ...value, role: match[2] ?? '*' };
  });
}

/** Text attributes unless the value is a number, a range or a set. Throws TypeError as above. */
export function parseAttributes(text: string): Attribute[] {
  return entries(text).map(([name, written]) => ({
    name,
    ...(parseValue(written) ?? { type: 'TEXT' as const, text: { value: written } }),
  }));
}
