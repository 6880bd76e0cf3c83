/** `mesos-elasticsearch`: every subcommand. Exit code 0: done. 1: failed. 64: called wrongly. 75: unknown. */
import { Command, CommanderError } from 'commander';
import { runExecutorProcess } from '@mesos-elasticsearch/executor';
import { runDemoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { addElasticsearchHome } from './commands/elasticsearch-home.ts';
import { EXIT, exitCodeOf } from './commands/exit-code.ts';
import { localCommand } from './commands/local.ts';
import { nodesCommand } from './commands/nodes.ts';
import { runScheduler } from './commands/scheduler.ts';
import { stateCommand } from './commands/state.ts';
import { addSchedulerFlags, readSchedulerFlags } from './commands/scheduler-flags.ts';
import { migrateCommand } from './commands/volumes-migrate.ts';
import { volumesCommand } from './commands/volumes.ts';
import { addDemoOptions, readDemoOptions } from './demo/options.ts';
import { VERSION } from './version.ts';

function program(): Command {
  const root = new Command('mesos-elasticsearch')
    .description('Elasticsearch clusters on Apache Mesos whose nodes keep their volumes when a machine dies')
    .version(VERSION)
    .exitOverride();
  const scheduler = addSchedulerFlags(
    root.command('scheduler').description('the framework: decides which node runs where'),
  );
  scheduler.action(async () => exitWith(await runScheduler(readSchedulerFlags(scheduler))));
  root
    .command('executor')
    .description('runs one node; started by a Mesos agent, which gives it its environment')
    .action(async () => exitWith(await runExecutorProcess(process.env)));
  root.addCommand(localCommand());
  root.addCommand(nodesCommand());
  root.addCommand(stateCommand());
  // A driver that hangs must not keep the process.
  root.addCommand(
    volumesCommand()
      .addCommand(migrateCommand())
      .hook('postAction', () => exitWith(EXIT.done)),
  );
  root.addCommand(doctorCommand(exitWith));
  addElasticsearchHome(root);
  const demo = addDemoOptions(
    root
      .command('demo')
      .description('a cluster on this machine: master, agents, volume drivers, Elasticsearch'),
  );
  demo.action(async () => exitWith(await runDemoCommand(readDemoOptions(demo))));
  for (const command of [scheduler, demo]) command.exitOverride();
  return root;
}

function exitWith(code: number): void {
  // Not at the natural end of the event loop: a file system that hangs must not keep the process.
  process.exit(code);
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said it already; help and version are no fault.
    process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage);
  }
  process.stderr.write(`mesos-elasticsearch: ${(error as Error).message}\n`);
  process.exit(exitCodeOf(error));
}
