/**
 * Calls the operator's fence command, as cluster managers call their fencing agents: `PROGRAM DRIVER VOLUME HOST`,
 * once for each volume. Exit 0 means that HOST can no longer write to it. Anything else, a time limit included, means
 * that nothing is known; it is called again later, so it must be idempotent.
 */
import { execa } from 'execa';
import type { Logger } from 'pino';
import type { CoreEvent } from '../core/events.ts';
import type { StepOf } from '../core/steps.ts';
import type { SuspectOptions } from '../options.ts';

export type FenceCommand = NonNullable<SuspectOptions['fenceCommand']>;
type Fenced = Extract<CoreEvent, { kind: 'fenced' }>;

/** Never rejects. All volumes must be revoked. */
export async function runFenceCommand(
  command: FenceCommand,
  { nodeId, epoch, attempt, host, volumes }: StepOf<'fence'>,
  log: Logger,
): Promise<Fenced> {
  for (const { driver, name } of volumes) {
    log.warn({ nodeId, epoch, host, driver, volume: name }, 'fence command called');
    const result = await execa(command.program, [driver, name, host], {
      reject: false,
      timeout: command.limitMs,
      forceKillAfterDelay: 1000,
      stdin: 'ignore',
      maxBuffer: 64 * 1024,
    });
    if (result.exitCode !== 0) {
      const how = result.timedOut ? `no end within ${command.limitMs} ms` : (result.shortMessage ?? 'failed');
      const says = result.stderr === '' ? how : `${how}: ${result.stderr.slice(-500)}`;
      log.error({ nodeId, epoch, host, driver, volume: name, says }, 'fence command failed');
      return {
        kind: 'fenced',
        nodeId,
        epoch,
        attempt,
        outcome: 'failed',
        message: `${driver} ${name} ${host}: ${says}`,
      };
    }
  }
  log.warn({ nodeId, epoch, host }, 'fence command succeeded');
  return { kind: 'fenced', nodeId, epoch, attempt, outcome: 'revoked', message: '' };
}
