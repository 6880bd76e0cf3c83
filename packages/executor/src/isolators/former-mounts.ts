/** What an isolator may have left mounted for an earlier holder: an unmount that failed is never tried again by Mesos. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  isMountPoint,
  readMountTable,
  type ConsumerId,
  type Outcome,
  type VolumeReference,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';

const PATIENCE_MS = 10_000;
const POLL_MS = 250;

/**
 * Waits for the isolator's own unmount, whose failure would fail the destruction of its container, and undoes what is
 * left then as the isolator did it: through dvdcli, without a mount ID.
 */
export async function detachIsolated(
  dvdcli: Pick<Volumes, 'inspect' | 'detach'>,
  volume: VolumeReference,
  consumer: ConsumerId,
  patienceMs = PATIENCE_MS,
): Promise<Outcome<void>> {
  for (let waited = 0; waited < patienceMs && (await isMounted(dvdcli, volume)); waited += POLL_MS) {
    await delay(POLL_MS);
  }
  return dvdcli.detach(volume, consumer);
}

/** A driver whose volumes are directories does not show; there the detach itself tells. */
async function isMounted(dvdcli: Pick<Volumes, 'inspect'>, volume: VolumeReference): Promise<boolean> {
  const found = await dvdcli.inspect(volume);
  const mountpoint = found.kind === 'done' ? found.value?.mountpoint : undefined;
  return mountpoint !== undefined && isMountPoint(readMountTable(), mountpoint);
}
