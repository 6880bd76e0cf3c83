import { arch, platform } from 'node:os';
import { pluginDirectoriesFrom } from '../plugin/find-plugin.ts';
import { volumePlugin } from '../plugin/client.ts';
import { parseCommandLine, UsageError, type CommandLine } from './command-line.ts';
import { logLine } from './log-line.ts';
import { CommandError, COMMAND_VERBS } from './run-command.ts';

const VERSION = '0.1.0';
/** Below the 120 s after which Mesos kills the command and leaves the mount to nobody. */
const TOTAL_LIMIT_MS = 105_000;

const USAGE = `Docker volume drivers from the command line, without a Docker daemon.

  dvdcli <command> --volumedriver=NAME --volumename=NAME [flags]

Commands:
  create    create a volume
  mount     mount a volume, creating it when it is missing; prints its path
  unmount   unmount a volume
  path      print where a volume is mounted; nothing when it is not
  get       print a volume's name; fails when there is none
  list      print the names of the driver's volumes (no --volumename)
  remove    remove a volume
  version   print the version

Flags:
      --volumedriver string   name of the volume driver
      --volumename string     name of the volume
      --volumeopts strings    key=value options for create and mount; several, or separated by commas
      --explicitcreate        mount: fail when the volume is missing
  -h, --help                  this text

Environment:
  VOLUME_PLUGIN_DIRECTORIES   where plugins are looked for, separated by colons
                              (/run/docker/plugins:/etc/docker/plugins:/usr/lib/docker/plugins)

Exit codes: 0 done, 1 failed, 64 wrong usage.
`;

async function run(line: CommandLine): Promise<number> {
  if (line.command === 'help') return printed(USAGE, 0);
  if (line.command === 'version') return printed(versionText(), 0);
  const plugin = volumePlugin({
    driver: line.driver,
    directories: pluginDirectoriesFrom(process.env),
    signal: AbortSignal.timeout(TOTAL_LIMIT_MS),
  });
  const { result, note } = await COMMAND_VERBS[line.command](plugin, line);
  if (note !== undefined) process.stderr.write(logLine('info', note, new Date()));
  return result === undefined ? 0 : printed(`${result}\n`, 0);
}

function printed(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

/** Six lines, as the original has them; what is not known is left empty. */
function versionText(): string {
  const system = `${platform() === 'linux' ? 'Linux' : platform()}-${arch() === 'x64' ? 'x86_64' : arch()}`;
  return `Binary: ${process.argv[1] ?? 'dvdcli'}\nSemVer: ${VERSION}\nOsArch: ${system}\nBranch: \nCommit: \nFormed: \n`;
}

async function main(): Promise<number> {
  try {
    return await run(parseCommandLine(process.argv.slice(2)));
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${logLine('error', error.message, new Date())}\n${USAGE}`);
      return 64;
    }
    const volumeName = error instanceof CommandError ? error.volumeName : undefined;
    const fields = volumeName === undefined ? undefined : { volumeName };
    process.stderr.write(logLine('error', (error as Error).message, new Date(), fields));
    return 1;
  }
}

process.exitCode = await main();
