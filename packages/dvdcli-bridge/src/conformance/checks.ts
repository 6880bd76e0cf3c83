/**
 * The one behavioural suite of Volumes: what holds for every path and driver, and what the capabilities say on
 * top. Run by `volumesContract` in tests and by the `volume-conformance` command.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { ATTACHMENT_CHECKS } from './attachment-checks.ts';
import { alice, expectCode, value, type ConformanceCheck } from './check.ts';

const CATALOGUE_CHECKS: readonly ConformanceCheck[] = [
  {
    capability: 'catalogue',
    name: 'makes an absent volume once, and reuses it after that',
    async run({ subject, fresh }) {
      const volume = fresh();
      deepStrictEqual(value(await subject.volumes.ensure(volume)), { created: true });
      strictEqual(value(await subject.volumes.ensure(volume)).created, false);
    },
  },
  {
    capability: 'catalogue',
    name: 'makes one volume when many ask for it at once',
    async run({ subject, fresh }) {
      const volume = fresh();
      const answers = await Promise.all(Array.from({ length: 5 }, () => subject.volumes.ensure(volume)));
      strictEqual(answers.map(value).filter(({ created }) => created).length, 1);
    },
  },
  {
    capability: 'catalogue',
    name: 'says that an absent volume is absent',
    async run({ subject, fresh }) {
      strictEqual(value(await subject.volumes.inspect(fresh())), undefined);
    },
  },
  {
    capability: 'catalogue',
    name: 'says what the scope of the driver is',
    async run({ subject, fresh }) {
      const { driver } = fresh();
      const described = value(await subject.volumes.describe(driver));
      strictEqual(described.driver, driver);
      ok(['local', 'global'].includes(described.scope), `scope ${described.scope}`);
    },
  },
  {
    capability: 'catalogue',
    name: 'describes and lists what was made',
    async run({ subject, made }) {
      const volume = await made();
      const described = value(await subject.volumes.inspect(volume));
      deepStrictEqual([described?.name, described?.driver], [volume.name, volume.driver]);
      const listed = value(await subject.volumes.list(volume.driver));
      ok(
        listed.some(({ name }) => name === volume.name),
        `the list lacks ${volume.name}`,
      );
    },
  },
  {
    capability: 'catalogue',
    name: 'refuses a driver name that walks out of the plugin directories',
    skip: ({ volumes }) =>
      volumes.capabilities.path === 'engine' ? 'the Engine resolves driver names itself' : undefined,
    async run({ subject, fresh }) {
      const foreign = { ...fresh(), driver: '../plugins/evil' };
      expectCode(await subject.volumes.ensure(foreign), 'not-done invalid', 'ensure');
      expectCode(await subject.volumes.describe(foreign.driver), 'not-done invalid', 'describe');
      expectCode(await subject.volumes.attach(foreign, alice), 'not-done invalid', 'attach');
    },
  },
  {
    capability: 'catalogue',
    name: 'carries a comma in an option, or refuses it before anything is made',
    skip: ({ volumes }) =>
      volumes.capabilities.commaInOptionValues ? 'this path carries commas' : undefined,
    async run({ subject, fresh }) {
      const volume = fresh();
      const withComma = { ...volume, options: { ...volume.options, note: 'a,b' } };
      expectCode(await subject.volumes.ensure(withComma), 'not-done invalid', 'ensure');
      strictEqual(value(await subject.volumes.inspect(volume)), undefined);
    },
  },
];

const REMOVAL_CHECKS: readonly ConformanceCheck[] = [
  {
    capability: 'removal',
    name: 'counts the removal of an absent volume as done',
    async run({ subject, fresh }) {
      value(await subject.volumes.remove(fresh()));
    },
  },
  {
    capability: 'removal',
    name: 'removes what nobody uses',
    async run({ subject, made }) {
      const volume = await made();
      value(await subject.volumes.remove(volume));
      strictEqual(value(await subject.volumes.inspect(volume)), undefined);
    },
  },
];

export const CONFORMANCE_CHECKS: readonly ConformanceCheck[] = [
  ...CATALOGUE_CHECKS,
  ...ATTACHMENT_CHECKS,
  ...REMOVAL_CHECKS,
];
