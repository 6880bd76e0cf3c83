import type { Random } from '../sim/random.ts';
import { jsonValue, mutated } from './material.ts';

/** The volume that is always asked about. */
export const VOLUME = 'volume1';

const ANSWERS = [
  '{}',
  '{"Err":""}',
  '{"Err":"volume not found"}',
  '{"Mountpoint":"/tmp"}',
  '{"Mountpoint":"/tmp","Err":""}',
  '{"Mountpoint":""}',
  '{"Implements":["VolumeDriver"]}',
  `{"Volume":{"Name":"${VOLUME}","Mountpoint":"/tmp","CreatedAt":"2026-11-22T11:01:42Z","Status":{"Mounts":["a"]}}}`,
  `{"Volume":{"Name":"VOLUME1"},"Err":null}`,
  '{"Volume":null}',
  `{"Volumes":[{"Name":"${VOLUME}","Mountpoint":""},{"Name":"b"}]}`,
  '{"Error":"No volumes returned"}',
  '{"Capabilities":{"Scope":"global"}}',
  '404 page not found\n',
  '<html>It works!</html>',
];

export interface PluginAnswer {
  readonly status: number;
  readonly body: string;
}

export function pluginAnswer(random: Random): PluginAnswer {
  const status = random.chance(0.7)
    ? 200
    : random.pick([0, 100, 201, 204, 301, 400, 404, 405, 500, 501, 502, 504, 999]);
  const body = random.chance(0.3) ? JSON.stringify(jsonValue(random)) : mutated(random, random.pick(ANSWERS));
  return { status, body };
}

/** The bytes of an HTTP answer, right or nearly so. */
export function httpAnswer(random: Random, { status, body }: PluginAnswer): Buffer {
  const length = Buffer.byteLength(body);
  const framings = [
    `Content-Length: ${length}\r\n\r\n${body}`,
    `\r\n${body}`,
    `Transfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    `Content-Length: ${length + random.below(3) - 1}\r\n\r\n${body}`,
  ];
  const text = `HTTP/1.1 ${status} Some\r\nX-Any: thing\r\n${random.pick(framings)}`;
  return Buffer.from(random.chance(0.6) ? text : mutated(random, text));
}
