/** The options of `demo`. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_ELASTICSEARCH_VERSION } from '../config/fields.ts';
import { UsageError } from '../commands/exit-code.ts';

export interface DemoOptions {
  readonly runtime: 'jar' | 'docker';
  readonly nodes: number;
  readonly agents: number;
  /** hostdir and rclone are started by the demo, one an agent; any other must be there already. */
  readonly driver: string;
  readonly elasticsearchVersion: string;
  readonly keepVolumes: boolean;
  readonly verify: boolean;
  readonly json: boolean;
}

export function addDemoOptions(command: Command): Command {
  return command
    .addOption(new Option('--verify', 'index documents, kill a machine, check that all came back, end'))
    .addOption(new Option('--json', 'with --verify: print one JSON object on stdout, and nothing else'))
    .addOption(
      new Option('--runtime <runtime>', 'how Elasticsearch runs').choices(['jar', 'docker']).default('jar'),
    )
    .addOption(new Option('--nodes <n>', 'Elasticsearch nodes').argParser(wholeNumber).default(3))
    .addOption(new Option('--agents <n>', 'agents (default: one more than nodes)').argParser(wholeNumber))
    .addOption(
      new Option(
        '--driver <name>',
        'volume driver: hostdir, rclone, or one that runs here (default: hostdir; docker: local)',
      ),
    )
    .addOption(
      new Option('--elasticsearch-version <version>', 'version of Elasticsearch').default(
        DEFAULT_ELASTICSEARCH_VERSION,
      ),
    )
    .addOption(new Option('--keep-volumes', 'keep the volumes at the end and say where they are'));
}

/** @throws UsageError naming every fault */
export function readDemoOptions(command: Command): DemoOptions {
  const given = command.opts<Partial<DemoOptions>>();
  const { runtime = 'jar', nodes = 3 } = given;
  const options: DemoOptions = {
    runtime,
    nodes,
    agents: given.agents ?? nodes + 1,
    driver: given.driver ?? (runtime === 'docker' ? 'local' : 'hostdir'),
    elasticsearchVersion: given.elasticsearchVersion ?? DEFAULT_ELASTICSEARCH_VERSION,
    keepVolumes: given.keepVolumes ?? false,
    verify: given.verify ?? false,
    json: given.json ?? false,
  };
  const faults = demoFaults(options);
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return options;
}

export function demoFaults(options: DemoOptions): string[] {
  const faults: string[] = [];
  if (options.agents < options.nodes)
    faults.push(`--agents ${options.agents}: wanted at least as many as --nodes ${options.nodes}`);
  if (options.verify && options.agents <= options.nodes) {
    faults.push(
      `--agents ${options.agents}: --verify wants one more than --nodes ${options.nodes}, for the lost node to move to`,
    );
  }
  if (options.json && !options.verify) faults.push('--json: wanted together with --verify');
  if (options.driver === 'local' && options.runtime !== 'docker') {
    faults.push('--driver local: is built into Docker, wanted together with --runtime docker');
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:/-]*$/.test(options.driver))
    faults.push(`--driver ${options.driver}: is no driver name`);
  if (!/^\d+\.\d+\.\d+$/.test(options.elasticsearchVersion)) {
    faults.push(`--elasticsearch-version ${options.elasticsearchVersion}: wanted a version such as 8.19.5`);
  }
  return faults;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 50) {
    throw new InvalidArgumentError('wanted a whole number from 1 to 50');
  }
  return value;
}
