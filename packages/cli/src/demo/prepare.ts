/** Set-up of the demo: everything the chosen options need on this machine, and nothing else. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '../setup/cache-directory.ts';
import { acquireElasticsearch, type Distribution } from '../setup/distribution.ts';
import { existingEngine, startPrivateEngine, type DockerEngine } from '../setup/docker-engine.ts';
import { ensureImage } from '../setup/docker-image.ts';
import { findJava, type Java } from '../setup/java.ts';
import type { Tell } from '../setup/setup-error.ts';
import { DOCKER_NEEDS, ensurePackages, RCLONE_NEEDS } from '../setup/system-packages.ts';
import type { DemoOptions } from './options.ts';
import type { Undo } from './undo.ts';
import type { WorkDirectory } from './work-directory.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Prepared {
  readonly java: Java;
  readonly elasticsearch: Distribution;
  readonly docker: { readonly engine: DockerEngine; readonly image: string } | undefined;
}

/** @throws SetupError saying what is missing and how to get it */
export async function prepare(
  options: DemoOptions,
  work: WorkDirectory,
  { environment, tell, undo }: { environment: Environment; tell: Tell; undo: Undo },
): Promise<Prepared> {
  const cache = cacheDirectory({ uid: process.getuid?.() ?? 1, home: homedir(), environment });
  const java = await findJava(environment);
  tell(`Java ${java.version}: ${java.home}`);
  if (options.driver === 'rclone') await ensurePackages(RCLONE_NEEDS, environment, tell);
  const elasticsearch = await acquireElasticsearch({
    version: options.elasticsearchVersion,
    cache,
    installed: nonEmpty(environment['ELASTICSEARCH_HOME']),
    tell,
  });
  tell(`Elasticsearch ${elasticsearch.version} (from ${elasticsearch.source}): ${elasticsearch.home}`);
  if (options.runtime !== 'docker') return { java, elasticsearch, docker: undefined };

  let engine = await existingEngine(environment);
  if (engine === undefined) {
    await ensurePackages(DOCKER_NEEDS, environment, tell);
    const keep = options.keepVolumes ? work.store : undefined;
    const own = await startPrivateEngine(join(work.path, 'docker'), environment, tell);
    undo.add('the Docker engine of its own', () => own.stop(keep));
    engine = own;
  } else tell('Docker: the engine that runs here is used as it is');
  const image = await ensureImage({
    docker: engine.docker,
    version: options.elasticsearchVersion,
    cache,
    tell,
    javaHome: java.home,
    elasticsearchHome: elasticsearch.home,
  });
  return { java, elasticsearch, docker: { engine, image } };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
