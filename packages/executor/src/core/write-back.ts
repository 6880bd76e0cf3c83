/**
 * A driver that writes back: what was written, closed and synced lies in a cache of its own for a while, and not yet on
 * the storage. rclone is the one that is known: its fsync answers before anything has reached the remote, an unmount
 * waits for nothing, and what is left is written only once the volume is mounted again on that very host. So a copy on it is read
 * back through a second volume of the same remote without a cache, a view: what shows there has reached the storage.
 */
import type { VolumeName, VolumeSpec } from '@mesos-elasticsearch/contract';

/** Told by what is mounted, not by the options: a cache can also be a default of the driver. */
export function writesBack(fileSystem: string | undefined): boolean {
  return fileSystem === 'fuse.rclone';
}

/** For the cache and for how long its answers count; rclone takes blanks of both kinds in the names. */
const CACHE_OPTION = /^(vfs[-_]cache[-_].*|vfs[-_]write[-_]back|dir[-_]cache[-_]time|attr[-_]timeout)$/;

/** The same remote, nothing kept: each look is one at the storage. Removing such a volume removes a name, no data. */
export function viewOf(volume: VolumeSpec, name: VolumeName): VolumeSpec {
  const kept = Object.entries(volume.options).filter(([option]) => !CACHE_OPTION.test(option));
  const options = { ...Object.fromEntries(kept), 'vfs-cache-mode': 'off', 'dir-cache-time': '1s' };
  return { name, driver: volume.driver, options };
}
