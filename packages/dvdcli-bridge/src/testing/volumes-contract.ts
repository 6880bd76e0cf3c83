import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { volumeName, type VolumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import type { Outcome } from '../outcome.ts';
import type { Attachment, ConsumerId, Volumes } from '../volumes.ts';

/** What the suite needs of one way to reach volumes. */
export interface ContractSubject {
  readonly volumes: Volumes;
  readonly driver: string;
  optionsFor(name: VolumeName): Readonly<Record<string, string>>;
  /** The same driver through a bridge that remembers nothing, as after a restart of whoever attached. */
  restarted(): Volumes;
  /** Another machine's way to the same volumes, where the driver keeps machines apart. */
  readonly elsewhere?: Volumes;
  /** container-mount only: has a container use the volume until the returned function is called. */
  readonly use?: (attachment: Attachment) => Promise<() => Promise<void>>;
  close(): Promise<void>;
}

let volumesMade = 0;

/**
 * The one behavioural suite of {@link Volumes}: what holds for every path and driver, and what the capabilities
 * say on top.
 * @param unavailable why this machine cannot run it; the rows are then skipped under their names
 */
export function volumesContract(
  name: string,
  make: () => Promise<ContractSubject>,
  unavailable?: string,
): void {
  const title = unavailable === undefined ? name : `${name} (skipped: ${unavailable})`;
  describe.skipIf(unavailable !== undefined)(title, () => {
    const setting: { subject?: ContractSubject } = {};
    const subject = (): ContractSubject => setting.subject!;
    beforeAll(async () => {
      setting.subject = await make();
    });
    afterAll(async () => setting.subject?.close());
    const fresh = (): VolumeSpec => {
      volumesMade += 1;
      const fullName = volumeName(`contract${process.pid}x${volumesMade}data`);
      return { name: fullName, driver: subject().driver, options: { ...subject().optionsFor(fullName) } };
    };
    const made = async (): Promise<VolumeSpec> => {
      const volume = fresh();
      value(await subject().volumes.ensure(volume));
      return volume;
    };
    catalogueRows(subject, fresh, made);
    attachmentRows(subject, fresh, made);
    removalRows(subject, fresh, made);
    hostPathRows(subject, made);
    sharingRows(subject, made);
    containerRows(subject, made);
  });
}

type Subject = () => ContractSubject;
type Make = () => Promise<VolumeSpec>;

function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'done') throw outcome.error;
  return outcome.value;
}
function codeOf(outcome: Outcome<unknown>): string {
  return outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;
}
const consumer = (name: string): ConsumerId => name as ConsumerId;
const alice = consumer('task-alice');
const bob = consumer('task-bob');

function pathOf(attachment: Attachment): string {
  if (attachment.kind !== 'host-path') throw new Error('not a host path');
  return attachment.hostPath;
}

function catalogueRows(subject: Subject, fresh: () => VolumeSpec, made: Make): void {
  it('makes an absent volume once, and reuses it after that', async () => {
    const volume = fresh();
    expect(value(await subject().volumes.ensure(volume))).toEqual({ created: true });
    expect(value(await subject().volumes.ensure(volume))).toEqual({ created: false });
  });
  it('makes one volume when many ask for it at once', async () => {
    const volume = fresh();
    const answers = await Promise.all(Array.from({ length: 5 }, () => subject().volumes.ensure(volume)));
    expect(answers.map(value).filter(({ created }) => created)).toHaveLength(1);
  });
  it('says that an absent volume is absent', async () => {
    expect(value(await subject().volumes.inspect(fresh()))).toBeUndefined();
  });
  it('describes and lists what was made', async () => {
    const volume = await made();
    expect(value(await subject().volumes.inspect(volume))).toMatchObject({
      name: volume.name,
      driver: volume.driver,
    });
    const listed = value(await subject().volumes.list(volume.driver));
    expect(listed.map(({ name }) => name)).toContain(volume.name);
  });
  it('refuses a driver name that walks out of the plugin directories', async ({ skip }) => {
    skip(subject().volumes.capabilities.path === 'engine', 'the Engine resolves driver names itself');
    const foreign = { ...fresh(), driver: '../plugins/evil' };
    expect(codeOf(await subject().volumes.ensure(foreign))).toBe('not-done invalid');
    expect(codeOf(await subject().volumes.attach(foreign, alice))).toBe('not-done invalid');
  });
  it('carries a comma in an option, or refuses it before anything is made', async ({ skip }) => {
    skip(subject().volumes.capabilities.commaInOptionValues, 'this path carries commas');
    const volume = fresh();
    const withComma = { ...volume, options: { ...volume.options, note: 'a,b' } };
    expect(codeOf(await subject().volumes.ensure(withComma))).toBe('not-done invalid');
    expect(value(await subject().volumes.inspect(volume))).toBeUndefined();
  });
}

