/** The isolators at work: they mount through dvdcli before a container starts, and unmount after it is gone. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import type { ExecutorInfo } from '@mesos-elasticsearch/mesos-v1';
import {
  DOCKER_VOLUME,
  dockerVolumes,
  DVDI,
  dvdiVolumes,
  identityOf,
  IsolationError,
  type IsolatorName,
  type WantedVolume,
} from '../core/agent/isolation.ts';

const MOUNT_LIMIT_MS = 120_000;
const UNMOUNT_LIMIT_MS = 600_000;

/** For the container's own mount namespace, in order. */
export interface Bind {
  readonly source: string;
  readonly target: string;
}

export interface IsolatorOptions {
  readonly names: readonly IsolatorName[];
  /** The program; default: dvdcli in the agent's PATH. */
  readonly dvdcli?: string;
  /** Volumes of each container, as `docker/volume` writes them down before it mounts. */
  readonly checkpoints: string;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

interface Held {
  readonly isolator: IsolatorName;
  readonly volume: Pick<WantedVolume, 'driver' | 'name' | 'program'>;
}

export class Isolators {
  readonly #options: IsolatorOptions;
  readonly #dvdcli: string;
  readonly #held = new Map<string, Held[]>();
  #queue: Promise<unknown> = Promise.resolve();

  /** @throws Error where this agent cannot be started with them */
  constructor(options: IsolatorOptions) {
    this.#options = options;
    this.#dvdcli = options.dvdcli ?? 'dvdcli';
    if (options.names.length === 0) return;
    if (process.getuid?.() !== 0) throw new Error('--isolation: the isolators that mount volumes need root');
    // mesos-module-dvdi looks for its program at each launch only.
    if (options.names.includes(DOCKER_VOLUME)) findProgram(this.#dvdcli);
  }

  /** One after the other, as one actor does. @throws IsolationError; nothing is left mounted then */
  prepare(containerId: string, info: ExecutorInfo, sandbox: string): Promise<readonly Bind[]> {
    return this.#inTurn(async () => {
      this.#held.set(containerId, []);
      try {
        return [
          ...(await this.#prepareDockerVolumes(containerId, info, sandbox)),
          ...(await this.#prepareDvdi(containerId, info)),
        ];
      } catch (error) {
        await this.#cleanup(containerId);
        throw error;
      }
    });
  }

  /** The container is gone. */
  cleanup(containerId: string): Promise<void> {
    return this.#inTurn(() => this.#cleanup(containerId));
  }

  /**
   * After a restart of the agent. `docker/volume` reads what it wrote down and unmounts for containers that are gone;
   * mesos-module-dvdi writes a list that it cannot read, and forgets its mounts.
   */
  recover(live: ReadonlySet<string>): Promise<void> {
    return this.#inTurn(async () => {
      const known = await readdir(this.#options.checkpoints).catch(() => []);
      for (const containerId of known) {
        const text = await readFile(join(this.#options.checkpoints, containerId, 'volumes'), 'utf8').catch(
          () => '',
        );
        if (text === '') continue;
        const { volumes } = JSON.parse(text) as { volumes: Held['volume'][] };
        this.#held.set(
          containerId,
          volumes.map((volume) => ({ isolator: DOCKER_VOLUME, volume })),
        );
      }
      for (const containerId of known) if (!live.has(containerId)) await this.#cleanup(containerId);
    });
  }

