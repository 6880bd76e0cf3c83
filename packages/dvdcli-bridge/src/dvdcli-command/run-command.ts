import { checkMountpoint } from '../mountpoint.ts';
import type { Outcome, VolumeError } from '../outcome.ts';
import type { GetAnswer } from '../plugin/answers.ts';
import type { VolumePlugin } from '../plugin/client.ts';
import type { CommandLine, CommandName } from './command-line.ts';

/** What a command prints: `result` alone on standard output, the note on standard error. */
export interface CommandResult {
  readonly result?: string;
  readonly note?: string;
}

/** A failure with exit code 1; `volumeName` is logged where the original does. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly volumeName: string | undefined;

  constructor(message: string, volumeName?: string) {
    super(message);
    this.volumeName = volumeName;
  }
}

type Verb = (plugin: VolumePlugin, line: CommandLine) => Promise<CommandResult>;

/** Requests go out in the original's order: Get, Create where it was absent, then the verb. */
export const COMMAND_VERBS: Readonly<Record<Exclude<CommandName, 'version'>, Verb>> = {
  async create(plugin, { volume, options }) {
    wanted('Create', await plugin.create(volume, options), volume);
    return { note: volume };
  },
  async mount(plugin, { volume, options, explicitCreate }) {
    const found = wanted('Get', await plugin.get(volume), volume);
    if (found.kind !== 'present') {
      if (explicitCreate) throw missing(found, volume);
      await createUnlessThere(plugin, volume, options);
    }
    const path = wanted('Mount', await plugin.mount(volume, undefined));
    const verdict = await checkMountpoint(path);
    if (verdict.kind === 'fine') return { result: verdict.path, note: verdict.path };
    if (verdict.kind === 'no-answer') throw new CommandError(`the file system at ${path} does not answer`);
    const undone = await plugin.unmount(volume, undefined);
    throw new CommandError(
      `${verdict.why}; ${undone.kind === 'done' ? 'unmounted again' : 'unmounting it failed too'}`,
    );
  },
  async unmount(plugin, { volume }) {
    await present(plugin, volume);
    wanted('Unmount', await plugin.unmount(volume, undefined));
    return {};
  },
  async path(plugin, { volume }) {
    const found = await present(plugin, volume);
    const known = found.kind === 'present' ? found.volume.mountpoint : '';
    const path = known === '' ? wanted('Path', await plugin.path(volume), volume) : known;
    return path === '' ? {} : { result: path, note: path };
  },
  async get(plugin, { volume }) {
    await present(plugin, volume);
    return { result: volume };
  },
  async list(plugin) {
    const volumes = wanted('List', await plugin.list());
    return volumes.length === 0 ? {} : { result: volumes.map(({ name }) => name).join('\n') };
  },
  async remove(plugin, { volume }) {
    await present(plugin, volume);
    wanted('Remove', await plugin.remove(volume), volume);
    return {};
  },
};

/** A driver without Get is taken at its word: the verb itself will say whether the volume is there. */
async function present(plugin: VolumePlugin, volume: string): Promise<GetAnswer> {
  const found = wanted('Get', await plugin.get(volume), volume);
  if (found.kind === 'absent') throw missing(found, volume);
  return found;
}

/** Two mounts of a missing volume may run at once; the slower one finds it made. */
async function createUnlessThere(
  plugin: VolumePlugin,
  volume: string,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  const created = await plugin.create(volume, options);
  if (created.kind === 'not-done' && created.error.code === 'conflict') {
    if (wanted('Get', await plugin.get(volume), volume).kind === 'present') return;
  }
  wanted('Create', created, volume);
}

function missing(found: GetAnswer, volume: string): CommandError {
  const says =
    found.kind === 'absent' && !found.certain ? `VolumeDriver.Get: ${found.says}` : 'no such volume';
  return new CommandError(says, volume);
}

function wanted<T>(verb: string, outcome: Outcome<T>, volumeName?: string): T {
  if (outcome.kind === 'done') return outcome.value;
  throw new CommandError(describeError(verb, outcome.error), volumeName);
}

/** As the original words it: the verb, then the driver's own words. */
function describeError(verb: string, error: VolumeError): string {
  if (error.code === 'driver-not-found')
    return `Error looking up volume plugin ${error.driver}: plugin not found (${error.message})`;
  const { driverMessage: says } = error;
  return says === undefined || error.code === 'driver-unavailable' || error.code === 'bad-answer'
    ? error.message
    : `VolumeDriver.${verb}: ${says}`;
}
