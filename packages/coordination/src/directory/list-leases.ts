import { join } from 'node:path';
import { epoch, parseNodeId, type Epoch, type NodeId } from '@mesos-elasticsearch/contract';
import { nodeFiles, systemCode, type Files } from './files.ts';
import { epochOfDirectory } from './lease-file.ts';

/** What there is below the root of a lease directory: for people and repairs, not for decisions about one node. */
export async function listDirectoryLeases(
  root: string,
  files: Files = nodeFiles,
): Promise<readonly { readonly nodeId: NodeId; readonly epoch: Epoch }[]> {
  await files.list(root);
  const leases = join(root, 'leases');
  const found: { nodeId: NodeId; epoch: Epoch }[] = [];
  for (const name of await namesIn(files, leases)) {
    if (!/^[1-9][0-9]*$/.test(name)) continue;
    for (const inside of await namesIn(files, join(leases, name))) {
      const number = epochOfDirectory(inside);
      if (number !== undefined) found.push({ nodeId: parseNodeId(name), epoch: epoch(number) });
    }
  }
  return found;
}

async function namesIn(files: Files, directory: string): Promise<readonly string[]> {
  try {
    return await files.list(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
