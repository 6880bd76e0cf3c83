/** Stories of a migration: three nodes that move from `hostdir` to `newdir`. */
import { isDeepStrictEqual } from 'node:util';
import type { MigrationOrder } from '../core/migration/orders.ts';
import type { DesiredChanges } from './desired.ts';
import type { FakeTask } from './fake-master.ts';
import { Story } from './story.ts';

type Begin = Extract<MigrationOrder, { kind: 'begin' }>;

export const TO_NEW: Begin = {
  kind: 'begin',
  to: { config: { driver: 'newdir', options: {} }, data: { driver: 'newdir', options: { at: '/{volume}' } } },
  wantedHealth: 'green',
  overwriteFormer: false,
};
export const back = (overwriteFormer: boolean): Begin => ({
  ...TO_NEW,
  to: { config: { driver: 'hostdir', options: {} }, data: { driver: 'hostdir', options: {} } },
  overwriteFormer,
});

export async function running(changes: DesiredChanges = {}): Promise<Story> {
  const story = new Story(changes);
  await story.start();
  await story.untilRunning(1, 2, 3);
  return story;
}

export function order(story: Story, given: MigrationOrder | 'pause' | 'resume' | 'rollback'): void {
  const event = typeof given === 'string' ? { kind: given } : given;
  story.driving!.loop.dispatch({ kind: 'migration-ordered', order: event });
}

export const migrationOf = (story: Story) => story.disk.framework?.record.migration;
export const driver = (story: Story, node: number) => story.record(node)?.volumes?.data.driver;
export const stage = (story: Story, node: number) => story.record(node)?.migration?.stage;
export const drivers = (story: Story) => [1, 2, 3].map((node) => driver(story, node));

/** Whole, on the new driver, and nothing went wrong on the way. @throws Error naming what did */
export async function untilDone(story: Story): Promise<void> {
  await story.until('the migration is done', () => migrationOf(story)?.state === 'done', 900_000);
  const { violations } = story.master.holders;
  const { allocation } = story.elasticsearch;
  const found = { drivers: drivers(story), violations, faults: story.faults, allocation };
  const wanted = { drivers: ['newdir', 'newdir', 'newdir'], violations: [], faults: [], allocation: null };
  if (isDeepStrictEqual(found, wanted) && migrationOf(story)?.allocation === undefined) return;
  throw new Error(`the migration is done, and not as it should be: ${JSON.stringify(found)}`);
}

/** Node 1 has come so far in its turn; its task does nothing by itself. */
export async function untilStage(story: Story, wanted: 'stopping' | 'copying' | 'copied'): Promise<void> {
  if (wanted === 'copying') {
    story.master.copyByThemselves = false;
    await story.until(
      'node 1 is copied',
      () => story.phase(1) === 'migrating' && copyTask(story) !== undefined,
    );
    return;
  }
  await story.until(`node 1 is ${wanted}`, () => stage(story, 1) === wanted);
}

/** Of node 1, if it copies just now. */
export function copyTask(story: Story): FakeTask | undefined {
  const last = story.master.tasksOf(1).at(-1);
  return last?.executor.spec.purpose === 'migrate' && last.state === 'TASK_RUNNING' ? last : undefined;
}

/** The node that was launched last says that it runs, and so do all that come after it. */
export async function comeUp(story: Story): Promise<void> {
  await story.until('it is launched', () => story.master.taskOf(1).state === 'TASK_STARTING');
  story.master.runByThemselves = true;
  story.master.taskOf(1).executor.sayRunning();
}

/** Its KILL is on its way for as long as the test wants. */
export function holdKills(story: Story): () => void {
  const entries = [...story.master.tasks.values()].map(({ executor }) => executor);
  const stops = entries.map((executor) => executor.stop.bind(executor));
  for (const executor of entries) executor.stop = () => Promise.resolve();
  return () => entries.forEach((executor, at) => (executor.stop = stops[at]!));
}
