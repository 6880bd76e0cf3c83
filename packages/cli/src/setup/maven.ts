/** Elasticsearch through the Maven of this machine: its repositories, mirrors and credentials are its own affair. */
import { join } from 'node:path';
import { execa, ExecaError } from 'execa';
import { expectChecksum } from './checksum.ts';
import type { FetchArchive } from './distribution.ts';

const TIME_LIMIT_MS = 20 * 60_000;

/**
 * SHA-256 of the archives that this project was tested with: the integ-test distribution, which has the server
 * and few modules. Other versions rest on the checksums of the Maven repository.
 */
export const PINNED: Readonly<Record<string, string>> = {
  '8.19.5': '5d3a8f63f66d828a24d29f88819bf2c6e695d124c470da3ab92a5d6cc1397785',
  '7.17.29': '841ee00be1a72ba8e707b5a2fb55f23fe7a4184369b4585393238b1c903eedaf',
};

export const fetchWithMaven: FetchArchive = async (version, directory) => {
  const artifact = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${version}:zip`;
  const goal = ['org.apache.maven.plugins:maven-dependency-plugin:copy', `-Dartifact=${artifact}`];
  try {
    await execa('mvn', ['-B', '-q', ...goal, `-DoutputDirectory=${directory}`], {
      cwd: directory,
      timeout: TIME_LIMIT_MS,
      stdin: 'ignore',
    });
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
  const archive = join(directory, `elasticsearch-${version}.zip`);
  const pinned = PINNED[version];
  if (pinned !== undefined) await expectChecksum(archive, 'sha256', pinned);
  return archive;
};

function reasonOf(error: unknown): string {
  if (!(error instanceof ExecaError)) return String(error);
  if (error.code === 'ENOENT') return 'mvn is not installed (package maven)';
  const { stdout, shortMessage } = error as ExecaError<{ stdin: 'ignore' }>;
  return stdout.split('\n').find((line) => line.includes('ERROR')) ?? shortMessage;
}
