/** What the machine has: Docker, dvdcli, an agent with isolators, Java, kernel settings, FUSE. */
import { existsSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { findJava } from '../setup/java.ts';
import { messageOf } from '../setup/setup-error.ts';
import { findCommand } from '../setup/system-packages.ts';
import { dockerAt } from '../volumes/reach.ts';
import { activeIsolators, isolationOf, TRACES, type AgentFinding } from './core/agent.ts';
import { dvdcliLine } from './core/dvdcli.ts';
import { failed, fine, skipped, type Line } from './core/line.ts';

type Environment = Readonly<Record<string, string | undefined>>;
const LIMIT_MS = 5_000;

/** Elasticsearch refuses to start below it, once it is bound to more than loopback. */
const LEAST_MAP_COUNT = 262_144;

export async function dockerLine(
  host: string | undefined,
  environment: Environment,
  needed: boolean,
): Promise<Line> {
  const named = host ?? (environment['DOCKER_HOST'] || '/var/run/docker.sock');
  try {
    const { Version: version } = await Promise.race([dockerAt(host, environment).version(), noAnswer()]);
    return fine('docker', `Docker Engine ${version} at ${named}`);
  } catch (error) {
    const says = `no Docker Engine answers at ${named}: ${messageOf(error)}`;
    return needed ? failed('docker', says, 'start dockerd, or give --docker-host') : skipped('docker', says);
  }
}

/** The client has no time limit for this call. */
function noAnswer(): Promise<never> {
  const text = `it does not answer within ${LIMIT_MS} ms`;
  return new Promise((_, reject) => void setTimeout(() => reject(new Error(text)), LIMIT_MS).unref());
}

export async function dvdcliFinding(program: string, needed: boolean): Promise<Line> {
  const version = await runBriefly(program, 'version');
  if (version.why !== undefined) {
    const says = `${program} cannot be run (${version.why})`;
    return needed ? failed('dvdcli', says, 'install it, or give --dvdcli PATH') : skipped('dvdcli', says);
  }
  return dvdcliLine(program, version.stdout, (await runBriefly(program, '--help')).all);
}

/** A script may leave a child behind that keeps its output open, so the whole group goes at the limit. */
async function runBriefly(
  program: string,
  word: string,
): Promise<{ readonly why: string | undefined; readonly stdout: string; readonly all: string }> {
  const child = execa(program, [word], { reject: false, stdin: 'ignore', all: true, detached: true });
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    limit = setTimeout(() => {
      killGroup(child.pid);
      resolve(undefined);
    }, LIMIT_MS);
  });
  const result = await Promise.race([child, late]);
  clearTimeout(limit);
  if (result === undefined) return { why: `it did not end within ${LIMIT_MS} ms`, stdout: '', all: '' };
  const { exitCode, code, shortMessage = 'it did not end', stdout, all } = result;
  return { why: exitCode === undefined ? (code ?? shortMessage) : undefined, stdout, all };
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** @param asked host:port that somebody gave; undefined: this host's usual one, if it answers */
export async function agentFinding(asked: string | undefined): Promise<AgentFinding> {
  const agent = asked ?? '127.0.0.1:5051';
  const traces = TRACES.filter((path) => existsSync(path));
  const failures: string[] = [];
  for (const path of ['/flags', '/state']) {
    try {
      const response = await fetch(`http://${agent}${path}`, { signal: AbortSignal.timeout(LIMIT_MS) });
      const isolation = response.ok ? isolationOf(await response.json()) : undefined;
      if (isolation !== undefined) return { agent, isolation, failure: undefined, traces };
      failures.push(`${path}: HTTP ${response.status}`);
    } catch (error) {
      failures.push(messageOf((error as Error).cause ?? error));
      break;
    }
  }
  const failure = asked === undefined ? undefined : failures.join('; ');
  return { agent, isolation: undefined, failure, traces };
}

export function isolatorActive({ isolation }: AgentFinding): boolean {
  return isolation !== undefined && activeIsolators(isolation).length > 0;
}

export async function javaLine(environment: Environment, needed: boolean): Promise<Line> {
  try {
    const { version, home } = await findJava(environment);
    return fine('java', `${version} at ${home}`);
  } catch (error) {
    const [says = '', next = 'install Java 17 or newer'] = messageOf(error).split(/: (?=install )/);
    return needed ? failed('java', says, next) : skipped('java', says);
  }
}

export function mapCountLine(): Line {
  const check = 'vm.max_map_count';
  try {
    const count = Number(readFileSync('/proc/sys/vm/max_map_count', 'utf8'));
    return count >= LEAST_MAP_COUNT
      ? fine(check, String(count))
      : failed(
          check,
          `${count}: Elasticsearch wants ${LEAST_MAP_COUNT}`,
          `sysctl -w vm.max_map_count=${LEAST_MAP_COUNT}, and the same line in /etc/sysctl.d`,
        );
  } catch (error) {
    return skipped(check, `it cannot be read: ${messageOf(error)}`);
  }
}

export async function fuseLine(environment: Environment, needed: boolean): Promise<Line> {
  const program =
    (await findCommand('fusermount3', environment)) ?? (await findCommand('fusermount', environment));
  const missing = [
    ...(program === undefined ? ['fusermount3 (package fuse3)'] : []),
    ...(existsSync('/dev/fuse') ? [] : ['/dev/fuse']),
  ];
  if (missing.length === 0) return fine('fuse', `${program ?? ''} and /dev/fuse`);
  const says = `missing: ${missing.join(' and ')}`;
  return needed
    ? failed('fuse', says, 'apt-get install fuse3; in a container: --device /dev/fuse')
    : skipped('fuse', says);
}
