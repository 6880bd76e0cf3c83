/** Port ranges for agents that share one host: disjoint, and free at the time of asking. */
import { createServer } from 'node:net';

/** Below the range from which Linux takes ports for outgoing connections. */
const FIRST = 20_000;
const LAST = 32_000;

export interface PortRange {
  readonly begin: number;
  readonly end: number;
}

export type IsFree = (port: number) => Promise<boolean>;

/**
 * @param random from 0 up to 1: two demos side by side start looking in different places
 * @throws Error when there are not enough free ports
 */
export async function freeRanges(
  count: number,
  size: number,
  random: number,
  isFree: IsFree = portIsFree,
): Promise<PortRange[]> {
  const ranges: PortRange[] = [];
  const blocks = Math.floor((LAST - FIRST) / size);
  const start = Math.floor(random * blocks);
  for (let step = 0; step < blocks && ranges.length < count; step += 1) {
    const begin = FIRST + ((start + step) % blocks) * size;
    const ports = Array.from({ length: size }, (_, index) => begin + index);
    const free = await Promise.all(ports.map((port) => isFree(port)));
    if (free.every(Boolean)) ranges.push({ begin, end: begin + size - 1 });
  }
  if (ranges.length < count) {
    throw new Error(
      `there are not ${count} times ${size} free ports in a row between ${FIRST} and ${LAST}: end other programs that listen there`,
    );
  }
  return ranges;
}

async function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
