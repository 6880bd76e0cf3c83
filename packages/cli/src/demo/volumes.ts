/** The volumes of the run: what is on their markers, and their removal at the end. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MARKER_FILE, markerSchema, volumeName, type MarkerRecord } from '@mesos-elasticsearch/contract';
import {
  engineVolumes,
  pluginSocketVolumes,
  type ConsumerId,
  type VolumeReference,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { messageOf } from '../setup/setup-error.ts';

const CONSUMER = 'demo' as ConsumerId;

/** How the demo itself looks at the volumes of one machine. */
export function volumesOn(
  machine: { readonly pluginDirectory: string | undefined },
  dockerSocket: string | undefined,
): Volumes {
  if (dockerSocket !== undefined) return engineVolumes({ socketPath: dockerSocket });
  const { pluginDirectory } = machine;
  return pluginSocketVolumes(pluginDirectory === undefined ? {} : { directories: [pluginDirectory] });
}

/** Of a volume in use. @throws Error naming the volume when its marker cannot be read */
export async function markerOf(volumes: Volumes, driver: string, name: string): Promise<MarkerRecord> {
  const found = await volumes.inspect(reference(driver, name));
  const mountpoint = found.kind === 'done' ? found.value?.mountpoint : undefined;
  if (mountpoint === undefined || mountpoint === '')
    throw new Error(`volume ${name}: the driver names no mountpoint`);
  try {
    return await readMarker(mountpoint);
  } catch (error) {
    throw new Error(`volume ${name}: its marker cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function readMarker(directory: string): Promise<MarkerRecord> {
  return markerSchema.parse(JSON.parse(await readFile(join(directory, MARKER_FILE), 'utf8')));
}

/**
 * Removes the volume if it is of this run: its marker says so, or it is still empty (under the random name of
 * this run nobody else has put anything there).
 * @returns what prevented it, in words
 */
export async function removeOwn(
  volumes: Volumes,
  driver: string,
  name: string,
  frameworkName: string,
): Promise<string | undefined> {
  const volume = reference(driver, name);
  const present = await volumes.inspect(volume);
  if (present.kind !== 'done') return `volume ${name}: ${present.error.message}`;
  if (present.value === undefined) return undefined;
  const foreign = await foreignContent(volumes, volume, present.value.mountpoint, frameworkName);
  if (foreign !== undefined) return `volume ${name} stays: ${foreign}`;
  const removed = await volumes.remove(volume);
  return removed.kind === 'done' ? undefined : `volume ${name}: ${removed.error.message}`;
}

/** Undefined: it is ours. */
async function foreignContent(
  volumes: Volumes,
  volume: VolumeReference,
  mountpoint: string | undefined,
  frameworkName: string,
): Promise<string | undefined> {
  const attached = await volumes.attach(volume, CONSUMER);
  if (attached.kind !== 'done') return attached.error.message;
  const directory = attached.value.kind === 'host-path' ? attached.value.hostPath : mountpoint;
  try {
    return directory === undefined
      ? 'its driver names no mountpoint'
      : await judgeContent(directory, frameworkName);
  } catch (error) {
    return `its content cannot be read: ${messageOf(error)}`;
  } finally {
    await volumes.detach(volume, CONSUMER);
  }
}

async function judgeContent(directory: string, frameworkName: string): Promise<string | undefined> {
  const names = await readdir(directory);
  if (names.every((name) => name === 'lost+found')) return undefined;
  if (!names.includes(MARKER_FILE)) return 'it has content and no marker';
  const marker = await readMarker(directory);
  return marker.frameworkName === frameworkName ? undefined : `its marker names ${marker.frameworkName}`;
}

function reference(driver: string, name: string): VolumeReference {
  return { name: volumeName(name), driver };
}
