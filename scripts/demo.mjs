#!/usr/bin/env node
// The demo on a fresh clone: dependencies, build, then `mesos-elasticsearch demo` with the options given here.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const LEAST_NODE = [20, 19];
const COMMAND = 'packages/cli/dist/mesos-elasticsearch.mjs';

/** What goes on is said on stderr: stdout belongs to the demo's own result. */
function run(argv, stdout) {
  const [program, ...rest] = argv;
  const child = spawn(program, rest, { cwd: root, stdio: ['inherit', stdout, 'inherit'] });
  // A terminal's Ctrl-C reaches the child by itself; a signal to this process alone is passed on.
  const pass = (signal) => child.kill(signal);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, pass);
  const stay = () => undefined;
  process.on('SIGINT', process.stdin.isTTY ? stay : () => pass('SIGINT'));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
}

async function runFirst(title, argv) {
  console.error(title);
  const code = await run(argv, 2);
  if (code !== 0) {
    console.error(`${argv.join(' ')} failed with code ${code}`);
    process.exit(code);
  }
}

/** npm writes this file last, so it tells whether the dependencies are those of the lock file. */
async function dependenciesAreCurrent() {
  const installed = await stat(join(root, 'node_modules/.package-lock.json')).catch(() => undefined);
  const locked = await stat(join(root, 'package-lock.json'));
  return installed !== undefined && installed.mtimeMs >= locked.mtimeMs;
}

async function buildIsCurrent() {
  const built = await stat(join(root, COMMAND)).catch(() => undefined);
  if (built === undefined) return false;
  const sources = await readdir(join(root, 'packages'), { recursive: true, withFileTypes: true });
  for (const entry of sources) {
    if (
      !entry.isFile() ||
      !/[/\\]src([/\\]|$)/.test(entry.parentPath) ||
      entry.parentPath.includes('node_modules')
    ) {
      continue;
    }
    const { mtimeMs } = await stat(join(entry.parentPath, entry.name));
    if (mtimeMs > built.mtimeMs) return false;
  }
  return true;
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
  console.error(`Node.js ${process.versions.node} is too old: this needs ${LEAST_NODE.join('.')} or newer.`);
  process.exit(1);
}
const npm = existsSync(join(dirname(process.execPath), 'npm'))
  ? join(dirname(process.execPath), 'npm')
  : 'npm';
if (!(await dependenciesAreCurrent())) {
  await runFirst('Installing dependencies (npm ci)', [npm, 'ci', '--no-audit', '--no-fund']);
}
if (!(await buildIsCurrent())) await runFirst('Building', [process.execPath, 'scripts/build.mjs']);
process.exit(await run([process.execPath, COMMAND, 'demo', ...process.argv.slice(2)], 'inherit'));
