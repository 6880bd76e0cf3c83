/** `elasticsearch-home`: an unpacked Elasticsearch for this machine, from the same places as the demo's. */
import { homedir } from 'node:os';
import type { Command } from 'commander';
import { cacheDirectory } from '../setup/cache-directory.ts';
import { DEFAULT_ELASTICSEARCH_VERSION } from '../config/fields.ts';
import { acquireElasticsearch } from '../setup/distribution.ts';

export function addElasticsearchHome(root: Command): void {
  root
    .command('elasticsearch-home')
    .description('prints where an Elasticsearch of this version lies, getting it first if need be')
    .option('--elasticsearch-version <version>', 'version to get', DEFAULT_ELASTICSEARCH_VERSION)
    .action(async ({ elasticsearchVersion }: { elasticsearchVersion: string }) => {
      const environment = process.env;
      const installed = environment['ELASTICSEARCH_HOME'];
      const { home } = await acquireElasticsearch({
        version: elasticsearchVersion,
        cache: cacheDirectory({ uid: process.getuid?.() ?? 1, home: homedir(), environment }),
        installed: installed === '' ? undefined : installed,
        tell: (line) => process.stderr.write(`${line}\n`),
      });
      process.stdout.write(`${home}\n`);
    });
}
