/** `doctor`: is everything there that a node with external volumes needs on this host? */
import { Command, Option } from 'commander';
import { allFine, linesText } from '../doctor/core/line.ts';
import { examine } from '../doctor/doctor.ts';
import type { ReachPath } from '../volumes/reach.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { terminal, type Terminal } from './terminal.ts';
import { addReachFlags, wholeMs } from './volumes.ts';

interface DoctorFlags {
  readonly driver?: string;
  readonly path?: ReachPath;
  readonly options: string;
  readonly dvdcli: string;
  readonly dockerHost?: string;
  readonly timeout?: number;
  readonly agent?: string;
  readonly json?: true;
}

/** Long enough for a volume to be attached to a machine of a cloud. */
const DEFAULT_TIMEOUT_S = 60;

/** @param ended told the exit code: 0 nothing failed, 1 something did */
export function doctorCommand(
  ended: (code: number) => void,
  to: Terminal = terminal,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Command {
  const doctor = new Command('doctor')
    .description('looks at a driver and at this host, and says what to do about what is wrong')
    .exitOverride();
  return addReachFlags(doctor, false)
    .option('--options <k=v,k=v>', 'options for the scratch volume; {volume} stands for its name', '')
    .addOption(new Option('--agent <host:port>', 'Mesos agent; absent: 127.0.0.1:5051, if it answers'))
    .action(async (flags: DoctorFlags) => {
      const { driver, path, dvdcli, dockerHost, agent, timeout = DEFAULT_TIMEOUT_S } = flags;
      if (agent !== undefined && !/^[^\s/:]+:\d{1,5}$/.test(agent))
        throw new UsageError(`--agent ${agent}: wanted host:port`);
      const lines = await examine({
        reach: {
          driver,
          dvdcli,
          timeoutMs: wholeMs(timeout),
          ...(path === undefined ? {} : { path }),
          ...(dockerHost === undefined ? {} : { dockerHost }),
        },
        volumeOptions: flags.options,
        agent,
        environment,
      });
      const ok = allFine(lines);
      to.write(`${flags.json === true ? JSON.stringify({ ok, lines }, undefined, 2) : linesText(lines)}\n`);
      ended(ok ? EXIT.done : EXIT.failed);
    });
}
