/** Checks of attach and detach: by one consumer, by two, by two machines, by a container. */
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { isAbsolute } from 'node:path';
import {
  alice,
  bob,
  expectCode,
  pathOf,
  value,
  type ConformanceCheck,
  type ContractSubject,
} from './check.ts';
import { isDirectory, readDocument, writeDocument } from './in-child.ts';

const noHostPath = ({ volumes }: ContractSubject): string | undefined =>
  volumes.capabilities.attachment === 'host-path' ? undefined : 'this path gives no host path';

const ANY_PATH: readonly ConformanceCheck[] = [
  {
    capability: 'attachment',
    name: 'does not attach what does not exist, and does not make it either',
    async run({ subject, fresh }) {
      const volume = fresh();
      expectCode(await subject.volumes.attach(volume, alice), 'not-done not-found', 'attach');
      strictEqual(value(await subject.volumes.inspect(volume)), undefined);
    },
  },
  {
    capability: 'attachment',
    name: 'gives the same consumer the same answer again, and lets go at one detach',
    async run({ subject, made }) {
      const volume = await made();
      const first = value(await subject.volumes.attach(volume, alice));
      strictEqual(first.kind, subject.volumes.capabilities.attachment);
      deepStrictEqual(value(await subject.volumes.attach(volume, alice)), first);
      value(await subject.volumes.detach(volume, alice));
      value(await subject.volumes.remove(volume));
    },
  },
  {
    capability: 'attachment',
    name: 'counts a detach of what is not attached as done',
    async run({ subject, made }) {
      const volume = await made();
      value(await subject.volumes.detach(volume, alice));
      value(await subject.volumes.attach(volume, alice));
      value(await subject.volumes.detach(volume, alice));
      value(await subject.volumes.detach(volume, alice));
    },
  },
  {
    capability: 'attachment',
    name: 'serialises what is asked of one volume at once',
    async run({ subject, made }) {
      const volume = await made();
      const attached = await Promise.all(
        Array.from({ length: 4 }, () => subject.volumes.attach(volume, alice)),
      );
      strictEqual(new Set(attached.map((outcome) => JSON.stringify(value(outcome)))).size, 1);
      value(await subject.volumes.detach(volume, alice));
      value(await subject.volumes.remove(volume));
    },
  },
];

const HOST_PATH: readonly ConformanceCheck[] = [
  {
    capability: 'host-path',
    name: 'gives a directory of this host that keeps its files from one attachment to the next',
    skip: noHostPath,
    async run({ subject, made }) {
      const volume = await made();
      const path = pathOf(value(await subject.volumes.attach(volume, alice)));
      ok(isAbsolute(path) && (await isDirectory(path)), `${path} is no directory`);
      await writeDocument(path, 'kept');
      value(await subject.volumes.detach(volume, alice));
      const again = pathOf(value(await subject.volumes.attach(volume, bob)));
      strictEqual(await readDocument(again), 'kept');
      value(await subject.volumes.detach(volume, bob));
    },
  },
  {
    capability: 'host-path',
    name: 'does not remove a volume that is attached',
    skip: noHostPath,
    async run({ subject, made }) {
      const volume = await made();
      const path = pathOf(value(await subject.volumes.attach(volume, alice)));
      expectCode(await subject.volumes.remove(volume), 'not-done in-use', 'remove');
      expectCode(await subject.restarted().remove(volume), 'not-done in-use', 'remove after a restart');
      ok(await isDirectory(path), `${path} is gone`);
      value(await subject.volumes.detach(volume, alice));
      value(await subject.volumes.remove(volume));
    },
  },
  {
    capability: 'host-path',
    name: 'knows an attachment again after a restart, and can let go of it',
    skip: noHostPath,
    async run({ subject, made }) {
      const volume = await made();
      const before = value(await subject.volumes.attach(volume, alice));
      const after = subject.restarted();
      deepStrictEqual(value(await after.attach(volume, alice)), before);
      value(await after.detach(volume, alice));
      value(await subject.restarted().remove(volume));
    },
  },
];

const SHARING: readonly ConformanceCheck[] = [
  {
    capability: 'sharing',
    name: 'keeps one consumer attached when another lets go, or has one consumer only',
    skip: noHostPath,
    async run({ subject: { volumes }, made }) {
      const volume = await made();
      const path = pathOf(value(await volumes.attach(volume, alice)));
      const second = await volumes.attach(volume, bob);
      if (volumes.capabilities.countsConsumers) value(second);
      else expectCode(second, 'not-done in-use', 'attach by another consumer');
      await writeDocument(path, 'still here');
      value(await volumes.detach(volume, bob));
      // An unmount that took it away shows an empty directory, which can be written to as well.
      strictEqual(await readDocument(path), 'still here');
      expectCode(await volumes.remove(volume), 'not-done in-use', 'remove');
      value(await volumes.detach(volume, alice));
      value(await volumes.remove(volume));
    },
  },
  {
    capability: 'sharing',
    name: 'refuses a volume that another machine has attached, until it is detached there',
    skip: ({ elsewhere }) =>
      elsewhere === undefined
        ? 'no other machine is given, or the driver does not keep machines apart'
        : undefined,
    async run({ subject, made }) {
      const { volumes, elsewhere } = subject;
      if (elsewhere === undefined) throw new Error('there is no other machine');
      const volume = await made();
      const path = pathOf(value(await volumes.attach(volume, alice)));
      await writeDocument(path, 'moved');
      const refused = await elsewhere.attach(volume, bob);
      expectCode(refused, 'not-done attached-elsewhere', 'attach on another machine');
      match(
        refused.kind === 'not-done' ? (refused.error.driverMessage ?? '') : '',
        /is attached to instance .*alive/,
      );
      expectCode(await elsewhere.remove(volume), 'not-done in-use', 'remove on another machine');
      value(await volumes.detach(volume, alice));
      const moved = pathOf(value(await elsewhere.attach(volume, bob)));
      strictEqual(await readDocument(moved), 'moved');
      value(await elsewhere.detach(volume, bob));
    },
  },
];

const CONTAINER_MOUNT: readonly ConformanceCheck[] = [
  {
    capability: 'container-mount',
    name: 'neither detaches nor removes a volume that a container uses',
    skip({ use, volumes }) {
      if (use !== undefined) return undefined;
      return volumes.capabilities.attachment === 'host-path'
        ? 'this path gives a host path, not a container mount'
        : 'no image was given for a container';
    },
    async run({ subject: { volumes, use }, made }) {
      if (use === undefined) throw new Error('there is no container');
      const volume = await made();
      const stop = await use(value(await volumes.attach(volume, alice)));
      try {
        expectCode(await volumes.detach(volume, alice), 'not-done in-use', 'detach');
        expectCode(await volumes.remove(volume), 'not-done in-use', 'remove');
      } finally {
        await stop();
      }
      value(await volumes.detach(volume, alice));
      value(await volumes.remove(volume));
    },
  },
];

export const ATTACHMENT_CHECKS: readonly ConformanceCheck[] = [
  ...ANY_PATH,
  ...HOST_PATH,
  ...SHARING,
  ...CONTAINER_MOUNT,
];
