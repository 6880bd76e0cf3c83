/** Packages of the system that the chosen options need, and no others. */
import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { execa } from 'execa';
import { SetupError, type Tell } from './setup-error.ts';

export interface Need {
  /** A command that the package brings. */
  readonly command: string;
  /** Its name in Debian and Ubuntu. */
  readonly package: string;
}
export const RCLONE_NEEDS: readonly Need[] = [
  { command: 'rclone', package: 'rclone' },
  { command: 'fusermount3', package: 'fuse3' },
];
export const DOCKER_NEEDS: readonly Need[] = [{ command: 'dockerd', package: 'docker.io' }];

/** What `decideInstallation` looks at. */
export interface Situation {
  readonly missing: readonly Need[];
  readonly isRoot: boolean;
  /** ID and ID_LIKE of /etc/os-release. */
  readonly systems: readonly string[];
  readonly terminal: boolean;
}

export type Decision =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'install'; readonly packages: readonly string[]; readonly ask: boolean }
  | { readonly kind: 'refuse'; readonly message: string };

/** As root on Debian or Ubuntu missing packages are installed, asking first on a terminal; elsewhere they are named. */
export function decideInstallation({ missing, isRoot, systems, terminal }: Situation): Decision {
  if (missing.length === 0) return { kind: 'nothing' };
  const packages = [...new Set(missing.map((need) => need.package))];
  const debian = systems.includes('debian') || systems.includes('ubuntu');
  if (debian && isRoot) return { kind: 'install', packages, ask: terminal };
  const commands = missing.map((need) => need.command).join(', ');
  const how = debian
    ? `run: sudo apt-get install ${packages.join(' ')}`
    : `install them (Debian names the packages ${packages.join(', ')})`;
  return { kind: 'refuse', message: `missing: ${commands}: ${how}` };
}

/** @throws SetupError when something is missing and is not installed. */
export async function ensurePackages(
  needs: readonly Need[],
  environment: Readonly<Record<string, string | undefined>>,
  tell: Tell,
): Promise<void> {
  const missing: Need[] = [];
  for (const need of needs) {
    if ((await findCommand(need.command, environment)) === undefined) missing.push(need);
  }
  const decision = decideInstallation({
    missing,
    isRoot: process.getuid?.() === 0,
    systems: systemsOf(await readFile('/etc/os-release', 'utf8').catch(() => '')),
    terminal: process.stdin.isTTY && process.stderr.isTTY,
  });
  if (decision.kind === 'nothing') return;
  if (decision.kind === 'refuse') throw new SetupError(decision.message);
  await install(decision.packages, decision.ask, tell);
  for (const need of missing) {
    if ((await findCommand(need.command, environment)) === undefined) {
      throw new SetupError(`${need.command} is still missing after ${need.package} was installed`);
    }
  }
}

async function install(packages: readonly string[], ask: boolean, tell: Tell): Promise<void> {
  const names = packages.join(' ');
  if (ask && !(await agreed(`Install ${names} with apt-get? [Y/n] `))) {
    throw new SetupError(`not installed: ${names}. Run: apt-get install ${names}`);
  }
  tell(`Installing the system packages ${names}`);
  const options = {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    stdin: 'ignore',
    stdout: process.stderr,
    stderr: process.stderr,
  } as const;
  // A stale package list is worth a try: the mirror may still have those versions.
  await execa('apt-get', ['update', '-q'], { ...options, reject: false });
  const { failed, shortMessage } = await execa(
    'apt-get',
    ['install', '-y', '-q', '--no-install-recommends', ...packages],
    { ...options, reject: false },
  );
  if (failed) throw new SetupError(`apt-get could not install ${names}: ${shortMessage}`);
}

async function agreed(question: string): Promise<boolean> {
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await dialogue.question(question).finally(() => dialogue.close());
  return /^\s*(y|yes|)\s*$/i.test(answer);
}

/** ID and ID_LIKE of an os-release file. */
export function systemsOf(osRelease: string): string[] {
  const values = [...osRelease.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)];
  return values.flatMap((match) => (match[1] ?? '').split(' ')).filter((name) => name !== '');
}

/** Absolute path of a command; the system folders are looked at even where a user's PATH lacks them. */
export async function findCommand(
  command: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const folders = [...(environment['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    if (!folder.startsWith('/')) continue;
    const path = join(folder, command);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
}
