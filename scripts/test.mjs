#!/usr/bin/env node
// npm test: on a fresh clone with Node, git and Java, installs what the suites need and runs all that this machine can run.
//   node scripts/test.mjs [--only check,unit,wire,sim,fuzz,integration,conformance,docker,e2e,faults]
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEST_NEEDS, ensurePackages } from './system-packages.mjs';
import { run, stopEverything } from './test/processes.mjs';
import { judge, readFacts, summary } from './test/tally.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const BIN = (name) => join(ROOT, 'node_modules', '.bin', name);

/** The whole run, and the longest that each part of it may take, in seconds. */
const TOTAL_S = 75 * 60;
const RESERVE_S = 30;
const SETUP_S = 300;
const CHECKS = {
  types: { program: 'tsc', parameters: ['--noEmit'], limitS: 180 },
  lint: { program: 'eslint', parameters: ['.'], limitS: 240 },
  format: { program: 'prettier', parameters: ['--check', '--log-level', 'warn', '.'], limitS: 120 },
};
const PROJECTS = {
  tidy: 120,
  unit: 300,
  wire: 180,
  sim: 600,
  fuzz: 180,
  integration: 1440,
  conformance: 240,
  docker: 420,
  e2e: 1500,
  faults: 900,
};
const NEEDING_PACKAGES = ['integration', 'docker', 'e2e', 'faults'];

const runId = randomUUID();
const startedAt = performance.now();
const remainingS = () => TOTAL_S - RESERVE_S - (performance.now() - startedAt) / 1000;

async function main() {
  process.chdir(ROOT);
  checkNode();
  const only = partsOf(process.argv.slice(2));
  await installDependencies();
  if (NEEDING_PACKAGES.some((project) => only.includes(project))) await installPackages();
  const results = [await step('build', process.execPath, ['scripts/build.mjs'], SETUP_S)];
  const elasticsearch = only.includes('integration') ? await provideElasticsearch() : {};
  if (only.includes('check')) {
    for (const [name, { program, parameters, limitS }] of Object.entries(CHECKS)) {
      results.push(await step(`check ${name}`, BIN(program), parameters, limitS));
    }
  }
  for (const project of Object.keys(PROJECTS)) {
    if (!only.includes(project === 'tidy' ? 'check' : project)) continue;
    results.push(await runProject(project, project === 'integration' ? elasticsearch : {}));
  }
  const { text, exitCode } = summary(results);
  console.log(text);
  return exitCode;
}

/** @returns {string[]} `check` and the names of projects */
function partsOf(parameters) {
  const all = ['check', ...Object.keys(PROJECTS).filter((name) => name !== 'tidy')];
  const [flag, value, ...rest] = parameters.flatMap((each) => each.split('='));
  if (flag === undefined) return all;
  const chosen = (value ?? '').split(',');
  const unknown = chosen.filter((name) => !all.includes(name));
  if (flag !== '--only' || rest.length > 0 || unknown.length > 0) {
    stopWith(`usage: npm test [-- --only ${all.join(',')}]`);
  }
  return chosen;
}

function checkNode() {
  const wanted = JSON.parse(readFileSync('package.json', 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  if (ourMajor < major || (ourMajor === major && ourMinor < minor)) {
    stopWith(`Node ${process.versions.node} is too old: ${wanted} or newer is needed (https://nodejs.org)`);
  }
}

async function installDependencies() {
  const installed = join('node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs) return;
  console.error('Installing the dependencies (npm ci)');
  const parameters = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const [program, ...before] = process.env.npm_execpath
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const { exitCode, timedOut } = await run(program, [...before, ...parameters], {
    runId,
    limitMs: SETUP_S * 1000,
    stdio: ['ignore', 2, 2],
  });
  if (exitCode !== 0) stopWith(`npm ci ${timedOut ? 'took too long' : 'failed'}: see above`);
}

async function installPackages() {
  const { installed, missing } = await ensurePackages(TEST_NEEDS);
  if (installed.length > 0) console.error(`Installed: ${installed.join(' ')}`);
  for (const { name, command } of missing) {
    console.error(`${name} is missing: suites that need it are skipped. To run them: ${command}`);
  }
}

/** For the tests that run Elasticsearch below an executor of their own; they are skipped by name without one. */
async function provideElasticsearch() {
  if (process.env.ELASTICSEARCH_HOME || process.env.ELASTICSEARCH_ARCHIVE) return {};
  const scratch = mkdtempSync(join(tmpdir(), 'test-elasticsearch-'));
  const said = openSync(join(scratch, 'home'), 'w+');
  const command = join(ROOT, 'packages/cli/dist/mesos-elasticsearch.mjs');
  const { exitCode } = await run(process.execPath, [command, 'elasticsearch-home'], {
    runId,
    limitMs: limitMsOf(SETUP_S),
    stdio: ['ignore', said, 2],
  });
  closeSync(said);
  const home = readFileSync(join(scratch, 'home'), 'utf8').trim();
  rmSync(scratch, { recursive: true });
  if (exitCode === 0 && home !== '') return { ELASTICSEARCH_HOME: home };
  console.error('No Elasticsearch: the tests that need one are skipped');
  return {};
}

/** A program whose exit code is its verdict. It is no test: it counts only when it fails. */
async function step(name, program, parameters, limitS) {
  console.error(`\n== ${name}`);
  const { exitCode, timedOut } = await run(program, parameters, { runId, limitMs: limitMsOf(limitS) });
  const why = timedOut ? 'took too long' : `exit code ${String(exitCode)}`;
  return exitCode === 0
    ? { passed: 0, failures: [], skipped: [] }
    : { passed: 0, failures: [`${name}: ${why}`], skipped: [] };
}

async function runProject(project, env) {
  console.error(`\n== ${project}`);
  if (remainingS() < 5) {
    return { passed: 0, failures: [`${project}: not run, the time for all suites was used up`], skipped: [] };
  }
  const limitMs = limitMsOf(PROJECTS[project]);
  const scratch = mkdtempSync(join(tmpdir(), 'test-facts-'));
  const file = join(scratch, 'facts');
  const reporters = ['--reporter=default', `--reporter=${join(ROOT, 'scripts/test/facts-reporter.mjs')}`];
  const { exitCode, timedOut } = await run(
    BIN('vitest'),
    ['run', '--project', project, '--passWithNoTests', ...reporters],
    { runId, limitMs, env: { ...env, TEST_FACTS_FILE: file } },
  );
  const facts = readFacts(existsSync(file) ? readFileSync(file, 'utf8') : '');
  rmSync(scratch, { recursive: true });
  const timing = timedOut ? { timedOutAfterS: Math.round(limitMs / 1000) } : {};
  return judge({ project, facts, exitCode, ...timing });
}

function limitMsOf(limitS) {
  return Math.max(1, Math.min(limitS, remainingS())) * 1000;
}

function stopWith(message) {
  console.error(message);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    console.error(`\n${signal}: stopping what the tests started`);
    void stopEverything(runId).finally(() => process.exit(128 + constants.signals[signal]));
  });
}
process.exitCode = await main();
