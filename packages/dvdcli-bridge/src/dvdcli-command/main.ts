import { readMountTable, type MountEntry } from '../mount-table.ts';
import type { VolumeErrorCode } from '../outcome.ts';
import { volumePlugin, type VolumePlugin } from '../plugin/client.ts';
import { engineForManagedPlugins } from '../plugin/engine-endpoint.ts';
import { pluginDirectoriesFrom } from '../plugin/find-plugin.ts';
import { asksForJson, isVerb, parseCommandLine, type CommandLine, type Verb } from './command-line.ts';
import { diagnose } from './doctor.ts';
import { CommandFailure } from './failure.ts';
import { UsageError } from './flags.ts';
import { clipped, logLine, type LogLevel } from './log-line.ts';
import { checkMountedDirectory } from './mounted-directory.ts';
import { writeAll, writeLog } from './output.ts';
import { COMMAND_VERBS, type CommandResult, type Machine } from './run-command.ts';
import { USAGE } from './usage.ts';
import { SEM_VER, versionText } from './version.ts';

/** Taking back a mount whose path is refused may take so long, even when the command's own time is over. */
const UNDO_LIMIT_MS = 3_000;
/** How long a file system may take to say that the mountpoint is a directory. */
const DIRECTORY_LIMIT_MS = 10_000;

const program = process.argv[1] ?? 'dvdcli';

function log(level: LogLevel, message: string, fields?: Readonly<Record<string, string>>): void {
  writeLog(logLine(level, message, new Date(), fields));
}

/** One for the whole command, so that what is wrong with its address is said once. */
const engine = once(() => engineForManagedPlugins(process.env, (message) => log('warning', message)));

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function pluginWithin(driver: string, limitMs: number): VolumePlugin {
  const within = (ms: number): number => Math.min(ms, limitMs);
  return volumePlugin({
    driver,
    directories: pluginDirectoriesFrom(process.env),
    engine: engine(),
    timeLimits: {
      reachMs: within(5_000),
      createMs: limitMs,
      mountMs: limitMs,
      unmountMs: limitMs,
      otherMs: within(60_000),
    },
    signal: AbortSignal.timeout(limitMs),
  });
}

function mountTable(): readonly MountEntry[] {
  try {
    return readMountTable();
  } catch (error) {
    const message = `the mount table cannot be read: ${(error as Error).message}; /proc must be mounted`;
    throw new CommandFailure(message, { code: 'unsupported' });
  }
}

async function perform(line: CommandLine, verb: Verb): Promise<CommandResult> {
  if (line.driver === '')
    throw new CommandFailure('Missing volume driver name', {
      code: 'invalid',
      level: 'info',
      fields: { volumeDriver: '' },
    });
  const started = process.hrtime();
  const leftMs = (): number => {
    const [seconds, nanoseconds] = process.hrtime(started);
    return Math.max(0, line.timeLimitMs - seconds * 1_000 - nanoseconds / 1e6);
  };
  const machine: Machine = {
    plugin: pluginWithin(line.driver, line.timeLimitMs),
    undoing: () => pluginWithin(line.driver, UNDO_LIMIT_MS),
    mountTable,
    checkDirectory: (path) => checkMountedDirectory(path, Math.min(DIRECTORY_LIMIT_MS, leftMs())),
  };
  return COMMAND_VERBS[verb](machine, line);
}

/** The path before the log about it: it is what the caller waits for. */
function print(line: CommandLine, result: CommandResult): void {
  let lost: unknown;
  try {
    writeAll(1, line.json ? jsonOf(line, result) : result.lines.map((text) => `${text}\n`).join(''));
  } catch (error) {
    lost = error;
  }
  for (const warning of result.warnings ?? []) log('warning', warning);
  if (lost !== undefined) throw outputLost(line, result, lost as NodeJS.ErrnoException);
  if (result.note !== undefined) log('info', result.note);
}

function jsonOf({ command, driver, volume }: CommandLine, result: CommandResult): string {
  const named = volume === '' ? { command, driver } : { command, driver, volume };
  return `${JSON.stringify({ ...named, ...result.facts })}\n`;
}

/** A mount that nobody was told of is not taken back: a driver that does not count would take it from others too. */
function outputLost(
  { command, volume }: CommandLine,
  result: CommandResult,
  error: NodeJS.ErrnoException,
): CommandFailure {
  const [path = ''] = result.lines;
  const end =
    command === 'mount' ? `volume ${volume} is mounted at ${path} and stays so` : `${command} was done`;
  const message = `the output could not be written (${error.code ?? error.message}); ${end}`;
  return new CommandFailure(message, { code: 'driver-error', certain: false });
}

async function run(line: CommandLine): Promise<number> {
  const { command } = line;
  if (isVerb(command)) {
    print(line, await perform(line, command));
    return 0;
  }
  if (command === 'doctor') {
    const { text, healthy } = await diagnose(line, pluginDirectoriesFrom(process.env), pluginWithin);
    writeAll(1, text);
    return healthy ? 0 : 1;
  }
  if (command === 'version')
    writeAll(1, line.json ? `${JSON.stringify({ semVer: SEM_VER })}\n` : versionText(program));
  else if (command === 'help') writeAll(1, USAGE);
  else writeLog(USAGE);
  return 0;
}

function reportFailure(error: unknown, json: boolean): number {
  if (error instanceof UsageError) {
    writeLog(`${logLine('error', error.message, new Date())}\n${USAGE}`);
    if (json) printError('invalid', error.message, true);
    return 64;
  }
  const failure = error instanceof CommandFailure ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  log(failure?.level ?? 'error', message, failure?.fields);
  if (failure?.hint !== undefined) log('error', failure.hint, failure.fields);
  if (json) {
    const { code = 'driver-error', certain = false } = failure ?? {};
    printError(code, failure?.hint ?? message, certain);
  }
  return 1;
}

function printError(code: VolumeErrorCode, message: string, certain: boolean): void {
  try {
    writeAll(1, `${JSON.stringify({ error: { code, message: clipped(message), certain } })}\n`);
  } catch {
    // The log has it, and the exit code says as much.
  }
}

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  try {
    return await run(parseCommandLine(argv));
  } catch (error) {
    return reportFailure(error, asksForJson(argv));
  }
}

// Nothing that is still open, a connection or a timer, may hold up the caller.
void main()
  .catch(() => 1)
  .then((code) => process.exit(code));
