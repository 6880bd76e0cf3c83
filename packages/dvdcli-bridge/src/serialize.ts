import type { VolumeReference, Volumes } from './volumes.ts';

/**
 * One operation in flight per volume (driver and name, compared exactly); different volumes run in parallel.
 * Without it two first attaches of a volume race inside the driver: of two parallel mounts of a missing volume one
 * fails with "already exists" or "already mounted", and an unmount can overtake the mount it was meant to undo.
 * Serialises within this process only; between processes the driver decides.
 */
export function serialized(volumes: Volumes): Volumes {
  const tails = new Map<string, Promise<unknown>>();

  const queue = async <T>(volume: VolumeReference, operation: () => Promise<T>): Promise<T> => {
    const key = `${volume.driver}\0${volume.name}`;
    const previous = tails.get(key) ?? Promise.resolve();
    const run = previous.then(operation, operation);
    const tail = run.catch(() => undefined);
    tails.set(key, tail);
    try {
      return await run;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };

  return {
    capabilities: volumes.capabilities,
    describe: (driver) => volumes.describe(driver),
    ensure: (volume) => queue(volume, () => volumes.ensure(volume)),
    inspect: (volume) => queue(volume, () => volumes.inspect(volume)),
    list: (driver) => volumes.list(driver),
    remove: (volume) => queue(volume, () => volumes.remove(volume)),
    attach: (volume, ...who) => queue(volume, () => volumes.attach(volume, ...who)),
    detach: (volume, ...who) => queue(volume, () => volumes.detach(volume, ...who)),
  };
}
