/** A Docker daemon of the test's own, and an image made of busybox that looks like Elasticsearch from outside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { execa } from 'execa';
import { create } from 'tar';

const BUSYBOX = '/bin/busybox';
const DAEMON = '/usr/sbin/dockerd';

/** Why there can be none here; undefined where there can. */
export function dockerMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  return [BUSYBOX, DAEMON].filter((path) => !existsSync(path)).map((path) => `no ${path}`)[0];
}

export interface TestedDaemon {
  readonly docker: Docker;
  readonly socket: string;
  stop(): Promise<void>;
}

/** Everything of it lies below `root`; an existing Docker is not touched. */
export async function startDockerDaemon(root: string): Promise<TestedDaemon> {
  const socket = join(root, 'docker.sock');
  const argv = [
    ...['-H', `unix://${socket}`, '--data-root', join(root, 'data'), '--exec-root', join(root, 'exec')],
    ...['-p', join(root, 'docker.pid'), '--bridge=none', '--iptables=false', '--ip6tables=false'],
  ];
  const child = spawn(DAEMON, argv, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const docker = new Docker({ socketPath: socket });
  for (let waited = 0; waited < 60_000; waited += 200) {
    if (child.exitCode !== null) throw new Error(`dockerd ended with ${String(child.exitCode)}`);
    const answers = await docker.ping().then(
      () => true,
      () => false,
    );
    if (answers) break;
    await delay(200);
  }
  return {
    docker,
    socket,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      // The daemon leaves its handle of the host's network mounted.
      await execa('umount', [join(root, 'exec', 'netns', 'default')], { reject: false });
    },
  };
}

const APPLETS = ['sh', 'ls', 'cat', 'dd', 'mv', 'rm', 'chown', 'mkdir', 'sync', 'sleep', 'mktemp', 'id'];

/** An image whose `bin/elasticsearch` is the given shell program. */
export async function importImage(
  docker: Docker,
  root: string,
  name: string,
  program: string,
  /** Lines of a Dockerfile: `VOLUME /extra`. */
  changes?: string,
): Promise<void> {
  const rootfs = join(root, 'rootfs');
  const home = 'usr/share/elasticsearch';
  const files: Readonly<Record<string, string>> = {
    [`${home}/bin/elasticsearch`]: `#!/bin/sh\n${program}\n`,
    [`${home}/lib/elasticsearch-8.19.5.jar`]: '',
    [`${home}/modules/transport-netty4/x`]: '',
    [`${home}/config/jvm.options`]: '-XX:+UseG1GC\n',
    [`${home}/config/log4j2.properties`]: 'status = error\n',
    'etc/passwd': 'root:x:0:0::/:/bin/sh\n',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(rootfs, path)), { recursive: true });
    await writeFile(join(rootfs, path), text);
  }
  await chmod(join(rootfs, home, 'bin/elasticsearch'), 0o755);
  await mkdir(join(rootfs, 'bin'), { recursive: true });
  await mkdir(join(rootfs, 'proc'), { recursive: true });
  await copyFile(BUSYBOX, join(rootfs, 'bin/busybox'));
  for (const applet of APPLETS) await symlink('busybox', join(rootfs, 'bin', applet));
  const archive = join(root, 'image.tar');
  await create({ cwd: rootfs, file: archive, portable: true }, ['.']);
  const [repo, tag] = name.split(':');
  const answer = await docker.importImage(archive, {
    repo,
    tag,
    ...(changes === undefined ? {} : { changes }),
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()));
  });
}
