import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const JAR = '/usr/share/java/zookeeper.jar';
const JAVA = '/usr/bin/java';
const READY_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 1_000;

/** Why no ZooKeeper can be started here; undefined: one can. */
export function zookeeperMissing(): string | undefined {
  if (!existsSync(JAR)) return `ZooKeeper is not installed (no ${JAR}; Debian's package "zookeeper" has it)`;
  return existsSync(JAVA) ? undefined : `no Java at ${JAVA}`;
}

export interface ZooKeeperServerOptions {
  /** Sessions time out after 2 to 20 of them. */
  readonly tickMs?: number;
  readonly port?: number;
}

/** A real ZooKeeper from Debian's package on a loopback port, with a data directory of its own. */
export interface ZooKeeperServer {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly pid: number;
  /** As it says itself; undefined: it does not serve. */
  mode(): Promise<'standalone' | 'leader' | 'follower' | undefined>;
  /** SIGKILL; the data stays. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  /** On the same port and data, after a `kill`. Resolves when clients are served. */
  start(): Promise<void>;
  /** As `kill`, and the data is removed. */
  destroy(): Promise<void>;
}

/** Resolves when clients are served. */
export async function startZookeeper(options: ZooKeeperServerOptions = {}): Promise<ZooKeeperServer> {
  const directory = await mkdtemp(join(tmpdir(), 'zookeeper-'));
  const server = new DebianZooKeeper(directory, options.port ?? (await freePort()), options.tickMs ?? 200);
  await server.start();
  return server;
}

/** Servers that make up one ZooKeeper. Resolves when all of them serve clients. */
export async function startEnsemble(size = 3, tickMs = 200): Promise<readonly ZooKeeperServer[]> {
  const numbers = Array.from({ length: size }, (_, index) => index + 1);
  const members: string[] = [];
  for (const number of numbers) {
    members.push(`server.${number}=127.0.0.1:${await freePort()}:${await freePort()}`);
  }
  const servers = await Promise.all(
    numbers.map(async (id) => {
      const directory = await mkdtemp(join(tmpdir(), 'zookeeper-'));
      return new DebianZooKeeper(directory, await freePort(), tickMs, { id, members });
    }),
  );
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

interface Membership {
  readonly id: number;
  readonly members: readonly string[];
}

class DebianZooKeeper implements ZooKeeperServer {
  readonly port: number;
  readonly #directory: string;
  readonly #tickMs: number;
  readonly #membership: Membership | undefined;
  #process: ChildProcess | undefined;

  constructor(directory: string, port: number, tickMs: number, membership?: Membership) {
    this.#directory = directory;
    this.port = port;
    this.#tickMs = tickMs;
    this.#membership = membership;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('ZooKeeper does not run');
    return pid;
  }

  async start(): Promise<void> {
    const data = join(this.#directory, 'data');
    const configuration = join(this.#directory, 'zoo.cfg');
    await mkdir(data, { recursive: true });
    await writeFile(
      configuration,
      [
        `dataDir=${data}`,
        `clientPort=${this.port}`,
        'clientPortAddress=127.0.0.1',
        `tickTime=${this.#tickMs}`,
        'admin.enableServer=false',
        '4lw.commands.whitelist=ruok,srvr',
        'maxClientCnxns=0',
        ...['initLimit=50', 'syncLimit=10', ...(this.#membership?.members ?? [])],
      ].join('\n'),
    );
    if (this.#membership !== undefined) await writeFile(join(data, 'myid'), String(this.#membership.id));
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const child = spawn(JAVA, [...JVM_OPTIONS, main, configuration], {
      stdio: 'ignore',
      cwd: this.#directory,
    });
    this.#process = child;
    await untilServing(this.port, child);
  }

  async mode(): Promise<'standalone' | 'leader' | 'follower' | undefined> {
    const said = /^Mode: (standalone|leader|follower)$/m.exec(await ask(this.port, 'srvr'));
    return said?.[1] as 'standalone' | 'leader' | 'follower' | undefined;
  }

  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async destroy(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** It starts fast and takes little memory; nothing that changes what it promises. */
const JVM_OPTIONS = [
  ...['-Xmx96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  ...['-cp', JAR, '-Dzookeeper.admin.enableServer=false', '-Dzookeeper.jmx.log4j.disable=true'],
];

/** It says which mode it is in only once it serves clients. */
async function untilServing(port: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  while (!(await ask(port, 'srvr')).includes('Mode:')) {
    if (child.exitCode !== null) throw new Error(`ZooKeeper ended with ${child.exitCode} before it served`);
    if (performance.now() > until) throw new Error(`ZooKeeper did not serve within ${READY_WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One of ZooKeeper's words of four letters; empty when nobody answers. */
function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    // From another address of loopback: a port that nobody listens at must not connect to itself.
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy());
    socket.on('connect', () => socket.write(word));
    socket.on('data', (chunk) => (said += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(said);
    });
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
