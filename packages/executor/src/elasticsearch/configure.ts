/** Renders the configuration into the config volume; nothing here starts Elasticsearch. */
import type { LaunchSpec } from '@mesos-elasticsearch/contract';
import { makeDirectory, readTextFile, writeVolumeFile } from '../files/volume-files.ts';
import { SetupError, type NodeProcess } from '../ports.ts';
import { bootstrapProblems } from './bootstrap-checks.ts';
import { inspectHome, type Distribution } from './home.ts';
import { OUR_OPTIONS_FILE, ourOptions, withAbsolutePaths } from './jvm-options.ts';
import { readMachineLimits } from './machine-limits.ts';
import { renderSettings } from './settings.ts';

export const SEED_HOSTS_FILE = 'unicast_hosts.txt';
/** A JVM of its own for each entry. */
const KEYSTORE_LIMIT_MS = 120_000;

export interface Configured {
  readonly version: string;
  /** Keys of the user's that the framework replaced. */
  readonly overridden: readonly string[];
  readonly proven: boolean;
}

/** @throws SetupError, VolumeFilesError, CommandTimeLimitError */
export async function configure(process: NodeProcess, spec: LaunchSpec): Promise<Configured> {
  const { commands, home, logDirectory, mountpoints } = process;
  const distribution = await inspectHome(commands, home);
  const rendered = renderSettings({
    dialect: distribution.dialect,
    modules: distribution.modules,
    spec,
    dataPath: mountpoints.data,
    logPath: logDirectory,
  });
  const problems = bootstrapProblems(rendered.settings, await readMachineLimits(commands));
  if (problems.length > 0) throw new SetupError(problems.join('; '));

  const config = mountpoints.config;
  const put = (name: string, text: string) => writeVolumeFile(commands, config, name, text);
  const shipped = (name: string) => readTextFile(commands, `${home}/config/${name}`);
  await makeDirectory(commands, `${config}/jvm.options.d`);
  await put('jvm.options', withAbsolutePaths(await shipped('jvm.options'), logDirectory));
  await put(OUR_OPTIONS_FILE, ourOptions(spec.elasticsearch.heapMb, spec.elasticsearch.jvmOptions));
  await put('log4j2.properties', await shipped('log4j2.properties'));
  await put(SEED_HOSTS_FILE, seedHostsText(spec.elasticsearch.seedHosts));
  await fillKeystore(process, spec, distribution);
  await put(distribution.dialect.configurationFile, rendered.text);
  return {
    version: distribution.version.text,
    overridden: rendered.overridden,
    proven: distribution.dialect.proven,
  };
}

/** Elasticsearch notices the new file by itself. */
export async function writeSeedHosts(process: NodeProcess, hosts: readonly string[]): Promise<void> {
  await writeVolumeFile(process.commands, process.mountpoints.config, SEED_HOSTS_FILE, seedHostsText(hosts));
}

function seedHostsText(hosts: readonly string[]): string {
  return hosts.map((host) => `${host}\n`).join('');
}

/** Values go in by stdin: an argument would be visible to everybody on the machine. */
async function fillKeystore(
  process: NodeProcess,
  spec: LaunchSpec,
  distribution: Distribution,
): Promise<void> {
  const { dialect, home } = distribution;
  for (const [name, value] of Object.entries(spec.elasticsearch.keystore)) {
    const result = await process.commands.run(
      [`${home}/${dialect.keystoreProgram}`, 'add', '--stdin', '--force', name],
      {
        as: 'node',
        input: value,
        environment: { [dialect.pathConfVariable]: process.mountpoints.config },
        limitMs: KEYSTORE_LIMIT_MS,
      },
    );
    if (result.exitCode !== 0) {
      throw new SetupError(
        `keystore entry ${name} cannot be added: ${result.stderr || result.stdout.toString()}`,
      );
    }
  }
}
