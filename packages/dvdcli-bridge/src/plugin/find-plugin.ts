import { readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { DRIVER_NAME_RULE, isDriverName, isShortDriverName } from '../names.ts';
import { VolumeError } from '../outcome.ts';
import { parseJsonFile, parseSpecFile, type PluginEndpoint } from './endpoint.ts';

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
 * `N/N.spec`, `N.json`, `N/N.json`; the first that exists counts, whatever is in it.
 * @throws VolumeError `invalid` (name or file), `permission` or `driver-not-found` with the paths searched
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
      if (found === 'socket') return { kind: 'unix', socketPath: `${stem}.sock` };
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

async function readEndpoint(
  driver: string,
  path: string,
  parse: (text: string) => PluginEndpoint,
): Promise<PluginEndpoint | 'denied' | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'denied' : undefined;
  }
  try {
    return parse(text);
  } catch (cause) {
    const message = `the plugin file ${path} cannot be used: ${(cause as Error).message}`;
    throw new VolumeError('invalid', { driver, message }, { cause });
  }
}
