/** What is done to the volumes once they are there, through the mounts that Elasticsearch itself will see. */
import type { LaunchSpec, VolumeRole } from '@mesos-elasticsearch/contract';
import { MARKER_FILE, VOLUME_ROLES } from '@mesos-elasticsearch/contract';
import type { MarkerToWrite } from '../core/effects.ts';
import type { VolumeFinding } from '../core/marker.ts';
import {
  emptyVolume,
  giveRootTo,
  inspectVolume,
  probeVolume,
  writeVolumeFile,
} from '../files/volume-files.ts';
import type { NodeProcess } from '../ports.ts';
import type { Log } from './ports.ts';

export class VolumeStepError extends Error {
  override readonly name = 'VolumeStepError';
}

export async function inspectVolumes(
  node: NodeProcess,
  spec: LaunchSpec,
): Promise<Record<VolumeRole, VolumeFinding>> {
  const inspect = (role: VolumeRole) =>
    about(spec, role, 'cannot be read', () => inspectVolume(node.commands, node.mountpoints[role]));
  return { config: await inspect('config'), data: await inspect('data') };
}

/** Both are probed before either is marked: a volume that Elasticsearch could not write to is not claimed. */
export async function claimVolumes(
  node: NodeProcess,
  spec: LaunchSpec,
  markers: Readonly<Record<VolumeRole, MarkerToWrite>>,
  tools: { log: Log; probeContent: string; secondsLeft: () => number },
): Promise<void> {
  for (const role of VOLUME_ROLES) {
    const path = node.mountpoints[role];
    // An isolator gives the root to whom it is configured for; changing that behind its back lasts until the next mount.
    if (markers[role].claimed && node.user && spec.volumeMounter.kind === 'executor') {
      const refused = await giveRootTo(node.commands, path, node.user);
      if (refused !== undefined) {
        tools.log.warn({ volume: spec.volumes[role].name, says: refused }, 'the new volume keeps its owner');
      }
    }
    const user = node.user ? `user ${String(node.user.uid)}:${String(node.user.gid)}` : "the executor's user";
    await about(spec, role, `cannot be written by Elasticsearch's ${user}${ownerHint(spec, role)}`, () =>
      probeVolume(node.commands, path, tools.probeContent),
    );
  }
  for (const role of VOLUME_ROLES) {
    const text = `${JSON.stringify(markers[role].marker)}\n`;
    await about(spec, role, 'cannot be marked', () =>
      writeVolumeFile(node.commands, node.mountpoints[role], MARKER_FILE, text),
    );
  }
  if (!spec.wipeVolumes) return;
  // The marker stays: a wipe that is cut off is known to be ours, and is begun again.
  for (const role of VOLUME_ROLES) {
    tools.log.warn({ volume: spec.volumes[role].name }, 'the data of the retired node is removed');
    await about(spec, role, 'cannot be emptied', () =>
      emptyVolume(node.commands, node.mountpoints[role], tools.secondsLeft),
    );
  }
}

/** Who owns a volume's root, and so who must be told. */
function ownerHint(
  { volumeMounter: mounter, elasticsearch: { uid, gid } }: LaunchSpec,
  role: VolumeRole,
): string {
  switch (mounter.kind) {
    case 'executor':
      return '';
    case 'dvdi-isolator':
      return ` (mesos-module-dvdi gives it the owner and the mode of ${mounter.paths[role]} on the agent: chown ${String(uid)}:${String(gid)} that)`;
    case 'docker-volume-isolator':
      return ` (Mesos leaves its owner as the driver made it: chown ${String(uid)}:${String(gid)} the volume's root once)`;
  }
}

async function about<T>(spec: LaunchSpec, role: VolumeRole, what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const { name, driver } = spec.volumes[role];
    throw new VolumeStepError(
      `volume ${name} of driver ${driver} (${role}) ${what}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}