  async #prepareDockerVolumes(containerId: string, info: ExecutorInfo, sandbox: string): Promise<Bind[]> {
    const wanted = this.#options.names.includes(DOCKER_VOLUME) ? dockerVolumes(info.container) : [];
    if (wanted.length === 0) return [];
    const directory = join(this.#options.checkpoints, containerId);
    await mkdir(directory, { recursive: true });
    const volumes = wanted.map(({ driver, name }) => ({ driver, name }));
    await writeFile(join(directory, 'volumes'), JSON.stringify({ volumes }));
    const binds: Bind[] = [];
    for (const volume of wanted) {
      const { containerPath = '' } = volume;
      const target = isAbsolute(containerPath) ? containerPath : join(sandbox, containerPath);
      if (!isAbsolute(containerPath)) await mkdir(target, { recursive: true });
      else if (!(await exists(target))) {
        throw new IsolationError(`the container path '${target}' does not exist on the host`);
      }
      this.#hold(containerId, DOCKER_VOLUME, volume);
      binds.push({ source: await this.#mount(volume), target });
    }
    return binds;
  }

  async #prepareDvdi(containerId: string, info: ExecutorInfo): Promise<Bind[]> {
    const wanted = this.#options.names.includes(DVDI) ? dvdiVolumes(info.command) : [];
    const binds: Bind[] = [];
    for (const volume of wanted) {
      const { containerPath: target } = volume;
      if (target !== undefined && !(await exists(target))) {
        if (!target.startsWith('/tmp/')) {
          throw new IsolationError(`the container path '${target}' does not exist on the host`);
        }
        await mkdir(target, { recursive: true });
      }
      const shared = this.#isHeldElsewhere(containerId, DVDI, volume);
      if (shared && target !== undefined) {
        throw new IsolationError(
          `volume ${volume.name} of driver ${volume.driver} is in use by another container`,
        );
      }
      this.#hold(containerId, DVDI, volume);
      if (shared) continue;
      const source = await this.#mount(volume);
      if (target === undefined) continue;
      // It changes the volume itself, so that the directory looks as before.
      const { mode, uid, gid } = await stat(target);
      await chmod(source, mode & 0o7777);
      await chown(source, uid, gid);
      binds.push({ source, target });
    }
    return binds;
  }

  async #mount({ driver, name, options, program }: WantedVolume): Promise<string> {
    const flags = options.map((option) => `--volumeopts=${option}`);
    const argv = ['mount', `--volumedriver=${driver}`, `--volumename=${name}`, ...flags];
    const path = (await this.#run(program, argv, MOUNT_LIMIT_MS)).trim();
    if (path === '')
      throw new IsolationError(`dvdcli gave no mount point for volume ${name} of driver ${driver}`);
    return path;
  }

  async #cleanup(containerId: string): Promise<void> {
    const held = this.#held.get(containerId) ?? [];
    // Gone from the books first, so that the count is of the others.
    this.#held.delete(containerId);
    const failed: Held[] = [];
    for (const each of held) {
      const { isolator, volume } = each;
      if (this.#isHeldElsewhere(containerId, isolator, volume)) continue;
      const argv = ['unmount', `--volumedriver=${volume.driver}`, `--volumename=${volume.name}`];
      await this.#run(volume.program, argv, UNMOUNT_LIMIT_MS).catch((error: unknown) => {
        failed.push(each);
        this.#options.warn('volume not unmounted', { isolator, ...volume, says: (error as Error).message });
      });
    }
    if (failed.length === 0)
      await rm(join(this.#options.checkpoints, containerId), { recursive: true, force: true });
  }

  #hold(containerId: string, isolator: IsolatorName, volume: WantedVolume): void {
    this.#held.set(containerId, [...(this.#held.get(containerId) ?? []), { isolator, volume }]);
  }

  #isHeldElsewhere(containerId: string, isolator: IsolatorName, volume: Held['volume']): boolean {
    return [...this.#held].some(
      ([other, held]) =>
        other !== containerId &&
        held.some(
          (each) =>
            each.isolator === isolator && identityOf(isolator, each.volume) === identityOf(isolator, volume),
        ),
    );
  }

  #run(program: string | undefined, argv: readonly string[], limitMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { timeout: limitMs, killSignal: 'SIGKILL' } as const;
      const child = execFile(program ?? this.#dvdcli, [...argv], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else {
          const words = stderr.trim() === '' ? error.message : stderr.trim();
          reject(new IsolationError(`Unexpected termination of the subprocess: ${words}`));
        }
      });
      child.stdin?.end();
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(act);
    this.#queue = next.catch(() => undefined);
    return next;
  }
}

function findProgram(program: string): void {
  const places = program.includes('/')
    ? [program]
    : (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, program));
  const there = places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!there)
    throw new Error(`--isolation: docker/volume needs dvdcli, and ${program} is not there or no program`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Pairs of paths, then a command line. Nothing of a user becomes part of the text. */
const MOUNT_AND_RUN = [
  'n=$1; shift',
  'while [ "$n" -gt 0 ]; do mount -n --rbind "$1" "$2" || exit 1; shift 2; n=$((n - 1)); done',
  'exec "$@"',
].join('\n');

/** The command line that runs `argv` with these binds in a mount namespace of its own, as that user. */
export function inMountNamespace(
  binds: readonly Bind[],
  argv: readonly string[],
  account: { readonly uid: number; readonly gid: number } | undefined,
): readonly string[] {
  const pairs = binds.flatMap(({ source, target }) => [source, target]);
  const drop =
    account === undefined
      ? []
      : ['setpriv', '--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups', '--'];
  return [
    ...['unshare', '--mount', '--propagation', 'slave', '--', '/bin/sh', '-c', MOUNT_AND_RUN, 'sh'],
    ...[String(binds.length), ...pairs, ...drop, ...argv],
  ];
}
