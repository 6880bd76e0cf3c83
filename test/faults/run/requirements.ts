/** What this machine must have. */
import { access } from 'node:fs/promises';
import { findCommand } from '@mesos-elasticsearch/cli';
import { zookeeperMissing } from '@mesos-elasticsearch/coordination/testing';

/** @returns why the rows cannot run here */
export async function whyNotHere(command: string): Promise<string | undefined> {
  const built = await access(command).then(
    () => true,
    () => false,
  );
  if (!built) return 'the command is not built (npm run build)';
  if ((await findCommand('java', process.env)) === undefined) return 'Java is not installed';
  const zookeeper = zookeeperMissing();
  if (zookeeper !== undefined) return zookeeper;
  if (process.platform !== 'linux') return 'the auditor reads /proc, which only Linux has';
  // Without root nobody may look into the processes of Elasticsearch's user, nor does the guard get its namespace.
  return process.getuid?.() === 0 ? undefined : 'needs root';
}
