import type { Machines } from './machines.ts';
import type { NodeBoard } from './node-board.ts';
import type { DemoOptions } from './options.ts';
import type { Prepared } from './prepare.ts';
import { volumePathOf } from './scheduler-flags.ts';
import { removeOwn, volumesOn } from './volumes.ts';

/** hostdir and rclone keep their volumes in the folder of the run and go with it; so does a private engine. */
export async function removeVolumes(
  options: DemoOptions,
  frameworkName: string,
  machines: Machines,
  prepared: Prepared,
  board: NodeBoard,
): Promise<string[]> {
  if (options.driver === 'hostdir' || options.driver === 'rclone') return [];
  if (prepared.docker?.engine.private === true) return [];
  const [machine] = machines.list;
  if (machine === undefined) return [];
  const engine = volumePathOf(options) === 'engine' ? prepared.docker?.engine.socket : undefined;
  const volumes = volumesOn(machine, engine);
  const left: string[] = [];
  for (const name of board.volumes()) {
    const why = await removeOwn(volumes, options.driver, name, frameworkName);
    if (why !== undefined) left.push(why);
  }
  return left;
}
