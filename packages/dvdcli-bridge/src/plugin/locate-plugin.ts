import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeError, type VolumeErrorCode } from '../outcome.ts';
import { unixEndpoint, type PluginEndpoint } from './endpoint.ts';
import { findPlugin } from './find-plugin.ts';
import { callHttp } from './http-call.ts';
import { hostPathOf, pluginNamed, readManagedPlugins, type ManagedPlugin } from './managed-plugins.ts';

/** Where a plugin listens, and where the paths that it names are on this host. */
export interface PluginLocation {
  readonly endpoint: PluginEndpoint;
  readonly toHostPath: (path: string) => string;
}

export interface PluginPlaces {
  readonly directories: readonly string[];
  /** The Engine that is asked for managed plugins; undefined: none is. */
  readonly engine: PluginEndpoint | undefined;
}

/**
 * In the plugin directories, in Docker's order; then among the plugins that the Engine manages, which the original
 * dvdcli cannot find. A name with a slash or a tag can only be one of those.
 * @throws VolumeError as findPlugin; `driver-disabled`, `not-a-volume-driver`, and `driver-unavailable` when the
 *   Engine is there and gives no answer
 */
export async function locatePlugin(
  driver: string,
  places: PluginPlaces,
  signal: AbortSignal,
): Promise<PluginLocation> {
  try {
    const endpoint = await findPlugin(driver, places.directories);
    return { endpoint, toHostPath: (path) => path };
  } catch (error) {
    const isElsewhere =
      error instanceof VolumeError && (error.code === 'driver-not-found' || error.code === 'permission');
    if (!isElsewhere || places.engine === undefined) throw error;
    const managed = await locateManaged(driver, places.directories, places.engine, signal);
    if (typeof managed !== 'string') return managed;
    if (error.code === 'permission') throw error;
    throw new VolumeError('driver-not-found', { driver, message: `${messageOf(error)} (${managed})` });
  }
}

/** The message without the driver, which every VolumeError puts before it. */
function messageOf(error: VolumeError): string {
  return error.message.replace(`driver ${error.driver}: `, '');
}

/** A text when the Engine does not have it either: why. */
async function locateManaged(
  driver: string,
  directories: readonly string[],
  engine: PluginEndpoint,
  signal: AbortSignal,
): Promise<PluginLocation | string> {
  const fail = (code: VolumeErrorCode, message: string): VolumeError =>
    new VolumeError(code, { driver, message });
  const listed = await ask(engine, '/plugins', signal);
  if (listed.kind === 'unreachable') return `no Docker Engine to ask for managed plugins: ${listed.why}`;
  const plugins = listed.kind === 'answered' ? readManagedPlugins(listed.body) : undefined;
  if (plugins === undefined)
    throw fail('driver-unavailable', `the Docker Engine did not list its plugins: ${whyOf(listed)}`);
  const plugin = pluginNamed(plugins, driver);
  if (plugin === undefined) return 'the Docker Engine manages no plugin of this name either';
  if (!plugin.isVolumeDriver)
    throw fail('not-a-volume-driver', `the managed plugin ${plugin.name} is no volume driver`);
  if (!plugin.enabled)
    throw fail('driver-disabled', `the managed plugin is disabled; run: docker plugin enable ${plugin.name}`);
  const info = await ask(engine, '/info', signal);
  const root = info.kind === 'answered' ? rootOf(info.body) : undefined;
  if (root === undefined)
    throw fail('driver-unavailable', `the Docker Engine did not say where it keeps plugins: ${whyOf(info)}`);
  const socketPath = await socketOf(plugin, directories);
  if (socketPath === undefined) {
    const places = directories.map((directory) => join(directory, plugin.id, plugin.socket)).join(', ');
    throw fail('driver-unavailable', `the managed plugin is enabled, but has no socket at ${places}`);
  }
  try {
    return { endpoint: unixEndpoint(socketPath), toHostPath: (path) => hostPathOf(plugin, root, path) };
  } catch (error) {
    throw fail('invalid', (error as Error).message);
  }
}

async function socketOf(plugin: ManagedPlugin, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const path = join(directory, plugin.id, plugin.socket);
    const isSocket = await stat(path).then(
      (found) => found.isSocket(),
      () => false,
    );
    if (isSocket) return path;
  }
  return undefined;
}

type EngineAnswer =
  | { readonly kind: 'answered'; readonly body: string }
  | { readonly kind: 'unreachable' | 'failed'; readonly why: string };

async function ask(engine: PluginEndpoint, path: string, signal: AbortSignal): Promise<EngineAnswer> {
  const headers = { accept: 'application/json' };
  const result = await callHttp(engine, { verb: 'GET', path, headers }, signal);
  switch (result.kind) {
    case 'answered':
      return result.status === 200
        ? { kind: 'answered', body: result.body }
        : { kind: 'failed', why: `HTTP status ${result.status}: ${result.body.trim().slice(0, 200)}` };
    case 'not-sent':
      return { kind: 'unreachable', why: result.error.message };
    case 'lost':
      return { kind: 'failed', why: result.error.message };
    case 'time-limit':
      return { kind: 'failed', why: 'no answer in time' };
  }
}

function whyOf(answer: EngineAnswer): string {
  return answer.kind === 'answered' ? 'the answer makes no sense' : answer.why;
}

function rootOf(body: string): string | undefined {
  try {
    const root = (JSON.parse(body) as { DockerRootDir?: unknown } | null)?.DockerRootDir;
    return typeof root === 'string' && root.startsWith('/') ? root : undefined;
  } catch {
    return undefined;
  }
}
