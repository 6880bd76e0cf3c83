#!/usr/bin/env node
// Writes the capability table of docs/volumes.md, between its markers.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const work = await mkdtemp(join(tmpdir(), 'docs-volumes-'));
const outfile = join(work, 'show.mjs');
await build({
  entryPoints: [join(root, 'packages/dvdcli-bridge/src/capabilities/core/show.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
});
const { capabilitiesMarkdown } = await import(outfile).finally(() => rm(work, { recursive: true }));
const target = join(root, 'docs/volumes.md');
const table = await format(capabilitiesMarkdown(), { ...(await resolveConfig(target)), parser: 'markdown' });
const between = /(<!-- capabilities -->\n)[^]*?(<!-- \/capabilities -->)/;
const text = await readFile(target, 'utf8');
if (!between.test(text))
  throw new Error(`${target} has no place for the table: <!-- capabilities --> … <!-- /capabilities -->`);
await writeFile(
  target,
  text.replace(between, (_, before, after) => `${before}\n${table}\n${after}`),
);
