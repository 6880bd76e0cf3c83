/** Elasticsearch as a process straight on the agent. */
import { constants } from 'node:fs';
import { access, chown, mkdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import {
  NODE_MARK_VARIABLE,
  nodeMark,
  type LaunchSpec,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import type { Attachment } from '@mesos-elasticsearch/dvdcli-bridge';
import { findJava } from '../elasticsearch/java.ts';
import { inspectHome, type Distribution } from '../elasticsearch/home.ts';
import { createControlDirectory, type GuardDeadline } from '../guard/control-directory.ts';
import { SetupError, type CommandRunner, type NodeProcess, type NodeRuntime } from '../ports.ts';
import { distributionHome } from './distribution.ts';
import { startGuarded } from './guarded-process.ts';
import { asUser, localCommands, type NodeUser } from './local-commands.ts';
import { removeOrphans } from './orphans.ts';
import { looksHere, type ProcessLooks } from './look.ts';

export interface JarRuntimeOptions {
  readonly sandbox: string;
  /** Cleared of everything that children must not see. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** In this process unless told. */
  readonly looks?: ProcessLooks;
}

interface Prepared {
  readonly distribution: Distribution;
  readonly java: string;
  readonly user: NodeUser;
  readonly commands: CommandRunner;
  readonly ownNamespace: boolean;
  readonly logDirectory: string;
  readonly temporaryDirectory: string;
}

export function jarRuntime(options: JarRuntimeOptions): NodeRuntime {
  let prepared: Prepared | undefined;
  return {
    endOrphans: async (spec) => {
      const ended = await removeOrphans(spec, options.looks);
      if (ended.length > 0) options.log('processes of an earlier epoch ended', { processes: ended });
    },
    prepare: async (spec) => {
      prepared = await prepare(spec, options);
    },
    start: async (spec, attachments, deadline) => {
      prepared ??= await prepare(spec, options);
      return start(
        spec,
        prepared,
        options,
        { config: hostPath(attachments.config), data: hostPath(attachments.data) },
        deadline,
      );
    },
  };
}

async function prepare(spec: LaunchSpec, options: JarRuntimeOptions): Promise<Prepared> {
  const { runtime } = spec;
  if (runtime.kind !== 'jar') throw new SetupError('the launch spec is not for the jar runtime');
  const { uid, gid } = spec.elasticsearch;
  const user = process.getuid?.() === 0 ? { uid, gid } : undefined;
  const commands = localCommands(user, options.environment);
  const home = await distributionHome(runtime.distribution, options.sandbox);
  const distribution = await inspectHome(commands, home);
  const { dialect, version } = distribution;
  const places = {
    wanted: runtime.javaHome,
    environment: options.environment,
    home,
    onPath: await javaOnPath(options),
  };
  const wanted = { oldest: dialect.oldestJava, by: `${version.product} ${version.text}` };
  const java = await findJava(commands, places, wanted);
  const ownNamespace = user !== undefined && (await canMakeNamespace(commands));
  if (user !== undefined && !ownNamespace) {
    options.log('no PID namespaces here: Elasticsearch runs in a session of its own', {});
  }
  const logDirectory = await ownedDirectory(join(options.sandbox, 'elasticsearch', 'logs'), user);
  const temporaryDirectory = await ownedDirectory(join(options.sandbox, 'elasticsearch', 'tmp'), user);
  return { distribution, java, user, commands, ownNamespace, logDirectory, temporaryDirectory };
}

async function start(
  spec: LaunchSpec,
  prepared: Prepared,
  options: JarRuntimeOptions,
  mountpoints: Readonly<Record<VolumeRole, string>>,
  deadline: GuardDeadline,
): Promise<NodeProcess> {
  const { distribution, java, user, commands, ownNamespace, logDirectory, temporaryDirectory } = prepared;
  const { dialect, home } = distribution;
  const control = await createControlDirectory(options.sandbox, { deadline, writableByAll: false });
  const guarded = await startGuarded({
    control,
    argv: [...asUser(user), join(home, dialect.program)],
    environment: {
      ...options.environment,
      [NODE_MARK_VARIABLE]: nodeMark(spec),
      [dialect.javaHomeVariable]: java,
      [dialect.pathConfVariable]: mountpoints.config,
      [dialect.temporaryVariable]: temporaryDirectory,
    },
    ownNamespace,
    workDirectory: logDirectory,
    consoleFile: join(options.sandbox, 'elasticsearch', 'console.log'),
    looks: options.looks ?? looksHere,
  });
  return {
    tied: true,
    mountpoints,
    home,
    logDirectory,
    user,
    commands,
    extend: (value) => control.extend(value),
    go: () => control.go(),
    stop: () => control.stop(),
    kill: () => guarded.kill(),
    gone: guarded.gone,
    stillHolding: (role) => (options.looks ?? looksHere).holdersOf(mountpoints[role]),
  };
}

function hostPath(attachment: Attachment): string {
  if (attachment.kind === 'host-path') return attachment.hostPath;
  throw new SetupError(
    'the jar runtime needs a volume path that gives a host path (plugin-socket or dvdcli), the Engine gives none',
  );
}

/** Whether this machine and user can have a PID namespace of their own for what runs under the guard. */
export async function canMakeNamespace(commands: CommandRunner): Promise<boolean> {
  const argv = [
    'unshare',
    '--pid',
    '--fork',
    '--mount-proc',
    '--kill-child=SIGKILL',
    '--propagation',
    'slave',
    'true',
  ];
  const result = await commands.run(argv, { as: 'administrator' }).catch(() => undefined);
  return result?.exitCode === 0;
}

async function ownedDirectory(path: string, user: NodeUser): Promise<string> {
  await mkdir(path, { recursive: true });
  if (user) await chown(path, user.uid, user.gid);
  return path;
}

async function javaOnPath(options: JarRuntimeOptions): Promise<readonly string[]> {
  const found: string[] = [];
  for (const directory of (options.environment.PATH ?? '').split(delimiter)) {
    const program = join(directory, 'java');
    const there = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (directory !== '' && there) found.push(await realpath(program));
  }
  return [...new Set(found)];
}
