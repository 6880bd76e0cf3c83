// Starting programs that can be stopped with everything they started.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** In the environment of all that a run starts, so that what it leaves behind can be told from everything else. */
const MARK = 'MESOS_ELASTICSEARCH_TEST_RUN';
const KILL_AFTER_MS = 15_000;
const running = new Set();
let stopping = false;

/**
 * @param {{runId: string, limitMs: number, env?: Record<string, string>, stdio?: import('node:child_process').StdioOptions}} options
 * @returns {Promise<{exitCode: number | null, timedOut: boolean}>} never rejects
 */
export async function run(program, parameters, { runId, limitMs, env = {}, stdio = ['ignore', 1, 2] }) {
  if (stopping) return { exitCode: null, timedOut: false };
  const child = spawn(program, parameters, {
    stdio,
    detached: true,
    env: { ...process.env, ...env, [MARK]: runId },
  });
  running.add(child);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    void stop(child);
  }, limitMs);
  const exitCode = await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`cannot start ${program}: ${error.message}`);
      resolve(null);
    });
    child.once('exit', (code) => resolve(code));
  });
  clearTimeout(limit);
  running.delete(child);
  signalGroup(child.pid, 'SIGKILL');
  await removeLeftovers(runId);
  return { exitCode, timedOut };
}

/** Ends everything that is running and starts nothing more; for an interrupted run. */
export async function stopEverything(runId) {
  stopping = true;
  await Promise.all([...running].map((child) => stop(child, 5_000)));
  await removeLeftovers(runId);
}

async function stop(child, killAfterMs = KILL_AFTER_MS) {
  signalGroup(child.pid, 'SIGTERM');
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await Promise.race([gone, delay(killAfterMs, undefined, { ref: false })]);
  signalGroup(child.pid, 'SIGKILL');
}

function signalGroup(pid, signal) {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // Nothing is left of the group.
  }
}

/** Processes that left their group (daemons, agents) carry the mark of the run; they get a moment to end by themselves. */
async function removeLeftovers(runId) {
  const deadline = Date.now() + 3_000;
  while (marked(runId).length > 0 && Date.now() < deadline) await delay(100);
  for (const { pid, command } of marked(runId)) {
    console.error(`left behind by the tests, killed: process ${pid} (${command})`);
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

function marked(runId) {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`${MARK}=${runId}`)) return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid, command: command.slice(0, 120) }];
      } catch {
        return []; // Gone, or somebody else's.
      }
    });
}
