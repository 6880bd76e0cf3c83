/**
 * What the two isolators that mount Docker volumes read of a launch, and what they refuse, as a real agent's were seen
 * to do: `docker/volume` of Mesos 1.3.2, and mesos-module-dvdi 0.4.7. Written apart from what our scheduler sends.
 */
import type { CommandInfo, ContainerInfo } from '@mesos-elasticsearch/mesos-v1';

export type IsolatorName = 'docker/volume' | 'com_emccode_mesos_DockerVolumeDriverIsolator';
export const DVDI: IsolatorName = 'com_emccode_mesos_DockerVolumeDriverIsolator';
export const DOCKER_VOLUME: IsolatorName = 'docker/volume';

export interface WantedVolume {
  readonly driver: string;
  readonly name: string;
  /** As dvdcli gets them: one `--volumeopts=` each. */
  readonly options: readonly string[];
  /** As given; undefined: mounted on the host only. */
  readonly containerPath: string | undefined;
  /** DVDI_VOLUME_DVDCLI; absent: the agent's. */
  readonly program?: string;
}

/** Fails the launch; its text becomes the message of the task's failure. */
export class IsolationError extends Error {
  override readonly name = 'IsolationError';
}

/** `--isolation`: what has no bearing on volumes is taken and left alone. @throws IsolationError */
export function parseIsolation(text: string): readonly IsolatorName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => ![...OTHERS, DVDI, DOCKER_VOLUME].includes(name));
  if (unknown !== undefined) {
    throw new IsolationError(
      `'${unknown}' is not known here (known: ${DOCKER_VOLUME}, ${DVDI}, ${OTHERS.join(', ')})`,
    );
  }
  return [DOCKER_VOLUME, DVDI].filter((name) => names.includes(name));
}
const OTHERS: readonly string[] = ['filesystem/linux', 'filesystem/posix', 'posix/cpu', 'posix/mem'];

export function identityOf(
  isolator: IsolatorName,
  { driver, name }: Pick<WantedVolume, 'driver' | 'name'>,
): string {
  const both = `${driver}\0${name}`;
  return isolator === DVDI ? both.toLowerCase() : both;
}

/** @throws IsolationError */
export function dockerVolumes(container: ContainerInfo | undefined): readonly WantedVolume[] {
  if (container?.type !== 'MESOS') return [];
  const volumes = (container.volumes ?? []).flatMap(({ source, containerPath }): WantedVolume[] => {
    if (source?.type !== 'DOCKER_VOLUME' || source.dockerVolume === undefined) return [];
    const { driver, name, driverOptions } = source.dockerVolume;
    if (driver === undefined) throw new IsolationError(`the volume driver of '${name}' is not specified`);
    const options = (driverOptions?.parameter ?? []).map(({ key, value }) => `${key}=${value}`);
    return [{ driver, name, options, containerPath }];
  });
  const twice = duplicateOf(DOCKER_VOLUME, volumes);
  if (twice !== undefined) {
    throw new IsolationError(
      `found duplicate docker volume with driver '${twice.driver}' and name '${twice.name}'`,
    );
  }
  return volumes;
}

function duplicateOf(isolator: IsolatorName, volumes: readonly WantedVolume[]): WantedVolume | undefined {
  return volumes.find(
    (volume, index) =>
      volumes.findIndex((other) => identityOf(isolator, other) === identityOf(isolator, volume)) < index,
  );
}

const PROHIBITED = /[%/:;\0<>|`$'?^& {"}[\]\n\t\v\b\r\\]/;
const NAMED = /^DVDI_VOLUME_(NAME|DRIVER|OPTS|CONTAINERPATH|DVDCLI|EXPLICITCREATE)(.*)$/s;

/** @throws IsolationError */
export function dvdiVolumes(command: CommandInfo | undefined): readonly WantedVolume[] {
  const slots = new Map<string, Record<string, string>>();
  for (const { name: variable, value = '' } of command?.environment?.variables ?? []) {
    const [, parameter = '', suffix = ''] = NAMED.exec(variable) ?? [];
    if (parameter === '') continue;
    if (!/^[0-9]?$/.test(suffix)) throw new IsolationError(`${variable}: the suffix is not one digit`);
    // Whether a boolean is trimmed before or after this was not seen.
    const checked = parameter === 'EXPLICITCREATE' ? value.trim() : value;
    if (!['CONTAINERPATH', 'DVDCLI'].includes(parameter) && PROHIBITED.test(checked)) {
      throw new IsolationError(`${variable} has a prohibited character`);
    }
    const slot = suffix === '' ? '0' : suffix;
    slots.set(slot, { ...slots.get(slot), [parameter]: value });
  }
  const volumes = [...slots]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([, slot]) => slot)
    // A slot without a name is not one, whatever else it has: this is how the first framework lost its data's path.
    .filter(({ NAME }) => NAME !== undefined && NAME !== '')
    .map((slot): WantedVolume => {
      const { NAME: name = '', OPTS: options = '', CONTAINERPATH: path = '' } = slot;
      const driver = slot.DRIVER === undefined || slot.DRIVER === '' ? 'rexray' : slot.DRIVER;
      const pieces = options.split(',').filter((piece) => piece !== '');
      if (path !== '' && !path.startsWith('/')) {
        throw new IsolationError(`the container path '${path}' of volume ${name} does not start with /`);
      }
      const program = slot.DVDCLI ?? '';
      const containerPath = path === '' ? undefined : path;
      return { driver, name, options: pieces, containerPath, ...(program === '' ? {} : { program }) };
    });
  return withoutRepeats(volumes);
}

function withoutRepeats(volumes: readonly WantedVolume[]): readonly WantedVolume[] {
  const kept: WantedVolume[] = [];
  for (const volume of volumes) {
    if (!kept.some((other) => identityOf(DVDI, other) === identityOf(DVDI, volume))) kept.push(volume);
    else if (volume.containerPath !== undefined) {
      throw new IsolationError(`volume ${volume.name} of driver ${volume.driver} is asked for twice`);
    }
  }
  return kept;
}
