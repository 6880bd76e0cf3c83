export type { Chunking } from './chunking.ts';
export { chunkings, randomChunking, randomSeed, seededRandom } from './chunking.ts';
