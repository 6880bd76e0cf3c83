/** The group of the masters in a real ZooKeeper. */
import { inWords } from '../zookeeper/layout.ts';
import type { Outcome, ZooKeeper } from '../zookeeper/zookeeper.ts';
import type { MasterGroup } from './follow.ts';

/** @param path as the masters were given it; the client is closed with the group */
export function zookeeperMasterGroup(zookeeper: ZooKeeper, path: string): MasterGroup {
  const below = path === '/' ? '' : path;
  return {
    children: async (changed) => answerOf(path, await zookeeper.children(path, { watch: changed })),
    async data(child) {
      const name = `${below}/${child}`;
      return answerOf(name, await zookeeper.read(name))?.bytes;
    },
    close: () => zookeeper.close(),
  };
}

function answerOf<T>(path: string, outcome: Outcome<T>): T {
  if (outcome.kind === 'done') return outcome.value;
  throw new Error(`${path}: ${inWords(outcome)}`);
}
