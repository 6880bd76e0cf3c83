/** Elasticsearch as a container, its volumes mounted by Docker. */
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import type { LaunchSpec, VolumeRole } from '@mesos-elasticsearch/contract';
import { readMountTable, type Attachment, type MountEntry } from '@mesos-elasticsearch/dvdcli-bridge';
import {
  createControlDirectory,
  lastWord,
  type ControlDirectory,
  type GuardDeadline,
} from '../guard/control-directory.ts';
import { SetupError, type NodeProcess, type NodeRuntime } from '../ports.ts';
import { removeOrphans as removeOrphanProcesses } from '../jar/orphans.ts';
import type { ProcessLooks } from '../jar/look.ts';
import { cgroupParent } from './cgroup-tie.ts';
import { checkMounts } from './check-mounts.ts';
import { containerCommands } from './container-commands.ts';
import { containerOptions, INSIDE } from './container-options.ts';
import { daemonText, removeOrphans, statusCodeOf, untilRemoved, untilStopped } from './containers.ts';

export interface DockerRuntimeOptions {
  readonly sandbox: string;
  readonly socket: string;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly looks?: ProcessLooks;
}

const GUARD_START_LIMIT_MS = 30_000;
const POLL_MS = 100;
const ORDER_LIMIT_MS = 2_000;

export function dockerRuntime(options: DockerRuntimeOptions): NodeRuntime {
  const docker = new Docker({ socketPath: options.socket });
  return {
    endOrphans: (spec) => endOrphans(docker, spec, options),
    prepare: (spec) => prepare(docker, spec),
    start: (spec, attachments, deadline) => start(docker, spec, { ...options, attachments, deadline }),
  };
}

/** The executor of an earlier epoch first, so that it cannot bring its container back. */
async function endOrphans(docker: Docker, spec: LaunchSpec, options: DockerRuntimeOptions): Promise<void> {
  const ended = await removeOrphanProcesses(spec, options.looks);
  if (ended.length > 0) options.log('processes of an earlier epoch ended', { processes: ended });
  try {
    await docker.ping();
  } catch (cause) {
    throw new SetupError(`Docker does not answer at ${options.socket}: ${daemonText(cause)}`, { cause });
  }
  const removed = await removeOrphans(docker, spec);
  if (removed.length > 0) options.log('containers of an earlier epoch removed', { containers: removed });
}

async function prepare(docker: Docker, spec: LaunchSpec): Promise<void> {
  const { image, forcePull } = dockerPart(spec);
  const present = await docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      (error: unknown) => {
        if (statusCodeOf(error) === 404) return false;
        throw new SetupError(`image ${image}: ${daemonText(error)}`, { cause: error });
      },
    );
  if (forcePull || !present) await pull(docker, image);
}

async function pull(docker: Docker, image: string): Promise<void> {
  try {
    const progress = await docker.pull(image);
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
    });
  } catch (cause) {
    throw new SetupError(`image ${image} is not on this agent and cannot be pulled: ${daemonText(cause)}`, {
      cause,
    });
  }
}

interface StartOptions extends DockerRuntimeOptions {
  readonly attachments: Readonly<Record<VolumeRole, Attachment>>;
  readonly deadline: GuardDeadline;
}

async function start(docker: Docker, spec: LaunchSpec, options: StartOptions): Promise<NodeProcess> {
  const { attachments, sandbox, deadline, log } = options;
  const control = await createControlDirectory(sandbox, { deadline, writableByAll: true });
  const logs = join(sandbox, 'elasticsearch', 'logs');
  await mkdir(logs, { recursive: true });
  // Its owner is a number that this machine may not know.
  await chmod(logs, 0o777);
  const tie = await findTie(docker);
  if (tie.kind === 'none') log('the container is not tied to the executor', { why: tie.why });
  const parent = tie.kind === 'parent' ? tie.path : undefined;
  const { image } = dockerPart(spec);
  const parts = {
    spec,
    image,
    attachments,
    guard: control.script,
    control: control.path,
    logs,
    cgroupParent: parent,
  };
  const container = await create(docker, parts);
  try {
    await container.start();
    await guardIsUp(container, control);
    const { Id: id, Mounts: mounts, State } = await container.inspect();
    checkMounts(spec, attachments, { id, mounts, mountTable: mountTableOf(State.Pid) });
    const tied = parent !== undefined && (await isInCgroup(State.Pid, parent));
    return running(docker, container, { spec, control, tied, log });
  } catch (cause) {
    const says = daemonText(cause);
    await untilRemoved(container, (trouble) => log('the container cannot be removed yet', { says: trouble }));
    throw cause instanceof SetupError
      ? cause
      : new SetupError(`the container cannot be started: ${says}`, { cause });
  }
}

