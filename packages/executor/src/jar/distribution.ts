/** Gets Elasticsearch's home for a jar node: installed on the agent, or an archive that the fetcher put into the sandbox. */
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Runtime } from '@mesos-elasticsearch/contract';
import { SetupError } from '../ports.ts';
import { unpack, verifySha256 } from './archive.ts';

type JarDistribution = Extract<Runtime, { kind: 'jar' }>['distribution'];

/** @throws SetupError */
export async function distributionHome(distribution: JarDistribution, sandbox: string): Promise<string> {
  switch (distribution.kind) {
    case 'installed':
      if (!existsSync(distribution.home)) {
        throw new SetupError(`there is no Elasticsearch home at ${distribution.home} on this agent`);
      }
      return distribution.home;
    case 'archive': {
      const file = isAbsolute(distribution.file) ? distribution.file : join(sandbox, distribution.file);
      await verifySha256(file, distribution.sha256);
      const home = join(sandbox, 'elasticsearch-home');
      if (!existsSync(home)) await unpack(file, home);
      return home;
    }
  }
}
