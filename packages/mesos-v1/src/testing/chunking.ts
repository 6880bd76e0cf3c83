/** Ways of cutting bytes into chunks, for tests of anything that reads a stream. */

/** From `MESOS_V1_TEST_SEED` to replay a failure, else new. */
export function randomSeed(): number {
  const given = Number(process.env.MESOS_V1_TEST_SEED);
  return Number.isInteger(given) && given > 0 ? given : Math.floor(Math.random() * 0x7fffffff) + 1;
}

/** mulberry32: a small seeded generator of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export interface Chunking {
  /** For the test's title; holds the seed where there is one. */
  name: string;
  split(bytes: Uint8Array): Uint8Array[];
}

function inSteps(bytes: Uint8Array, step: () => number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + Math.max(1, step());
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

export function randomChunking(seed: number, largest = 700): Chunking {
  return {
    name: `at random (MESOS_V1_TEST_SEED=${seed})`,
    split(bytes) {
      const random = seededRandom(seed);
      return inSteps(bytes, () => Math.ceil(random() * (random() < 0.3 ? 4 : largest)));
    },
  };
}

/** Whole, byte by byte, in halves, at random. */
export function chunkings(seed: number): Chunking[] {
  return [
    { name: 'whole', split: (bytes) => [bytes] },
    { name: 'byte by byte', split: (bytes) => inSteps(bytes, () => 1) },
    { name: 'in halves', split: (bytes) => inSteps(bytes, () => Math.ceil(bytes.length / 2)) },
    randomChunking(seed),
  ];
}
