/** Who mounts the volumes, and what an isolator of Mesos can be told; what it can do is in the capability table. */
import {
  isolatorObstacle,
  type NodeVolumes,
  type VolumeMounter,
  type VolumeName,
} from '@mesos-elasticsearch/contract';
import type { Settings } from '../fields.ts';
import { fault, type Rule, type Some } from './rule.ts';

export function volumeMounterOf(
  settings: Pick<Settings, 'volumeMounter' | 'isolatorConfigPath' | 'isolatorDataPath' | 'dvdcliProgram'>,
): VolumeMounter {
  const { volumeMounter: kind, isolatorConfigPath: config, isolatorDataPath: data, dvdcliProgram } = settings;
  return kind === 'executor' ? { kind } : { kind, paths: { config, data }, dvdcli: dvdcliProgram };
}

const AT_FAULT = {
  path: 'isolatorDataPath',
  options: 'externalVolumeOptions',
  driver: 'externalVolumeDriver',
  name: 'frameworkName',
  program: 'dvdcliProgram',
} as const;

/** Those of node 1: a number changes nothing about what an isolator can be told. */
function sampleVolumes({
  frameworkName,
  externalVolumeDriver,
  externalVolumeOptions,
}: Some): NodeVolumes | undefined {
  if (frameworkName === undefined || externalVolumeDriver === undefined) return undefined;
  const volume = (role: string) => {
    const name = `${frameworkName}1${role}` as VolumeName;
    const options = Object.entries(externalVolumeOptions ?? {}).map(
      ([key, value]) => [key, value.replaceAll('{volume}', name)] as const,
    );
    return { name, driver: externalVolumeDriver, options: Object.fromEntries(options) };
  };
  return { config: volume('config'), data: volume('data') };
}

export const MOUNTING_RULES: readonly Rule[] = [
  function isolatorsCanBeTold(settings) {
    const { volumeMounter, isolatorConfigPath, isolatorDataPath, dvdcliProgram } = settings;
    const volumes = sampleVolumes(settings);
    if (volumeMounter === undefined || volumes === undefined || dvdcliProgram === undefined) return undefined;
    if (isolatorConfigPath === undefined || isolatorDataPath === undefined) return undefined;
    const mounter = volumeMounterOf({ volumeMounter, isolatorConfigPath, isolatorDataPath, dvdcliProgram });
    const obstacle = mounter.kind === 'executor' ? undefined : isolatorObstacle(mounter, volumes);
    return obstacle === undefined
      ? undefined
      : fault(AT_FAULT[obstacle.about], `does not suit volumeMounter ${volumeMounter}: ${obstacle.message}`, [
          'isolatorConfigPath',
          'volumeMounter',
        ]);
  },
];
