// Packages of the system that a task needs. Plain JavaScript without dependencies: it runs before `npm ci`.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline/promises';

/**
 * What the suites need, and nothing else. `command` is what the Debian package `name` brings; an absolute path where
 * that lies in no folder of commands.
 */
export const TEST_NEEDS = [
  { name: 'docker.io', command: 'dockerd' },
  { name: 'rclone', command: 'rclone' },
  { name: 'fuse3', command: 'fusermount3' },
  { name: 'util-linux', command: 'flock' },
  { name: 'busybox-static', command: 'busybox' },
  { name: 'zookeeper', command: '/usr/share/zookeeper/bin/zkServer.sh' },
];

/** @returns {string | undefined} absolute path; the system folders are looked at even where PATH lacks them */
export function findCommand(command, path = process.env.PATH ?? '') {
  const folders = isAbsolute(command) ? ['/'] : [...path.split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    if (!isAbsolute(folder)) continue;
    try {
      accessSync(join(folder, command), constants.X_OK);
      return join(folder, command);
    } catch {
      // not here
    }
  }
  return undefined;
}

/**
 * Pure. As root on Debian or Ubuntu missing packages are installed, asking first on a terminal; elsewhere they are named.
 * @param {{missing: readonly {name: string}[], isRoot: boolean, osRelease: string, terminal: boolean}} situation
 * @returns {{kind: 'nothing'} | {kind: 'install', ask: boolean} | {kind: 'name', how: string}}
 */
export function decide({ missing, isRoot, osRelease, terminal }) {
  if (missing.length === 0) return { kind: 'nothing' };
  const names = missing.map(({ name }) => name).join(' ');
  const debian = /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(osRelease);
  if (debian && isRoot) return { kind: 'install', ask: terminal };
  return {
    kind: 'name',
    how: debian ? `sudo apt-get install ${names}` : `install (Debian's names): ${names}`,
  };
}

/**
 * Never fails: what cannot be had is named in the answer, with the command that gets it.
 * @param {readonly {name: string, command: string}[]} needs
 * @returns {Promise<{installed: string[], missing: {name: string, command: string}[]}>}
 */
export async function ensurePackages(needs, { ask = true, say = (line) => console.error(line) } = {}) {
  const missing = needs.filter(({ command }) => findCommand(command) === undefined);
  const terminal = ask && process.stdin.isTTY === true && process.stderr.isTTY === true;
  const decision = decide({ missing, isRoot: process.getuid?.() === 0, osRelease: osRelease(), terminal });
  if (decision.kind === 'nothing') return { installed: [], missing: [] };
  const names = missing.map(({ name }) => name);
  const how = decision.kind === 'name' ? decision.how : `apt-get install ${names.join(' ')}`;
  if (decision.kind === 'install' && (!decision.ask || (await agreed(names)))) {
    say(`Installing the system packages ${names.join(' ')}`);
    aptGet(['update', '-q']);
    // One by one: a package that cannot be had must not keep the others away.
    for (const name of names) aptGet(['install', '-y', '-q', '--no-install-recommends', name]);
  }
  const still = missing.filter(({ command }) => findCommand(command) === undefined);
  return {
    installed: names.filter((name) => still.every((each) => each.name !== name)),
    missing: still.map(({ name }) => ({ name, command: how })),
  };
}

function aptGet(parameters) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', parameters, { env, stdio: ['ignore', 2, 2], timeout: 180_000 });
}

function osRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}

async function agreed(names) {
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await dialogue.question(
    `The tests can use the system packages ${names.join(' ')}. Install them with apt-get? [Y/n] `,
  );
  dialogue.close();
  return /^\s*(y|yes|)\s*$/i.test(answer);
}
