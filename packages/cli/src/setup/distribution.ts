/** Elasticsearch for this machine: what is installed, else cached, else from Maven, else from the vendor. */
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadFromVendor } from './vendor-download.ts';
import { fetchWithMaven } from './maven.ts';
import { messageOf, SetupError, type Tell } from './setup-error.ts';
import { unpack } from './unpack.ts';

export interface Distribution {
  /** Directory with `bin`, `lib` and `modules`, readable by every user. */
  readonly home: string;
  readonly version: string;
  readonly source: 'ELASTICSEARCH_HOME' | 'cache' | 'Maven' | 'vendor';
}

/** Puts an archive of one version into a directory. @returns its path @throws when this way is not open here */
export type FetchArchive = (version: string, directory: string, tell: Tell) => Promise<string>;

export interface Wanted {
  readonly version: string;
  readonly cache: string;
  readonly installed: string | undefined;
  readonly tell: Tell;
  /** In this order; for tests. */
  readonly ways?: readonly (readonly [Distribution['source'], FetchArchive])[];
}

const WAYS: NonNullable<Wanted['ways']> = [
  ['Maven', fetchWithMaven],
  ['vendor', downloadFromVendor],
];

/** @throws SetupError naming every way that was tried and why it failed. */
export async function acquireElasticsearch(wanted: Wanted): Promise<Distribution> {
  const { version, cache, installed, tell, ways = WAYS } = wanted;
  if (installed !== undefined) return useInstalled(installed, version);
  const home = join(cache, `elasticsearch-${version}`);
  if ((await versionOf(home)) === version) return { home, version, source: 'cache' };

  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o755);
  const failures: string[] = [];
  for (const [source, fetchArchive] of ways) {
    const work = await mkdtemp(join(cache, '.incoming-'));
    try {
      tell(`Elasticsearch ${version}: getting it from ${source}`);
      const archive = await fetchArchive(version, work, tell);
      await unpack(archive, join(work, 'home'));
      await settle(join(work, 'home'), home, version);
      return { home, version, source };
    } catch (error) {
      failures.push(`${source}: ${messageOf(error)}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw new SetupError(
    [
      `Elasticsearch ${version} could not be had:`,
      ...failures.map((failure) => `  ${failure}`),
      'Install it and set ELASTICSEARCH_HOME, or install Maven (package maven).',
    ].join('\n'),
  );
}

/** The directory appears whole or not at all; a second set-up that was faster is as good. */
async function settle(unpacked: string, home: string, version: string): Promise<void> {
  const found = await versionOf(unpacked);
  if (found !== version) throw new Error(`the archive holds version ${found ?? 'unknown'}, not ${version}`);
  await chmod(unpacked, 0o755);
  try {
    await rename(unpacked, home);
  } catch (error) {
    if ((await versionOf(home)) === version) return;
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await rm(home, { recursive: true });
    await rename(unpacked, home);
  }
}

async function useInstalled(home: string, wanted: string): Promise<Distribution> {
  const version = await versionOf(home);
  if (version === undefined) {
    throw new SetupError(
      `ELASTICSEARCH_HOME=${home} holds no Elasticsearch (no lib/elasticsearch-VERSION.jar): correct or unset it`,
    );
  }
  if (version !== wanted) {
    throw new SetupError(
      `ELASTICSEARCH_HOME=${home} is version ${version}, wanted ${wanted}: unset it, or give --elasticsearch-version ${version}`,
    );
  }
  return { home, version, source: 'ELASTICSEARCH_HOME' };
}

/** By its server jar; undefined where there is no Elasticsearch. */
export async function versionOf(home: string): Promise<string | undefined> {
  const present = await access(join(home, 'bin', 'elasticsearch')).then(
    () => true,
    () => false,
  );
  if (!present) return undefined;
  const names = await readdir(join(home, 'lib')).catch(() => []);
  const versions = names.map((name) => /^elasticsearch-(\d+\.\d+\.\d+)\.jar$/.exec(name)?.[1]);
  return versions.find((version) => version !== undefined);
}
