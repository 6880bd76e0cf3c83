/** `local master | agent`: processes of the embedded cluster, with the flags that a real Mesos has. */
import { Command, Option } from 'commander';
import { AGENT_FLAGS, MASTER_FLAGS, runLocalCommand, type FlagSpec } from '@mesos-elasticsearch/local';

export function localCommand(): Command {
  const local = new Command('local').description(
    'an embedded Mesos-compatible master or agent, for trying out',
  );
  const parts: readonly [string, string, readonly FlagSpec[]][] = [
    ['master', 'a master', MASTER_FLAGS],
    ['agent', 'an agent', AGENT_FLAGS],
    // Started by an embedded cluster for its own needs.
    ['machine-link', '', []],
    ['command-executor', '', []],
  ];
  for (const [name, description, flags] of parts) {
    const part = local.command(name, { hidden: description === '' }).description(description);
    for (const flag of flags) part.addOption(new Option(`--${flag.name} <${flag.value}>`, flag.help));
    // The package parses its own flags; commander only shows them.
    part.allowUnknownOption(true).allowExcessArguments(true);
    part.action(() => runLocalCommand([name, ...process.argv.slice(4)]));
  }
  return local;
}
