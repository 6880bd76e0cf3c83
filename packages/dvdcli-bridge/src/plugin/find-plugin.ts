import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { DRIVER_NAME_RULE, isDriverName, isShortDriverName } from '../names.ts';
import { VolumeError } from '../outcome.ts';
import { parseJsonFile, parseSpecFile, unixEndpoint, type PluginEndpoint } from './endpoint.ts';

/** Where Docker looks for plugins, in its order. */
export const DEFAULT_PLUGIN_DIRECTORIES: readonly string[] = [
  '/run/docker/plugins',
  '/etc/docker/plugins',
  '/usr/lib/docker/plugins',
];

/** Directories in the order in which they are searched, separated by colons; empty or unset: Docker's own. */
export const PLUGIN_DIRECTORIES_VARIABLE = 'VOLUME_PLUGIN_DIRECTORIES';

export function pluginDirectoriesFrom(
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const listed = (environment[PLUGIN_DIRECTORIES_VARIABLE] ?? '').split(delimiter).filter((x) => x !== '');
  return listed.length > 0 ? listed : DEFAULT_PLUGIN_DIRECTORIES;
}

/**
 * The endpoint of the plugin with this name: in each directory `N.sock`, `N/N.sock` (sockets only), `N.spec`,
 * `N/N.spec`, `N.json`, `N/N.json` (regular files only); the first that exists counts, whatever is in it.
 * @throws VolumeError `invalid` (name, file or length of a socket's path), `permission` or `driver-not-found` with the paths searched
 */
export async function findPlugin(driver: string, directories: readonly string[]): Promise<PluginEndpoint> {
  if (!isDriverName(driver)) {
    throw new VolumeError('invalid', {
      driver: JSON.stringify(driver),
      message: `not a volume driver name (wanted: ${DRIVER_NAME_RULE})`,
    });
  }
  if (!isShortDriverName(driver)) {
    throw new VolumeError('driver-not-found', {
      driver,
      message: 'a name with a slash or a tag is a managed plugin, which only the Docker Engine can find',
    });
  }
  let denied: string | undefined;
  for (const directory of directories) {
    for (const stem of [join(directory, driver), join(directory, driver, driver)]) {
      const found = await lookAt(`${stem}.sock`);
      if (found === 'socket') return socketAt(driver, `${stem}.sock`);
      if (found === 'denied') denied ??= `the plugin directory ${directory}`;
    }
    for (const [ending, parse] of [
      ['spec', parseSpecFile],
      ['json', parseJsonFile],
    ] as const) {
      for (const stem of [join(directory, driver), join(directory, driver, driver)]) {
        const file = `${stem}.${ending}`;
        const endpoint = await readEndpoint(driver, file, parse);
        // Where the directory is closed too, that was said before.
        if (endpoint === 'denied') denied ??= `the plugin file ${file}`;
        else if (endpoint !== undefined) return endpoint;
      }
    }
  }
  if (denied !== undefined) {
    throw new VolumeError('permission', {
      driver,
      message: `${denied} may not be read by this user; run as root, or as a user that may`,
    });
  }
  throw new VolumeError('driver-not-found', {
    driver,
    message: `no plugin of this name in ${directories.join(', ')}; start the driver, or name its directory in ${PLUGIN_DIRECTORIES_VARIABLE}`,
  });
}

async function lookAt(path: string): Promise<'socket' | 'other' | 'denied'> {
  try {
    return (await stat(path)).isSocket() ? 'socket' : 'other';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'denied' : 'other';
  }
}

function socketAt(driver: string, path: string): PluginEndpoint {
  try {
    return unixEndpoint(path);
  } catch (cause) {
    throw new VolumeError('invalid', { driver, message: (cause as Error).message }, { cause });
  }
}

async function readEndpoint(
  driver: string,
  path: string,
  parse: (text: string) => PluginEndpoint,
): Promise<PluginEndpoint | 'denied' | undefined> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readSmallFile(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'denied' : undefined;
  }
  if (bytes === undefined) return undefined;
  try {
    if (bytes.length > LONGEST_FILE_BYTES) throw new Error(`it has more than ${LONGEST_FILE_BYTES} bytes`);
    return parse(bytes.toString('utf8'));
  } catch (cause) {
    const message = `the plugin file ${path} cannot be used: ${(cause as Error).message}`;
    throw new VolumeError('invalid', { driver, message }, { cause });
  }
}

/** No address is so long. */
const LONGEST_FILE_BYTES = 64 << 10;

/**
 * What is in it, one byte more than a plugin file may have at most; undefined where it is no regular file: whoever opens a
 * pipe waits for its other end. Rejects with the file system's error.
 */
async function readSmallFile(path: string): Promise<Buffer | undefined> {
  if (!(await stat(path)).isFile()) return undefined;
  // It may have become a pipe since.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const bytes = Buffer.alloc(LONGEST_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length));
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}
