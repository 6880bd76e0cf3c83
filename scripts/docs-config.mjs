#!/usr/bin/env node
// Writes docs/configuration.md from the table of settings.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const work = await mkdtemp(join(tmpdir(), 'docs-config-'));
const outfile = join(work, 'document.mjs');
await build({
  entryPoints: [join(root, 'packages/cli/src/config/document.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
});
const module = await import(outfile).finally(() => rm(work, { recursive: true }));
const target = join(root, 'docs/configuration.md');
const text = await format(module.renderConfigurationDocument(), {
  ...(await resolveConfig(target)),
  parser: 'markdown',
});
await writeFile(target, text);
