import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDriverName } from '../names.ts';
import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import { serialized } from '../serialize.ts';
import type {
  ConsumerId,
  DriverDescription,
  EnsuredVolume,
  VolumeCapabilities,
  VolumeReference,
  Volumes,
} from '../volumes.ts';

export type FakeVerb = 'ensure' | 'inspect' | 'list' | 'remove' | 'attach' | 'detach';

/**
 * not-done: refused, nothing happened. unknown: nothing happened, and nobody can tell. late: it happens, and nobody
 * can tell.
 */
export type FakeFault = 'not-done' | 'unknown' | 'late';

/** What outlives a machine: the volumes, and which machine has which. Shared by the machines' doubles. */
export interface FakeStore {
  readonly volumes: Map<string, FakeVolume>;
  readonly events: FakeEvent[];
}
interface FakeVolume {
  readonly name: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  attachedTo: string | undefined;
  readonly consumers: Set<ConsumerId>;
}
export interface FakeEvent {
  readonly event: 'attached' | 'detached';
  readonly volume: string;
  readonly machine: string;
  readonly consumer: ConsumerId;
}

export function fakeStore(): FakeStore {
  return { volumes: new Map(), events: [] };
}

export interface FakeVolumesOptions {
  /** Volumes get real directories in it. */
  readonly directory: string;
  readonly store?: FakeStore;
  readonly machine?: string;
}

export interface FakeVolumes extends Volumes {
  readonly store: FakeStore;
  /** The next calls of this verb go wrong in this way, one each; then all is well again. */
  failNext(verb: FakeVerb, ...faults: FakeFault[]): void;
}

const CAPABILITIES: VolumeCapabilities = {
  path: 'plugin-socket',
  attachment: 'host-path',
  takesOptions: true,
  commaInOptionValues: true,
  refusesRemovalInUse: true,
  countsConsumers: true,
};

/** Volumes in memory, exclusive between machines, with faults on demand. Passes the behavioural suite. */
export function fakeVolumes(options: FakeVolumesOptions): FakeVolumes {
  const store = options.store ?? fakeStore();
  const machine = options.machine ?? 'machine1';
  const faults = new Map<FakeVerb, FakeFault[]>();
  const pathOf = (name: string): string => join(options.directory, name);

  const withFault = async <T>(
    verb: FakeVerb,
    volume: { driver: string; name?: string },
    act: () => Outcome<T>,
  ): Promise<Outcome<T>> => {
    const fault = faults.get(verb)?.shift();
    if (fault === undefined) return act();
    if (fault === 'late') act();
    const about = {
      driver: volume.driver,
      volume: volume.name,
      message: `${verb} was told to fail (${fault})`,
    };
    return fault === 'not-done'
      ? notDone(new VolumeError('driver-error', about))
      : unknownOutcome(new VolumeError('time-limit', about));
  };

  const volumes = serialized({
    capabilities: CAPABILITIES,
    describe: (driver) => Promise.resolve(describe(driver)),
    ensure: (volume) =>
      withFault<EnsuredVolume>('ensure', volume, () => {
        if (!isDriverName(volume.driver)) return refuse('invalid', volume, 'not a driver name');
        if (store.volumes.has(keyOf(volume))) return done({ created: false });
        store.volumes.set(keyOf(volume), { ...volume, attachedTo: undefined, consumers: new Set() });
        mkdirSync(pathOf(volume.name), { recursive: true });
        return done({ created: true });
      }),
    inspect: (volume) =>
      withFault('inspect', volume, () => {
        const found = store.volumes.get(keyOf(volume));
        return done(found && { name: found.name, driver: found.driver, mountpoint: undefined });
      }),
    list: (driver) =>
      withFault('list', { driver }, () => {
        const found = [...store.volumes.values()].filter((volume) => volume.driver === driver);
        return done(found.map(({ name }) => ({ name, driver, mountpoint: undefined })));
      }),
    remove: (volume) =>
      withFault('remove', volume, () => {
        if ((store.volumes.get(keyOf(volume))?.consumers.size ?? 0) > 0)
          return refuse('in-use', volume, 'it is attached');
        if (store.volumes.delete(keyOf(volume)))
          rmSync(pathOf(volume.name), { recursive: true, force: true });
        return done(undefined);
      }),
    attach: (volume, consumer) =>
      withFault('attach', volume, () => attach(store, machine, volume, consumer, pathOf(volume.name))),
    detach: (volume, consumer) => withFault('detach', volume, () => detach(store, machine, volume, consumer)),
  });
  return {
    ...volumes,
    store,
    failNext: (verb, ...next) => void faults.set(verb, [...(faults.get(verb) ?? []), ...next]),
  };
}

function describe(driver: string): Outcome<DriverDescription> {
  if (isDriverName(driver)) return done({ driver, scope: 'global' });
  return notDone(new VolumeError('invalid', { driver, message: 'not a driver name' }));
}

function attach(
  store: FakeStore,
  machine: string,
  volume: VolumeReference,
  consumer: ConsumerId,
  hostPath: string,
): Outcome<{ kind: 'host-path'; hostPath: string }> {
  if (!isDriverName(volume.driver)) return refuse('invalid', volume, 'not a driver name');
  const found = store.volumes.get(keyOf(volume));
  if (found === undefined) return refuse('not-found', volume, 'there is no such volume');
  if (found.attachedTo !== undefined && found.attachedTo !== machine) {
    const says = `volume ${volume.name} is attached to instance ${found.attachedTo} (pid 1, alive)`;
    return refuse('attached-elsewhere', volume, 'Mount failed', says);
  }
  found.attachedTo = machine;
  if (!found.consumers.has(consumer))
    store.events.push({ event: 'attached', volume: volume.name, machine, consumer });
  found.consumers.add(consumer);
  return done({ kind: 'host-path', hostPath });
}

function detach(
  store: FakeStore,
  machine: string,
  volume: VolumeReference,
  consumer: ConsumerId,
): Outcome<void> {
  const found = store.volumes.get(keyOf(volume));
  if (found?.attachedTo !== machine || !found.consumers.delete(consumer)) return done(undefined);
  store.events.push({ event: 'detached', volume: volume.name, machine, consumer });
  if (found.consumers.size === 0) found.attachedTo = undefined;
  return done(undefined);
}

function keyOf(volume: VolumeReference): string {
  return `${volume.driver}\0${volume.name}`;
}

function refuse(
  code: VolumeErrorCode,
  volume: VolumeReference,
  message: string,
  says?: string,
): Outcome<never> {
  return notDone(new VolumeError(code, { driver: volume.driver, volume: volume.name, message, says }));
}
