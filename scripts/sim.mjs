#!/usr/bin/env node
// npm run sim: bundles the simulation with the real cores into one file, so that it starts at once, and runs it.
import { join, dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outages = process.argv[2] === '--outages';
const outfile = join(root, 'node_modules/.cache/simulation', `sim-${process.pid}.mjs`);

await build({
  entryPoints: [join(root, 'test/sim', outages ? 'outages.ts' : 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  loader: { '.sh': 'text', '.proto': 'text' },
  sourcemap: 'inline',
  logLevel: 'warning',
});
process.setSourceMapsEnabled(true);
try {
  await import(pathToFileURL(outfile));
} finally {
  const { rm } = await import('node:fs/promises');
  await rm(outfile);
}
