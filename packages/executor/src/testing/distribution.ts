/** A real Elasticsearch for tests, if the environment names one. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Runtime } from '@mesos-elasticsearch/contract';

type Distribution = Extract<Runtime, { kind: 'jar' }>['distribution'];
export type FoundDistribution =
  | { kind: 'none'; text: string; distribution: Distribution }
  | { kind: 'found'; text: string; distribution: Distribution };

/** `ELASTICSEARCH_HOME` (an unpacked one) or `ELASTICSEARCH_ARCHIVE` (a .zip or .tar.gz). */
export function distributionForTests(): FoundDistribution {
  const home = process.env.ELASTICSEARCH_HOME;
  if (home !== undefined && home !== '') {
    return { kind: 'found', text: home, distribution: { kind: 'installed', home } };
  }
  const file = process.env.ELASTICSEARCH_ARCHIVE;
  if (file !== undefined && file !== '') {
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    return { kind: 'found', text: file, distribution: { kind: 'archive', file, sha256 } };
  }
  return {
    kind: 'none',
    text: 'neither ELASTICSEARCH_HOME nor ELASTICSEARCH_ARCHIVE is set',
    distribution: { kind: 'installed', home: '/nowhere' },
  };
}
