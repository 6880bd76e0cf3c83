/** The next thing to do about a driver that failed. */
import type { VolumeErrorCode } from '@mesos-elasticsearch/dvdcli-bridge';

const ADVICE: Readonly<Partial<Record<VolumeErrorCode, string>>> = {
  'driver-not-found': 'start the driver, or name its directory in VOLUME_PLUGIN_DIRECTORIES',
  'driver-unavailable': 'its socket is there, but nobody answers: restart the driver and look at its log',
  'not-a-volume-driver': 'this plugin is for something else: give another --driver',
  permission: 'run it as root, as an agent runs executors',
  invalid: 'correct the name or the option that is named',
  'time-limit': "look at the driver's log, or give it more time: --timeout SECONDS",
  'bad-answer':
    'another program answers at this socket, or the driver is broken: mesos-elasticsearch volumes inspect, and its log',
  'bad-mountpoint':
    'the driver mounts where this process cannot see it: it needs the mount namespace of the host',
  'in-use': 'unmount it where it is in use',
  'attached-elsewhere': 'detach it on the host that is named',
  unsupported: 'the driver lacks a call that is needed: use a newer release of it',
};

/** @param why as the file system said it, the code first: `ENOSPC: no space left on device, write` */
export function adviceForFile(why: string): string {
  switch (/^[A-Z]+/.exec(why)?.[0]) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'make room: the file system, or the quota, of the volume is full';
    case 'EROFS':
      return "nodes write their volumes: look at the driver's options and at dmesg, the volume is mounted read-only";
    case 'EACCES':
    case 'EPERM':
      return 'run it as root, as an agent runs executors, or let this user write there by the options of the driver';
    case 'ENOENT':
    case 'ENOTCONN':
    case 'EIO':
      return "look at the driver's log: what it has mounted is not usable, or not what was mounted before";
    default:
      return 'look at the options of the driver: who may write there, and with which cache';
  }
}

/** @param path by which it was reached: the Engine looks for drivers in directories of its own */
export function adviceFor(code: VolumeErrorCode, path?: string): string {
  if (code === 'driver-not-found' && path === 'engine')
    return 'start the driver on the host of the Engine, or install it there: docker plugin install';
  return ADVICE[code] ?? "look at the driver's log, and at its options: --options k=v,k=v";
}
