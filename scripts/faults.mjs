#!/usr/bin/env node
// The fault table on a fresh clone: dependencies, packages, build, then test/faults/main.ts with the options given here.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEST_NEEDS, ensurePackages } from './system-packages.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const COMMAND = join(ROOT, 'packages/cli/dist/mesos-elasticsearch.mjs');
const ENTRIES = { main: 'test/faults/main.ts', auditor: 'test/faults/auditor/main.ts' };
/** As in build.mjs: what CommonJS dependencies call and name, an ES module does not have. */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';import{fileURLToPath as __toPath}from'node:url';import{dirname as __toDirectory}from'node:path';" +
  'const require=__createRequire(import.meta.url),__filename=__toPath(import.meta.url),__dirname=__toDirectory(__filename);';

process.chdir(ROOT);
const parameters = process.argv.slice(2);
installDependencies();
const listOnly = parameters.includes('--list');
if (!listOnly) {
  const { missing } = await ensurePackages(TEST_NEEDS);
  for (const { name, command } of missing) console.error(`${name} is missing. To have it: ${command}`);
  must('npm run build', process.execPath, ['scripts/build.mjs']);
}
const folder = mkdtempSync(join(tmpdir(), 'mesos-elasticsearch-faults-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const { build } = await import('esbuild');
for (const [name, entry] of Object.entries(ENTRIES)) {
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile: join(folder, `${name}.mjs`),
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20.19', logLevel: 'warning' },
    banner: { js: BANNER },
    loader: { '.sh': 'text', '.node': 'empty', '.proto': 'text' },
    external: ['cpu-features'],
  });
}
const child = spawn(
  process.execPath,
  [join(folder, 'main.mjs'), COMMAND, join(folder, 'auditor.mjs'), ...parameters],
  {
    stdio: 'inherit',
  },
);
// A terminal's Ctrl-C reaches the child by itself; a signal to this process alone is passed on.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => (process.stdin.isTTY ? undefined : child.kill('SIGINT')));
child.once('exit', (code) => process.exit(code ?? 1));

function installDependencies() {
  const installed = 'node_modules/.package-lock.json';
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs) return;
  must('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
}

function must(what, program, argv) {
  const { status } = spawnSync(program, argv, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`${what} failed: see above`);
  process.exit(1);
}
