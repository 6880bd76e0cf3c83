/** `volumes ls | inspect | create | mount | unmount | rm | capabilities`: any driver, without a scheduler. */
import { capabilitiesData, capabilitiesText, type ConsumerId } from '@mesos-elasticsearch/dvdcli-bridge';
import { Command, InvalidArgumentError, Option } from 'commander';
import { REACH_PATHS, type ReachPath } from '../volumes/reach.ts';
import {
  createVolume,
  inspectVolume,
  listVolumes,
  mountVolume,
  removeVolume,
  unmountVolume,
  type Said,
  type VerbContext,
} from '../volumes/verbs.ts';
import { terminal, type Terminal } from './terminal.ts';

export interface ReachFlags {
  readonly driver: string;
  readonly path?: ReachPath;
  readonly dvdcli: string;
  readonly dockerHost?: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly json?: true;
}
type Environment = Readonly<Record<string, string | undefined>>;

const CODES = `
Exit codes: 0 done. 1 certainly not done. 64 called wrongly. 75 unknown: it may have happened, so inspect before anything else.`;

export function volumesCommand(to: Terminal = terminal, environment: Environment = process.env): Command {
  const volumes = new Command('volumes')
    .description('volumes of any driver, and what drivers and paths can do')
    .exitOverride();
  const verb = (nameAndArguments: string, description: string): Command =>
    addReachFlags(volumes.command(nameAndArguments).description(description).addHelpText('after', CODES));
  const say = (flags: ReachFlags, { text, data }: Said): void =>
    to.write(`${flags.json === true ? JSON.stringify(data, undefined, 2) : text}\n`);
  const at = (flags: ReachFlags): VerbContext => ({ reach: reachOptions(flags), environment });

  verb('ls', 'the volumes of a driver').action(async (flags: ReachFlags) => {
    say(flags, await listVolumes(at(flags)));
  });
  verb('inspect <name>', 'where it is mounted here, whose it is and who uses it; mounts nothing').action(
    async (name: string, flags: ReachFlags) => say(flags, await inspectVolume(at(flags), name)),
  );
  verb('create <name>', 'makes a volume; one that is there stays as it is')
    .option('--options <k=v,k=v>', "options of the driver; {volume} stands for the volume's name", '')
    .action(async (name: string, flags: ReachFlags & { readonly options: string }) => {
      say(flags, await createVolume(at(flags), name, flags.options));
    });
  withConsumer(verb('mount <name>', 'mounts a volume on this host and prints its path'))
    .option('--yes-mount <name>', "the name once more, for a volume that is named as a node's")
    .action(
      async (
        name: string,
        flags: ReachFlags & { readonly consumer: ConsumerId; readonly yesMount?: string },
      ) => {
        say(
          flags,
          await mountVolume(at(flags), name, { consumer: flags.consumer, confirmed: flags.yesMount }),
        );
      },
    );
  withConsumer(verb('unmount <name>', "takes this consumer's mount back; not mounted counts as done")).action(
    async (name: string, flags: ReachFlags & { readonly consumer: ConsumerId }) => {
      say(flags, await unmountVolume(at(flags), name, flags.consumer));
    },
  );
  verb('rm <name>', 'removes a volume for ever, unless it is in use or may be of a cluster')
    .option('--yes-delete <name>', 'the name once more, for a volume that may be of a cluster')
    .action(async (name: string, flags: ReachFlags & { readonly yesDelete?: string }) => {
      say(flags, await removeVolume(at(flags), name, flags.yesDelete));
    });
  addCapabilities(volumes, to);
  return volumes;
}

function addCapabilities(volumes: Command, to: Terminal): void {
  volumes
    .command('capabilities')
    .description('what each path and each known driver can and cannot do')
    .option('--driver <name>', 'this driver and the paths that reach it')
    .option('--json', 'with values and sources')
    .action(({ driver, json }: { readonly driver?: string; readonly json?: true }) => {
      to.write(
        json === true
          ? `${JSON.stringify(capabilitiesData(driver), undefined, 2)}\n`
          : capabilitiesText(driver),
      );
    });
}

/** How a driver is reached; also of `doctor`, where the driver need not be given. */
export function addReachFlags(command: Command, driverIsWanted = true): Command {
  return command
    .addOption(new Option('--driver <name>', 'volume driver').makeOptionMandatory(driverIsWanted))
    .addOption(
      new Option(
        '--path <path>',
        "how it is reached; absent: engine for Docker's local, else plugin-socket",
      ).choices(REACH_PATHS),
    )
    .option('--dvdcli <program>', 'the dvdcli command', 'dvdcli')
    .option('--docker-host <url>', 'unix:///path or tcp://host:port; absent: DOCKER_HOST')
    .option('--timeout <seconds>', 'of the whole command', parseSeconds)
    .option('--json', 'for programs');
}

function withConsumer(command: Command): Command {
  return command.option('--consumer <id>', 'who mounts: give the same to mount and to unmount', 'operator');
}

export function reachOptions({
  driver,
  path,
  dvdcli,
  dockerHost,
  timeout,
}: ReachFlags): VerbContext['reach'] {
  return {
    driver,
    dvdcli,
    ...(path === undefined ? {} : { path }),
    ...(dockerHost === undefined ? {} : { dockerHost }),
    ...(timeout === undefined ? {} : { timeoutMs: wholeMs(timeout) }),
  };
}

/** Timers take whole milliseconds only; 1.005 s are 1004.9999999999999 ms. */
export function wholeMs(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('wanted seconds, above 0 and at most 86400');
}
