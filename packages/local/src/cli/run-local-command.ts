/** `local master | agent | machine-link | command-executor`: each a process of its own. */
import { parseArgs } from 'node:util';
import { runAgent } from '../agent/run-agent.ts';
import { runMachineLink } from '../cluster/machine-link.ts';
import { runCommandExecutor } from '../command-executor/run-command-executor.ts';
import { runMaster } from '../master/run-master.ts';
import {
  AGENT_FLAGS,
  agentOptionsFromFlags,
  FlagError,
  MASTER_FLAGS,
  masterOptionsFromFlags,
} from './flags.ts';
import type { Flags, FlagSpec } from './flags.ts';

/** Set by whoever starts these processes for a while: they end when their stdin does. */
const TIED_FLAG = 'exit_with_stdin';
const INNER_FLAGS: readonly FlagSpec[] = [
  { name: 'listen', value: 'PORT', help: 'port that the agent connects to' },
  { name: 'work_dir', value: 'DIR', help: "the agent's" },
  { name: 'master', value: 'HOST:PORT', help: 'where the bytes go' },
];

function readFlags(specs: readonly FlagSpec[], argv: readonly string[]): { flags: Flags; tied: boolean } {
  const options = Object.fromEntries(specs.map(({ name }) => [name, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...options, [TIED_FLAG]: { type: 'boolean' } },
    });
    const { [TIED_FLAG]: tied, ...flags } = values as Record<string, unknown>;
    return { flags: flags as Flags, tied: tied === true };
  } catch (cause) {
    throw new FlagError((cause as Error).message, { cause });
  }
}

function announce(host: string, port: number, more: Record<string, unknown> = {}): void {
  process.stdout.write(`${JSON.stringify({ listening: { host, port }, ...more })}\n`);
}

/** Calls `end` once, on SIGINT, SIGTERM or (if tied) the end of stdin, then exits. */
function endWith(tied: boolean, end: (cause: 'signal' | 'stdin') => Promise<void>): void {
  let ending = false;
  const finish = (cause: 'signal' | 'stdin') => {
    if (ending) return;
    ending = true;
    end(cause).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => finish('signal'));
  if (tied) {
    process.stdin.resume();
    process.stdin.on('close', () => finish('stdin'));
  }
}

async function master(argv: readonly string[]): Promise<void> {
  const { flags, tied } = readFlags(MASTER_FLAGS, argv);
  const running = await runMaster(masterOptionsFromFlags(flags));
  endWith(tied, () => running.close());
  announce(running.host, running.port, { pid: process.pid });
}

/** A signal ends the agent alone, as a real one's would; the end of stdin takes its executors along. */
async function agent(argv: readonly string[]): Promise<void> {
  const { flags, tied } = readFlags(AGENT_FLAGS, argv);
  process.umask(0o022);
  const running = await runAgent(agentOptionsFromFlags(flags));
  endWith(tied, (cause) => (cause === 'stdin' ? running.destroy() : running.close()));
  announce(running.host, running.port, { pid: process.pid });
  process.stdout.write(`${JSON.stringify({ registered: { agentId: await running.registered } })}\n`);
}

async function machineLink(argv: readonly string[]): Promise<void> {
  const { flags } = readFlags(INNER_FLAGS, argv);
  const { listen = '0', work_dir: workDir = '', master: target = '' } = flags;
  const running = await runMachineLink({ port: Number(listen), workDir, target, commands: process.stdin });
  announce('127.0.0.1', running.port);
  await running.ended;
  process.exit(0);
}

const COMMANDS: Record<string, (argv: readonly string[]) => Promise<void> | void> = {
  master,
  agent,
  'machine-link': machineLink,
  'command-executor': runCommandExecutor,
};

/**
 * `argv` is what follows `local`. Servers print `{"listening":{"host","port"}}` on stdout when they are ready
 * and run until a signal; what cannot start is said on stderr and ends the process with 1.
 */
export async function runLocalCommand(argv: readonly string[]): Promise<void> {
  const [name = '', ...rest] = argv;
  const command = COMMANDS[name];
  try {
    if (command === undefined) throw new FlagError(`local ${name}: expected master or agent`);
    await command(rest);
  } catch (error) {
    process.stderr.write(`mesos-elasticsearch local ${name}: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
