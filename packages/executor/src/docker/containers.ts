/** What is done to containers as a whole: orphans removed, ends awaited, removals repeated until they are certain. */
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { TASK_LABEL, type LaunchSpec } from '@mesos-elasticsearch/contract';
import { SetupError } from '../ports.ts';
import { nodeFilter } from './container-options.ts';

const LONGEST_WAIT_MS = 10_000;
/** A container's end that no wait tells of is seen after this long. */
const LONGEST_UNASKED_MS = 2_000;

export function statusCodeOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}

/** The daemon's own words where there are any. */
export function daemonText(error: unknown): string {
  const { json, message } = error as { json?: { message?: string }; message: string };
  return json?.message ?? message;
}

/**
 * Containers of the same node from an earlier epoch outlived their executor: their epoch is over, they go. One of
 * our epoch or a later one means that we are not who we think.
 */
export async function removeOrphans(docker: Docker, spec: LaunchSpec): Promise<readonly string[]> {
  const found = await docker.listContainers({ all: true, filters: { label: [...nodeFilter(spec)] } });
  const removed: string[] = [];
  for (const { Id, Labels } of found) {
    const other = Number(Labels[TASK_LABEL.epoch]);
    if (!(other < spec.epoch)) {
      throw new SetupError(
        `container ${Id.slice(0, 12)} of node ${String(spec.nodeId)} is of epoch ${Labels[TASK_LABEL.epoch] ?? '(none)'}, ours is ${String(spec.epoch)}: it may be live and is left alone`,
      );
    }
    await docker.getContainer(Id).remove({ force: true });
    await untilRemoved(docker.getContainer(Id));
    removed.push(Id);
  }
  return removed;
}

/** Does not come back before the daemon says that there is no such container. */
export async function untilRemoved(
  container: Docker.Container,
  onTrouble?: (says: string) => void,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await container.remove({ force: true });
    } catch (error) {
      if (statusCodeOf(error) === 404) return;
      onTrouble?.(daemonText(error));
    }
    if (await isAbsent(container)) return;
    await delay(Math.min(LONGEST_WAIT_MS, 250 * 2 ** Math.min(attempt, 6)));
  }
}

async function isAbsent(container: Docker.Container): Promise<boolean> {
  try {
    await container.inspect();
    return false;
  } catch (error) {
    return statusCodeOf(error) === 404;
  }
}

/**
 * A daemon that restarts breaks the wait off; then it is asked again until it says that the container is not running.
 * One that is killed breaks it off in the middle of its answer, and then the wait never comes back: so it is not
 * relied upon.
 */
export async function untilStopped(container: Docker.Container): Promise<string> {
  for (;;) {
    const round = new AbortController();
    const { signal } = round;
    try {
      await Promise.race([
        container.wait({ abortSignal: signal }),
        delay(LONGEST_UNASKED_MS, undefined, { signal }),
      ]);
      const { State } = await container.inspect();
      if (!State.Running) return `exit code ${String(State.ExitCode)}`;
    } catch (error) {
      if (statusCodeOf(error) === 404) return 'the container was removed';
    } finally {
      round.abort();
    }
    await delay(500);
  }
}
