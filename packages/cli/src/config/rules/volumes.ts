/** What driver, options and policies can be seen to be wrong by the capability table; every fault, not only the first. */
import { validateVolumePlan, type PathName, type PlanPart } from '@mesos-elasticsearch/dvdcli-bridge';
import { fault, type RuleFault, type Some } from './rule.ts';

export function volumeFaults(settings: Some): readonly RuleFault[] {
  const { externalVolumeDriver: driver, externalVolumeOptions: options, frameworkName } = settings;
  const { volumePath, volumeMounter, frameworkUseDocker, suspectPolicy, driverRevokes, elasticsearchUid } =
    settings;
  // What could not be understood has a fault of its own, and nothing can be said of the rest.
  if (driver === undefined || options === undefined || frameworkName === undefined) return [];
  if (volumePath === undefined || volumeMounter === undefined || elasticsearchUid === undefined) return [];
  const mounted = volumeMounter === 'executor';
  // Which dvdcli the agents have is found out there.
  const path: PathName = mounted ? volumePath : volumeMounter;
  const violations = validateVolumePlan({
    path,
    driver,
    options,
    frameworkName,
    runtime: frameworkUseDocker === false ? 'jar' : 'docker',
    suspectPolicy: suspectPolicy ?? 'wait',
    driverRevokes: driverRevokes ?? false,
    uid: elasticsearchUid,
  });
  return [
    ...violations.map(({ part, message }) =>
      fault(part === 'path' && !mounted ? 'volumeMounter' : SETTINGS[part], message),
    ),
    ...(mounted || volumePath !== 'engine' ? [] : [fault('volumePath', askedByEngine(volumeMounter))]),
  ];
}

/** The executor asks the driver what is mounted, and its processes are no containers. */
function askedByEngine(mounter: string): string {
  return `wanted plugin-socket or dvdcli with volumeMounter ${mounter}, got engine: the executor asks the driver itself where its volumes are mounted`;
}

const SETTINGS = {
  path: 'volumePath',
  driver: 'externalVolumeDriver',
  options: 'externalVolumeOptions',
  frameworkName: 'frameworkName',
  runtime: 'frameworkUseDocker',
  suspectPolicy: 'suspectPolicy',
  driverRevokes: 'driverRevokes',
} as const satisfies Record<PlanPart, keyof Some>;
