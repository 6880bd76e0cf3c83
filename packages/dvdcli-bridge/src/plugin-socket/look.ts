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
 * Get; and List wherever Get gives no volume: an error, whatever its words, may be one of an ill backend, and an empty
 * answer one of a driver that is not itself. Only a list without the volume says for sure that there is none. A driver
 * that has no List is believed at its Get.
 */
export async function look(plugin: VolumePlugin, name: string): Promise<Outcome<GetAnswer>> {
  const got = await plugin.get(name);
  if (got.kind !== 'done' || got.value.kind === 'present') return got;
  const listed = await plugin.list();
  if (listed.kind !== 'done') return listed.error.code === 'unsupported' && isPlain(got.value) ? got : listed;
  const volume = listed.value.find((other) => other.name === name);
  if (volume !== undefined) return done({ kind: 'present', volume });
  const says = got.value.kind === 'absent' ? got.value.says : 'not in the list';
  return done({ kind: 'absent', says, certain: true });
}

/** No Get either: the verb itself will say whether the volume is there. Otherwise Get's words are all there is. */
function isPlain(answer: Exclude<GetAnswer, { kind: 'present' }>): boolean {
  return answer.kind === 'unsupported' || answer.certain || classify(answer.says) === 'not-found';
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
