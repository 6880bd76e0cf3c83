/** Whether the Engine's answers have the shape that is read here: the client passes on whatever was in the body. Pure. */

interface NamedVolume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
}

export function isVolume(value: unknown): value is NamedVolume {
  if (!isObject(value)) return false;
  const { Name, Driver, Mountpoint } = value;
  return [Name, Driver, Mountpoint].every((text) => typeof text === 'string') && Name !== '';
}

/** `Volumes` and `Warnings` are null where there are none. */
export function isVolumeList(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { Volumes: volumes, Warnings: warnings } = value;
  const fine = (list: unknown, each: (entry: unknown) => boolean): boolean =>
    list === null || list === undefined || (Array.isArray(list) && list.every(each));
  return fine(volumes, isVolume) && fine(warnings, (warning) => typeof warning === 'string');
}

export function isContainerList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isContainer);
}

function isContainer(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { Id: id, Names: names, Mounts: mounts, State: state } = value;
  const fine = typeof id === 'string' && typeof state === 'string' && Array.isArray(names);
  return fine && Array.isArray(mounts) && mounts.every(isObject);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