/** A create whose answer was lost may have made the container all the same: it is found by its name. */
async function create(
  docker: Docker,
  parts: Parameters<typeof containerOptions>[0],
): Promise<Docker.Container> {
  const options = containerOptions(parts);
  try {
    return await docker.createContainer(options);
  } catch (cause) {
    if (options.name !== undefined && statusCodeOf(cause) === undefined) {
      await untilRemoved(docker.getContainer(options.name));
    }
    throw new SetupError(`the container cannot be created: ${daemonText(cause)}`, { cause });
  }
}

function running(
  docker: Docker,
  container: Docker.Container,
  about: { spec: LaunchSpec; control: ControlDirectory; tied: boolean; log: DockerRuntimeOptions['log'] },
): NodeProcess {
  const { spec, control, tied, log } = about;
  const { uid, gid } = spec.elasticsearch;
  const gone = untilStopped(container).then(async (code) => {
    const said = await lastWord(control);
    await untilRemoved(container, (says) => log('the container cannot be removed yet', { says }));
    return said ?? code;
  });
  return {
    tied,
    mountpoints: INSIDE.volumes,
    home: INSIDE.home,
    logDirectory: INSIDE.logs,
    user: { uid, gid },
    commands: containerCommands(docker, container, { uid, gid }),
    extend: (deadline) => control.extend(deadline),
    go: () => control.go(),
    stop: () => control.stop(),
    kill: () => kill(container, control, gone),
    gone,
    // A stopped container has no processes, and one that is removed has no mounts.
    stillHolding: () => Promise.resolve([]),
  };
}

async function kill(
  container: Docker.Container,
  control: ControlDirectory,
  gone: Promise<string>,
): Promise<void> {
  await control.kill().catch(() => undefined);
  const isGone = () => Promise.race([gone.then(() => true), delay(ORDER_LIMIT_MS, false)]);
  while (!(await isGone())) {
    await container.kill({ signal: 'SIGKILL' }).catch(() => undefined);
  }
}

async function guardIsUp(container: Docker.Container, control: ControlDirectory): Promise<void> {
  for (let waited = 0; waited < GUARD_START_LIMIT_MS; waited += POLL_MS) {
    if ((await control.state()) !== undefined) return;
    const { State } = await container.inspect();
    if (!State.Running) {
      throw new SetupError(
        `the container ended at once (exit code ${String(State.ExitCode)}): ${State.Error || 'no words'}`,
      );
    }
    await delay(POLL_MS);
  }
  throw new SetupError('the guard in the container gave no sign of life');
}

async function findTie(docker: Docker): Promise<ReturnType<typeof cgroupParent>> {
  const info = (await docker.info()) as { CgroupDriver?: string; CgroupVersion?: string };
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  return cgroupParent(own, { cgroupDriver: info.CgroupDriver, cgroupVersion: info.CgroupVersion });
}

/** Undefined where this user may not look at processes of others. */
function mountTableOf(pid: number): readonly MountEntry[] | undefined {
  try {
    return readMountTable(pid);
  } catch {
    return undefined;
  }
}

async function isInCgroup(pid: number, parent: string): Promise<boolean> {
  const text = await readFile(`/proc/${String(pid)}/cgroup`, 'utf8').catch(() => '');
  return text.split('\n').some((line) => line.includes('freezer') && line.includes(`:${parent}/`));
}

function dockerPart(spec: LaunchSpec): { image: string; forcePull: boolean } {
  if (spec.runtime.kind !== 'docker') throw new SetupError('the launch spec is not for the docker runtime');
  return spec.runtime;
}
