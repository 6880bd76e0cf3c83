/** The folder of one run: everything that the demo makes lies below it. */
import { access, chmod, constants, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountsBelow, unmountBelow } from '../setup/mounts.ts';
import { SetupError } from '../setup/setup-error.ts';

/** A unix socket's path has at most 107 bytes; what is below the folder takes up to 50 of them. */
const LONGEST = 57;

export interface WorkDirectory {
  readonly path: string;
  /** One folder an agent. */
  readonly agents: string;
  readonly state: string;
  readonly leases: string;
  readonly logs: string;
  /** Volumes of hostdir and remotes of rclone; what `--keep-volumes` keeps. */
  readonly store: string;
}

/** Readable by every user: as root, Elasticsearch runs as another one. @throws SetupError */
export async function makeWorkDirectory(name: string): Promise<WorkDirectory> {
  const candidates = ['/var/tmp', tmpdir()];
  for (const base of candidates) {
    const path = join(base, `mesos-elasticsearch-${name}`);
    const usable = await access(base, constants.W_OK).then(
      () => Buffer.byteLength(path) <= LONGEST,
      () => false,
    );
    if (!usable) continue;
    const at = (part: string) => join(path, part);
    const made = {
      path,
      agents: at('agents'),
      state: at('state'),
      leases: at('leases'),
      logs: at('logs'),
      store: at('volumes'),
    };
    for (const directory of Object.values(made)) {
      await mkdir(directory, { recursive: true });
      await chmod(directory, 0o755);
    }
    await chmod(made.state, 0o700);
    return made;
  }
  throw new SetupError(
    `no folder for this run: ${candidates.join(' and ')} cannot be written, or their names are too long for sockets`,
  );
}

/**
 * Unmounts what is still mounted below the folder and removes it, but for `keep`.
 * @returns what could not be undone, in words
 */
export async function removeWorkDirectory(work: WorkDirectory, keep: boolean): Promise<string[]> {
  const left = await unmountBelow(work.path);
  if (left.length > 0) return left.map((point) => `still mounted: ${point}`);
  if ((await mountsBelow(work.path)).length > 0) return [`still mounted below ${work.path}`];
  const goes = keep ? [work.agents, work.state, work.leases, work.logs] : [work.path];
  for (const directory of goes) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  if (keep) return [];
  return access(work.path).then(
    () => [`still there: ${work.path}`],
    () => [],
  );
}
