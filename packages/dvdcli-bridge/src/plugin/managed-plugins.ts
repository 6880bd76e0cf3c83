/** What the Engine says of the plugins that it manages itself, and where their mounts appear on the host. Pure. */
import { join, normalize } from 'node:path';
import { isUnder } from '../mount-table.ts';

/** One entry of `GET /plugins`, as far as it matters here. */
export interface ManagedPlugin {
  readonly id: string;
  /** With its tag. */
  readonly name: string;
  readonly enabled: boolean;
  readonly isVolumeDriver: boolean;
  /** File name of its socket. */
  readonly socket: string;
  /** Path inside the plugin whose mounts the host sees; empty when there is none. */
  readonly propagatedMount: string;
}

/** Entries that do not have the documented form are left out; `undefined` when it is no list at all. */
export function readManagedPlugins(body: string): readonly ManagedPlugin[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (value === null) return [];
  return Array.isArray(value) ? value.map(readPlugin).filter((plugin) => plugin !== undefined) : undefined;
}

interface PluginJson {
  readonly Id?: unknown;
  readonly Name?: unknown;
  readonly Enabled?: unknown;
  readonly Config?: {
    readonly Interface?: { readonly Socket?: unknown; readonly Types?: unknown } | null;
    readonly PropagatedMount?: unknown;
  } | null;
}

function readPlugin(value: unknown): ManagedPlugin | undefined {
  const { Id: id, Name: name, Enabled: enabled, Config: config } = (value ?? {}) as PluginJson;
  const socket = config?.Interface?.Socket;
  const propagatedMount = config?.PropagatedMount ?? '';
  if (typeof id !== 'string' || typeof name !== 'string' || typeof socket !== 'string') return undefined;
  // Both become parts of a path.
  if (!/^[0-9a-f]+$/i.test(id) || !/^[\w.-]+$/.test(socket) || /^\.+$/.test(socket)) return undefined;
  if (typeof propagatedMount !== 'string') return undefined;
  const types = config?.Interface?.Types;
  return {
    id,
    name,
    enabled: enabled === true,
    isVolumeDriver: Array.isArray(types) && types.some(isVolumeDriverType),
    socket,
    propagatedMount,
  };
}

/** `docker.volumedriver/1.0`, in the Engine's answers as a text or in parts. */
function isVolumeDriverType(type: unknown): boolean {
  if (typeof type === 'string') return type.startsWith('docker.volumedriver/');
  return (type as { Capability?: unknown } | null)?.Capability === 'volumedriver';
}

/** A name without a tag means `latest`, and the public registry goes without saying. */
function inFull(name: string): string {
  const short = name.replace(/^docker\.io\/(?:library\/)?/, '');
  return short.includes(':', short.lastIndexOf('/') + 1) ? short : `${short}:latest`;
}

/** The one of this name; an enabled one before a disabled one. */
export function pluginNamed(plugins: readonly ManagedPlugin[], driver: string): ManagedPlugin | undefined {
  const named = plugins.filter(({ name }) => inFull(name) === inFull(driver));
  return named.find(({ enabled }) => enabled) ?? named[0];
}

/**
 * Where a path inside the plugin is on the host. The original dvdcli prints the inner path, which on the host is
 * somebody else's or nothing.
 * @param engineRoot `DockerRootDir` of `GET /info`
 */
export function hostPathOf(plugin: ManagedPlugin, engineRoot: string, path: string): string {
  // What is no absolute path stays what it is, to be refused.
  if (!path.startsWith('/')) return path;
  const inner = normalize(path);
  const home = join(engineRoot, 'plugins', plugin.id);
  const propagated = plugin.propagatedMount === '' ? undefined : normalize(plugin.propagatedMount);
  return propagated !== undefined && isUnder(inner, propagated)
    ? join(home, 'propagated-mount', inner.slice(propagated.length))
    : join(home, 'rootfs', inner);
}
