import { isMountPoint, mountsNamed, type MountEntry } from '../mount-table.ts';
import type { MountpointVerdict } from '../mountpoint.ts';
import type { GetAnswer } from '../plugin/answers.ts';
import type { VolumePlugin } from '../plugin/client.ts';
import type { CommandLine, Verb } from './command-line.ts';
import { CommandFailure, wanted } from './failure.ts';

/** What a command prints. */
export interface CommandResult {
  /** Alone on standard output. */
  readonly lines: readonly string[];
  /** Logged at level info, where the original does. */
  readonly note?: string;
  /** What went other than its caller may think, though the command succeeded. */
  readonly warnings?: readonly string[];
  /** For `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What the verbs need of the machine. */
export interface Machine {
  readonly plugin: VolumePlugin;
  /** Reaches the driver after the time limit too, for taking back what was refused. */
  readonly undoing: () => VolumePlugin;
  readonly mountTable: () => readonly MountEntry[];
  readonly checkDirectory: (path: string) => Promise<MountpointVerdict>;
}

type Found = Exclude<GetAnswer, { kind: 'absent' }>;

/** Requests go out in the original's order: Get, Create where it was absent, then the verb. */
export const COMMAND_VERBS: Readonly<
  Record<Verb, (machine: Machine, line: CommandLine) => Promise<CommandResult>>
> = {
  async create({ plugin }, { volume, options }) {
    wanted('Create', await plugin.create(volume, options), volume);
    return { lines: [], note: volume, facts: {} };
  },
  mount,
  async unmount({ plugin }, { volume, mountId }) {
    await present(plugin, volume);
    wanted('Unmount', await plugin.unmount(volume, mountId));
    return { lines: [], facts: {} };
  },
  path,
  async get({ plugin }, { volume }) {
    const found = await present(plugin, volume);
    if (found.kind === 'present') {
      const { mountpoint, mounts } = found.volume;
      return { lines: [found.spelling ?? volume], facts: { mountpoint, mounts } };
    }
    throw new CommandFailure('the driver does not know the verb Get', {
      code: 'unsupported',
      fields: { volumeName: volume },
    });
  },
  async list({ plugin }) {
    const volumes = wanted('List', await plugin.list());
    // A name of two lines would be two volumes to whoever reads them.
    const names = volumes.map(({ name }) => name);
    const odd = names.filter((name) => /[\n\r]/.test(name));
    return {
      lines: names.filter((name) => !odd.includes(name)),
      warnings: odd.map((name) => `left out a volume with the name ${JSON.stringify(name)}`),
      facts: { volumes: volumes.map(({ name, mountpoint }) => ({ name, mountpoint })) },
    };
  },
  remove,
};

async function mount(machine: Machine, line: CommandLine): Promise<CommandResult> {
  const { plugin } = machine;
  const { volume, mountId } = line;
  const found = wanted('Get', await plugin.get(volume), volume);
  const warnings: string[] = [];
  if (found.kind === 'present' && found.spelling !== undefined)
    warnings.push(`the driver calls volume ${volume} ${found.spelling}; case may count elsewhere`);
  const created = found.kind !== 'present';
  if (created) warnings.push(...(await create(plugin, line, found)));
  else if (Object.keys(line.options).length > 0)
    warnings.push(`volume ${volume} exists; the options given here were not applied to it`);
  const mounted = await plugin.mount(volume, mountId);
  const path =
    mounted.kind === 'not-done' && mounted.error.code === 'conflict'
      ? await pathOfMounted(machine, line)
      : wanted('Mount', mounted) || (await pathWhenAsked(plugin, volume));
  // Refused as before, in the driver's words, where the mount table does not agree with them.
  if (path === undefined) return wanted('Mount', mounted) as never;
  const verdict = await machine.checkDirectory(path);
  if (verdict.kind === 'fine')
    return { lines: [verdict.path], note: verdict.path, warnings, facts: { path: verdict.path, created } };
  if (verdict.kind === 'no-answer')
    throw new CommandFailure(`the file system at ${path} does not answer; the volume stays mounted`, {
      code: 'time-limit',
      certain: false,
    });
  // Whoever mounted it before still has it; what was not mounted here is not unmounted here.
  const undone = mounted.kind === 'done' ? await machine.undoing().unmount(volume, mountId) : undefined;
  const end =
    undone === undefined ? '' : undone.kind === 'done' ? '; unmounted again' : '; unmounting it failed too';
  throw new CommandFailure(`${verdict.why}${end}`, {
    code: 'bad-mountpoint',
    certain: undone?.kind === 'done',
  });
}

/**
 * An absent volume is made, unless that is forbidden; two mounts of it may run at once, and the slower one finds it
 * made. What there is to warn of.
 */
async function create(
  plugin: VolumePlugin,
  { volume, options, explicitCreate }: CommandLine,
  found: GetAnswer,
): Promise<readonly string[]> {
  if (explicitCreate) throw missing(found, volume);
  const created = await plugin.create(volume, options);
  if (created.kind === 'not-done' && created.error.code === 'conflict') {
    const now = wanted('Get', await plugin.get(volume), volume);
    if (now.kind === 'present') return [`volume ${volume} was made by somebody else just now`];
  }
  wanted('Create', created, volume);
  // The driver may have been ill, not the volume absent; its words are all there is to find out by.
  return found.kind === 'absent' && !found.certain
    ? [`volume ${volume} was created, because VolumeDriver.Get said: ${found.says}`]
    : [];
}

/** Some drivers say where a volume is mounted only when asked. Empty: this one does not say it either. */
async function pathWhenAsked(plugin: VolumePlugin, volume: string): Promise<string> {
  const said = await plugin.path(volume);
  return said.kind === 'done' ? said.value : '';
}

/** "Already mounted": where, if it is by this caller as far as the driver tells, and the mount table agrees. */
async function pathOfMounted(
  { plugin, mountTable }: Machine,
  { volume, mountId }: CommandLine,
): Promise<string | undefined> {
  const now = await plugin.get(volume);
  const described = now.kind === 'done' && now.value.kind === 'present' ? now.value.volume : undefined;
  if (described?.mounts !== undefined && !described.mounts.includes(mountId ?? '')) return undefined;
  const path = (await pathWhenAsked(plugin, volume)) || (described?.mountpoint ?? '');
  return path !== '' && isMountPoint(mountTable(), path) ? path : undefined;
}

async function path(machine: Machine, { volume, json }: CommandLine): Promise<CommandResult> {
  const { plugin } = machine;
  const found = await present(plugin, volume);
  const described = found.kind === 'present' ? found.volume : undefined;
  const known = described?.mountpoint ?? '';
  const said = known === '' ? wanted('Path', await plugin.path(volume), volume) : known;
  // rclone names a directory whether anything is mounted there or not, and says so elsewhere in the same answer.
  if (said === '' || described?.mounts?.length === 0) return { lines: [], facts: { path: null } };
  if (!said.startsWith('/') || /[\n\r\0]/.test(said))
    throw new CommandFailure(`the driver gave the path ${JSON.stringify(said)}, which no path can be`, {
      code: 'bad-mountpoint',
    });
  return {
    lines: [said],
    note: said,
    facts: json ? { path: said, mounted: isMountPoint(machine.mountTable(), said) } : {},
  };
}

/** Real drivers do remove a volume that is mounted, without a word; so it is looked for here first. */
async function remove(machine: Machine, { volume }: CommandLine): Promise<CommandResult> {
  const { plugin } = machine;
  const found = await present(plugin, volume);
  const described = found.kind === 'present' ? found.volume : undefined;
  const ids = described?.mounts?.length ?? 0;
  const where =
    ids > 0 ? `${ids} times, says the driver` : await placeOfMount(machine, volume, described?.mountpoint);
  if (where !== undefined)
    throw new CommandFailure(`volume is in use: it is mounted (${where}); unmount it first`, {
      code: 'in-use',
      fields: { volumeName: volume },
    });
  wanted('Remove', await plugin.remove(volume), volume);
  return { lines: [], facts: {} };
}

async function placeOfMount(
  { plugin, mountTable }: Machine,
  volume: string,
  described: string | undefined,
): Promise<string | undefined> {
  const asked = described === undefined || described === '' ? await plugin.path(volume) : undefined;
  // A driver that does not know the path of an unmounted volume says so with an error.
  const said = asked === undefined || asked.kind === 'not-done' ? '' : wanted('Path', asked, volume);
  const table = mountTable();
  const place = [described ?? '', said].find((path) => path !== '' && isMountPoint(table, path));
  // Some drivers tell nobody where a volume is mounted, or tell a folder below it, and remove it all the same.
  const where = place ?? mountsNamed(table, volume)[0];
  return where === undefined ? undefined : `at ${where}`;
}

/** A driver without Get is taken at its word: the verb itself will say whether the volume is there. */
async function present(plugin: VolumePlugin, volume: string): Promise<Found> {
  const found = wanted('Get', await plugin.get(volume), volume);
  if (found.kind === 'absent') throw missing(found, volume);
  return found;
}

function missing(found: GetAnswer, volume: string): CommandFailure {
  const fields = { volumeName: volume };
  if (found.kind === 'unsupported')
    return new CommandFailure('the driver cannot say whether the volume exists (it has no Get)', {
      code: 'unsupported',
      fields,
    });
  const says =
    found.kind === 'absent' && !found.certain ? `VolumeDriver.Get: ${found.says}` : 'no such volume';
  return new CommandFailure(says, { code: 'not-found', fields });
}
