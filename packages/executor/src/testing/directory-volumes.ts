/** Volumes that are plain directories, that remember who attached them and fail when told to. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  done,
  notDone,
  VolumeError,
  type ConsumerId,
  type Outcome,
  type VolumeReference,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';

export type VolumeOperation = 'ensure' | 'attach' | 'detach';

interface Failure {
  readonly operation: VolumeOperation;
  readonly volume: string;
  readonly outcome: 'not-done' | 'unknown';
  /** The driver's own words. */
  readonly says: string;
}

export class DirectoryVolumes implements Volumes {
  readonly capabilities = {
    path: 'plugin-socket',
    attachment: 'host-path',
    takesOptions: true,
    commaInOptionValues: true,
    refusesRemovalInUse: true,
    countsConsumers: false,
  } as const;
  /** What was asked, in order: `attach elasticsearch1data`. */
  readonly calls: string[] = [];
  /** Volume name → consumer. */
  readonly attached = new Map<string, ConsumerId>();
  readonly #failures: Failure[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The next such operation on that volume fails; told twice, the next two. */
  failOnce(failure: Failure): void {
    this.#failures.push(failure);
  }

  async describe(driver: string): Promise<Outcome<{ driver: string; scope: 'local' }>> {
    return done({ driver, scope: 'local' });
  }

  async ensure(volume: VolumeReference): Promise<Outcome<{ created: boolean }>> {
    const failed = this.#note('ensure', volume);
    if (failed) return failed;
    const created = !existsSync(this.pathOf(volume.name));
    await mkdir(this.pathOf(volume.name), { recursive: true });
    return done({ created });
  }

  async attach(
    volume: VolumeReference,
    consumer: ConsumerId,
  ): Promise<Outcome<{ kind: 'host-path'; hostPath: string }>> {
    const failed = this.#note('attach', volume);
    const holder = this.attached.get(volume.name);
    // An unknown outcome is the evil one: it did happen, and nobody was told.
    if (failed?.kind === 'not-done') return failed;
    if (holder !== undefined && holder !== consumer) {
      return notDone(errorOf(volume, 'attached-elsewhere', `attached by ${holder}`));
    }
    this.attached.set(volume.name, consumer);
    return failed ?? done({ kind: 'host-path', hostPath: this.pathOf(volume.name) });
  }

  async detach(volume: VolumeReference, consumer: ConsumerId): Promise<Outcome<void>> {
    const failed = this.#note('detach', volume);
    if (failed) return failed;
    if (this.attached.get(volume.name) === consumer) this.attached.delete(volume.name);
    return done(undefined);
  }

  inspect(volume: VolumeReference): Promise<Outcome<undefined>> {
    return Promise.resolve(notDone(errorOf(volume, 'unsupported', 'inspect')));
  }
  list(): Promise<Outcome<readonly []>> {
    return Promise.resolve(done([]));
  }
  remove(volume: VolumeReference): Promise<Outcome<void>> {
    return Promise.resolve(notDone(errorOf(volume, 'unsupported', 'remove')));
  }

  pathOf(name: string): string {
    return join(this.#root, name);
  }

  #note(
    operation: VolumeOperation,
    volume: VolumeReference,
  ): Exclude<Outcome<never>, { kind: 'done' }> | undefined {
    this.calls.push(`${operation} ${volume.name}`);
    const index = this.#failures.findIndex(
      (item) => item.operation === operation && item.volume === volume.name,
    );
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1);
    if (!failure) return undefined;
    const error = errorOf(volume, 'driver-error', failure.says);
    return { kind: failure.outcome, error };
  }
}

function errorOf(
  volume: VolumeReference,
  code: 'driver-error' | 'attached-elsewhere' | 'unsupported',
  says: string,
) {
  return new VolumeError(code, {
    driver: volume.driver,
    volume: volume.name,
    says,
    message: 'the driver refused',
  });
}
