/** Who mounts a node's volumes, and what the two isolators of Mesos can be asked for. */
import { z } from 'zod';
import {
  DVDI_DEFAULT_PROGRAM,
  DvdiVariablesError,
  encodeDvdiVariables,
  type DvdiMount,
} from './dvdi-variables.ts';
import type { VolumeRole } from './node-id.ts';
import type { NodeVolumes } from './records.ts';

const containerPathsSchema = z.strictObject({ config: z.string().min(1), data: z.string().min(1) });
/** Where each volume appears to the executor and to Elasticsearch. */
export type ContainerPaths = z.infer<typeof containerPathsSchema>;
export const DEFAULT_CONTAINER_PATHS: ContainerPaths = { config: '/tmp/config', data: '/data' };

const isolated = { paths: containerPathsSchema, /** On the agent. */ dvdcli: z.string().min(1) };

/**
 * executor: the executor attaches through the bridge.
 * dvdi-isolator: mesos-module-dvdi, by `DVDI_*` variables of the executor's command.
 * docker-volume-isolator: Mesos's own `docker/volume`, by the executor's ContainerInfo.
 */
export const volumeMounterSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('executor') }),
  z.strictObject({ kind: z.literal('dvdi-isolator'), ...isolated }),
  z.strictObject({ kind: z.literal('docker-volume-isolator'), ...isolated }),
]);
export type VolumeMounter = z.infer<typeof volumeMounterSchema>;
export type IsolatorMounter = Exclude<VolumeMounter, { kind: 'executor' }>;
export const EXECUTOR_MOUNTS: VolumeMounter = { kind: 'executor' };

/** What an agent is started with for it, for errors and documents. */
export const ISOLATION_FLAG: Readonly<Record<IsolatorMounter['kind'], string>> = {
  'dvdi-isolator':
    '--isolation=com_emccode_mesos_DockerVolumeDriverIsolator with --modules naming mesos-module-dvdi',
  'docker-volume-isolator': '--isolation=filesystem/linux,docker/volume with dvdcli in its PATH',
};

const SLOTS: Readonly<Record<VolumeRole, number>> = { config: 1, data: 2 };

/** What the module is told: config in slot 1, data in slot 2. @throws DvdiVariablesError */
export function dvdiVariablesOf(
  { paths, dvdcli }: Omit<IsolatorMounter, 'kind'>,
  volumes: NodeVolumes,
): Record<string, string> {
  const mount = (role: VolumeRole): DvdiMount => ({
    slot: SLOTS[role],
    name: volumes[role].name,
    driver: volumes[role].driver,
    options: volumes[role].options,
    containerPath: paths[role],
    ...(dvdcli === DVDI_DEFAULT_PROGRAM ? {} : { dvdcli }),
    explicitCreate: false,
  });
  return encodeDvdiVariables([mount('config'), mount('data')]);
}

/** Why an isolator cannot be asked for these volumes, in words, and what of them is at fault. */
export interface IsolatorObstacle {
  readonly about: 'path' | 'options' | 'driver' | 'name' | 'program';
  readonly message: string;
}

/** Undefined: it can be asked. */
export function isolatorObstacle(
  mounter: IsolatorMounter,
  volumes: NodeVolumes,
): IsolatorObstacle | undefined {
  const { config, data } = mounter.paths;
  for (const path of [config, data]) {
    const message = pathProblem(path, mounter.kind);
    if (message !== undefined) return { about: 'path', message };
  }
  if (under(config, data) || under(data, config)) {
    const message = `the container paths ${config} and ${data} lie in each other: one volume would hide the other`;
    return { about: 'path', message };
  }
  for (const volume of [volumes.config, volumes.data]) {
    for (const [key, value] of Object.entries(volume.options)) {
      const problem = optionProblem(key, value);
      if (problem === undefined) continue;
      const message = `option ${JSON.stringify(key)} of volume ${volume.name} ${problem}; ${CREATE_BEFOREHAND}`;
      return { about: 'options', message };
    }
  }
  if (mounter.kind === 'docker-volume-isolator') return undefined;
  try {
    dvdiVariablesOf(mounter, volumes);
    return undefined;
  } catch (error) {
    if (!(error instanceof DvdiVariablesError)) throw error;
    const about = ABOUT.find(([start]) => error.variable.startsWith(start))?.[1] ?? 'name';
    return { about, message: about === 'options' ? `${error.message}; ${CREATE_BEFOREHAND}` : error.message };
  }
}

const ABOUT = [
  ['DVDI_VOLUME_OPTS', 'options'],
  ['DVDI_VOLUME_DRIVER', 'driver'],
  ['DVDI_VOLUME_CONTAINERPATH', 'path'],
  ['DVDI_VOLUME_DVDCLI', 'program'],
] as const;

const CREATE_BEFOREHAND =
  'create the volumes beforehand and leave the option away, or let the executor mount';

function under(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** Both isolators hand options to dvdcli, one `--volumeopts=key=value` each, which the original cuts again. */
function optionProblem(key: string, value: string): string | undefined {
  if (key === '' || key.includes('=')) return 'has no key that dvdcli understands';
  if (key.includes(',') || value.includes(',')) return 'has a comma, at which dvdcli would cut it';
  return value.includes('=') ? 'has a second "=", after which the original dvdcli drops the rest' : undefined;
}

function pathProblem(path: string, kind: IsolatorMounter['kind']): string | undefined {
  const segments = path.split('/');
  if (!path.startsWith('/') && kind === 'dvdi-isolator') {
    return `the container path ${JSON.stringify(path)} is not absolute, as mesos-module-dvdi wants it`;
  }
  const inner = path.startsWith('/') ? segments.slice(1) : segments;
  return inner.every((each) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(each))
    ? undefined
    : `the container path ${JSON.stringify(path)} is not of plain names (letters, digits, "_", "." and "-") with one "/" between them`;
}
