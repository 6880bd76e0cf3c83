/**
 * Looks at other processes whose own memory has to be read for it (`environ`, `maps`): that waits while such a process hangs
 * in a volume. Here they are done in this very process. Imports little: a child that does one look starts with this.
 */
import { holdersOf, processesWith, survivorsOf, type ProcessEntry } from './process-table.ts';

export interface ProcessLooks {
  /** See process-table.ts for the first three. */
  holdersOf(directory: string): Promise<readonly string[]>;
  survivorsOf(run: { session: number; token: string }): Promise<readonly ProcessEntry[]>;
  processesWith(
    variable: string,
  ): Promise<readonly { readonly entry: ProcessEntry; readonly value: string }[]>;
  /** See VolumeUsers of the bridge. */
  marked(mark: string): Promise<string | undefined>;
  below(hostPath: string): Promise<string | undefined>;
}

export const looksHere: ProcessLooks = {
  holdersOf,
  survivorsOf,
  processesWith,
  marked: async (mark) => (await bridge()).procVolumeUsers().marked(mark),
  below: async (hostPath) => (await bridge()).procVolumeUsers().below(hostPath),
};

/** Much to load, and needed only where the mount ledger has something to recover. */
const bridge = () => import('@mesos-elasticsearch/dvdcli-bridge');

export const LOOK_COMMAND = 'look';

interface Question {
  readonly look: keyof ProcessLooks;
  readonly about: never;
}

/** The child's side. @param text of the question, as it came by standard input */
export async function answerLook(text: string): Promise<string> {
  const { look, about } = JSON.parse(text) as Question;
  return JSON.stringify({ answer: await looksHere[look](about) });
}
