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

export function adviceFor(code: VolumeErrorCode): string {
  return ADVICE[code] ?? "look at the driver's log, and at its options: --options k=v,k=v";
}
