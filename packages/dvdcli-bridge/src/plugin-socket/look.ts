import { done, VolumeError, type Outcome, type VolumeErrorCode } from '../outcome.ts';
import { classify, type GetAnswer, type PluginVolume } from '../plugin/answers.ts';
import type { VolumePlugin } from '../plugin/client.ts';
import type { VolumeReference } from '../volumes.ts';

export function errorOf(
  code: VolumeErrorCode,
  volume: VolumeReference,
  message: string,
  says?: string,
): VolumeError {
  return new VolumeError(code, { driver: volume.driver, volume: volume.name, message, says });
}

/**
 * Get; and List where the driver has no Get, or where Get's error does not sound like a missing volume: a driver
 * whose backend is ill must not look as if it had no volumes.
 */
export async function look(plugin: VolumePlugin, name: string): Promise<Outcome<GetAnswer>> {
  const got = await plugin.get(name);
  if (got.kind !== 'done' || got.value.kind === 'present') return got;
  const plain =
    got.value.kind === 'absent' && (got.value.certain || classify(got.value.says) === 'not-found');
  if (plain) return got;
  const listed = await plugin.list();
  if (listed.kind !== 'done')
    return got.value.kind === 'unsupported' && listed.error.code === 'unsupported' ? got : listed;
  const volume = listed.value.find((other) => other.name === name);
  return done(
    volume === undefined
      ? { kind: 'absent', says: 'not in the list', certain: true }
      : { kind: 'present', volume },
  );
}

export function volumeIn(found: Outcome<GetAnswer>): PluginVolume | undefined {
  return found.kind === 'done' && found.value.kind === 'present' ? found.value.volume : undefined;
}

/** Where the driver says it is, Path's word before Get's; empty when it does not say. */
export async function saidPath(
  plugin: VolumePlugin,
  name: string,
  present: PluginVolume | undefined,
): Promise<string> {
  const path = await plugin.path(name);
  return path.kind === 'done' && path.value !== '' ? path.value : (present?.mountpoint ?? '');
}
