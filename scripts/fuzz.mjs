#!/usr/bin/env node
// npm run fuzz: builds the executables, bundles the fuzzer with the real parsers into one file and runs it.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outfile = join(root, 'node_modules/.cache/fuzz', `fuzz-${process.pid}.mjs`);

const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);
await build({
  entryPoints: [join(root, 'test/fuzz/main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // As a bundle of ES modules it cannot hold these; they are where it is run.
  packages: 'external',
  alias: {
    '@mesos-elasticsearch/contract': join(root, 'packages/contract/src/index.ts'),
    '@mesos-elasticsearch/dvdcli-bridge': join(root, 'packages/dvdcli-bridge/src/index.ts'),
    '@mesos-elasticsearch/dvdcli-bridge/parsers': join(root, 'packages/dvdcli-bridge/src/parsers.ts'),
  },
  logLevel: 'warning',
});
try {
  const argv = ['--enable-source-maps', outfile, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, argv, { stdio: 'inherit', cwd: root });
  process.exitCode = status ?? 1;
} finally {
  const { rm } = await import('node:fs/promises');
  await rm(outfile, { force: true });
}
