/** What lies in a distribution's home directory, wherever that is (this machine, or a container). */
import { SetupError, type CommandRunner } from '../ports.ts';
import { dialectOf, KNOWN_DIALECTS, type Dialect } from './dialect.ts';
import { versionOf, type ElasticsearchVersion } from './version.ts';

export interface Distribution {
  readonly home: string;
  readonly version: ElasticsearchVersion;
  readonly dialect: Dialect;
  /** Names in `modules/`. */
  readonly modules: readonly string[];
}

/** @throws SetupError where the home is not readable to Elasticsearch's user, or of a version not known here */
export async function inspectHome(commands: CommandRunner, home: string): Promise<Distribution> {
  const libraries = await commands.run(['ls', `${home}/lib`], { as: 'node' });
  if (libraries.exitCode !== 0) {
    throw new SetupError(
      `the Elasticsearch home ${home} cannot be read by Elasticsearch's user (it must lie outside of private folders such as /root): ${libraries.stderr}`,
    );
  }
  const version = versionOf(lines(libraries.stdout));
  if (!version) throw new SetupError(`${home}/lib has no Elasticsearch server: not an Elasticsearch home`);
  const dialect = dialectOf(version);
  if (!dialect) {
    throw new SetupError(
      `${version.product} ${version.text} in ${home} is not supported; known: ${KNOWN_DIALECTS.join(', ')}`,
    );
  }
  const modules = await commands.run(['ls', `${home}/modules`], { as: 'node' });
  return { home, version, dialect, modules: modules.exitCode === 0 ? lines(modules.stdout) : [] };
}

function lines(output: Buffer): readonly string[] {
  return output
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}