function attachmentRows(subject: Subject, fresh: () => VolumeSpec, made: Make): void {
  it('does not attach what does not exist, and does not make it either', async () => {
    const volume = fresh();
    expect(codeOf(await subject().volumes.attach(volume, alice))).toBe('not-done not-found');
    expect(value(await subject().volumes.inspect(volume))).toBeUndefined();
  });
  it('gives the same consumer the same answer again, and lets go at one detach', async () => {
    const volume = await made();
    const first = value(await subject().volumes.attach(volume, alice));
    expect(first.kind).toBe(subject().volumes.capabilities.attachment);
    expect(value(await subject().volumes.attach(volume, alice))).toEqual(first);
    value(await subject().volumes.detach(volume, alice));
    value(await subject().volumes.remove(volume));
  });
  it('counts a detach of what is not attached as done', async () => {
    const volume = await made();
    value(await subject().volumes.detach(volume, alice));
    value(await subject().volumes.attach(volume, alice));
    value(await subject().volumes.detach(volume, alice));
    value(await subject().volumes.detach(volume, alice));
  });
  it('serialises what is asked of one volume at once', async () => {
    const volume = await made();
    const attached = await Promise.all(
      Array.from({ length: 4 }, () => subject().volumes.attach(volume, alice)),
    );
    expect(new Set(attached.map((outcome) => JSON.stringify(value(outcome)))).size).toBe(1);
    value(await subject().volumes.detach(volume, alice));
    value(await subject().volumes.remove(volume));
  });
}

function removalRows(subject: Subject, fresh: () => VolumeSpec, made: Make): void {
  it('counts the removal of an absent volume as done', async () => {
    value(await subject().volumes.remove(fresh()));
  });
  it('removes what nobody uses', async () => {
    const volume = await made();
    value(await subject().volumes.remove(volume));
    expect(value(await subject().volumes.inspect(volume))).toBeUndefined();
  });
}

const NO_HOST_PATH = 'this path gives no host path';

function hostPathRows(subject: Subject, made: Make): void {
  const noPath = (): boolean => subject().volumes.capabilities.attachment !== 'host-path';
  it('gives a directory of this host that keeps its files from one attachment to the next', async ({
    skip,
  }) => {
    skip(noPath(), NO_HOST_PATH);
    const volume = await made();
    const path = pathOf(value(await subject().volumes.attach(volume, alice)));
    expect(isAbsolute(path) && statSync(path).isDirectory()).toBe(true);
    await writeFile(join(path, 'document'), 'kept');
    value(await subject().volumes.detach(volume, alice));
    const again = pathOf(value(await subject().volumes.attach(volume, bob)));
    expect(await readFile(join(again, 'document'), 'utf8')).toBe('kept');
    value(await subject().volumes.detach(volume, bob));
  });
  it('does not remove a volume that is attached', async ({ skip }) => {
    skip(noPath(), NO_HOST_PATH);
    const volume = await made();
    const path = pathOf(value(await subject().volumes.attach(volume, alice)));
    expect(codeOf(await subject().volumes.remove(volume))).toBe('not-done in-use');
    expect(codeOf(await subject().restarted().remove(volume))).toBe('not-done in-use');
    expect(existsSync(path)).toBe(true);
    value(await subject().volumes.detach(volume, alice));
    value(await subject().volumes.remove(volume));
  });
  it('knows an attachment again after a restart, and can let go of it', async ({ skip }) => {
    skip(noPath(), NO_HOST_PATH);
    const volume = await made();
    const before = value(await subject().volumes.attach(volume, alice));
    const after = subject().restarted();
    expect(value(await after.attach(volume, alice))).toEqual(before);
    value(await after.detach(volume, alice));
    value(await subject().restarted().remove(volume));
  });
}

function sharingRows(subject: Subject, made: Make): void {
  it('keeps one consumer attached when another lets go, or has one consumer only', async ({ skip }) => {
    const { volumes } = subject();
    skip(volumes.capabilities.attachment !== 'host-path', NO_HOST_PATH);
    const volume = await made();
    const path = pathOf(value(await volumes.attach(volume, alice)));
    const second = await volumes.attach(volume, bob);
    if (volumes.capabilities.countsConsumers) value(second);
    else expect(codeOf(second)).toBe('not-done in-use');
    value(await volumes.detach(volume, bob));
    await writeFile(join(path, 'document'), 'still here');
    expect(codeOf(await volumes.remove(volume))).toBe('not-done in-use');
    value(await volumes.detach(volume, alice));
    value(await volumes.remove(volume));
  });
  it('refuses a volume that another machine has attached, until it is detached there', async ({ skip }) => {
    const { volumes, elsewhere } = subject();
    if (elsewhere === undefined) return skip('this driver does not keep machines apart');
    const volume = await made();
    const path = pathOf(value(await volumes.attach(volume, alice)));
    await writeFile(join(path, 'document'), 'moved');
    const refused = await elsewhere.attach(volume, bob);
    expect(codeOf(refused)).toBe('not-done attached-elsewhere');
    expect(refused.kind === 'not-done' && refused.error.driverMessage).toMatch(
      /is attached to instance .*alive/,
    );
    expect(codeOf(await elsewhere.remove(volume))).toBe('not-done in-use');
    value(await volumes.detach(volume, alice));
    const moved = pathOf(value(await elsewhere.attach(volume, bob)));
    expect(await readFile(join(moved, 'document'), 'utf8')).toBe('moved');
    value(await elsewhere.detach(volume, bob));
  });
}

function containerRows(subject: Subject, made: Make): void {
  it('neither detaches nor removes a volume that a container uses', async ({ skip }) => {
    const { volumes, use } = subject();
    if (use === undefined) return skip('this path gives a host path, not a container mount');
    const volume = await made();
    const stop = await use(value(await volumes.attach(volume, alice)));
    expect(codeOf(await volumes.detach(volume, alice))).toBe('not-done in-use');
    expect(codeOf(await volumes.remove(volume))).toBe('not-done in-use');
    await stop();
    value(await volumes.detach(volume, alice));
    value(await volumes.remove(volume));
  });
}
