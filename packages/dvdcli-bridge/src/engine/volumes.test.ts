/** What is asked of the Engine and what its answers mean, against an Engine that says what it is told. */
import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import Docker from 'dockerode';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { engineVolumes } from './volumes.ts';

const ENGINE = 'http://engine.test:2375';
const consumer = 'task-1' as ConsumerId;
let engine: nock.Scope;
let volumes: Volumes;

beforeEach(() => {
  nock.disableNetConnect();
  engine = nock(ENGINE);
  volumes = engineVolumes({ docker: new Docker({ host: 'engine.test', port: 2375, protocol: 'http' }) });
});
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

function wanted(options: Record<string, string>, driver = 'rexray'): VolumeSpec {
  return { name: volumeName('elasticsearch1data'), driver, options };
}

const volumeOf = (change: object): object => ({
  Name: 'elasticsearch1data',
  Driver: 'rexray',
  Mountpoint: '',
  Labels: null,
  Scope: 'global',
  Options: null,
  ...change,
});

function absent(): void {
  engine.get('/volumes/elasticsearch1data').reply(404, { message: 'get elasticsearch1data: no such volume' });
}

function there(volume: { Driver?: string; Options?: Record<string, string> | null }): void {
  engine.get('/volumes/elasticsearch1data').reply(200, volumeOf(volume));
}

describe('a volume that is not there', () => {
  it('is created with its driver and options, which stay out of the URL', async () => {
    absent();
    engine
      .post('/volumes/create', {
        Name: 'elasticsearch1data',
        Driver: 'rexray',
        DriverOpts: { size: '5', volumetype: 'gp2' },
      })
      .query((query) => Object.keys(query).length === 0)
      .reply(201, {});
    there({ Options: { size: '5', volumetype: 'gp2' } });
    const made = await volumes.ensure(wanted({ size: '5', volumetype: 'gp2' }));
    expect(made).toEqual({ kind: 'done', value: { created: true } });
    expect(engine.isDone()).toBe(true);
  });
});

describe('a volume that is there', () => {
  it.each<[string, Record<string, string> | null, Record<string, string>]>([
    ['the same options', { size: '5' }, { size: '5' }],
    ['more options than were asked for', { size: '5', iops: '100' }, { size: '5' }],
    ['options although none were asked for', { size: '5' }, {}],
    ['options that the Engine has forgotten', null, { size: '5' }],
  ])('is taken with %s', async (_, has, asked) => {
    there({ Options: has });
    expect(await volumes.ensure(wanted(asked))).toMatchObject({ kind: 'done', value: { created: false } });
  });

  it('is refused when somebody else made it in between, with other options', async () => {
    absent();
    engine.post('/volumes/create').reply(201, {});
    there({ Options: { size: '1' } });
    expect(await volumes.ensure(wanted({ size: '5' }))).toMatchObject({
      kind: 'not-done',
      error: { code: 'conflict' },
    });
  });

  it.each<[string, Record<string, string>, Record<string, string>, string]>([
    ['another value', { size: '5' }, { size: '10' }, 'size=10 was asked for, it has 5'],
    ['an option missing', {}, { size: '10' }, 'size=10 was asked for, it has no such option'],
  ])('is refused with %s, by name', async (_, has, asked, words) => {
    there({ Options: has });
    const outcome = await volumes.ensure(wanted(asked));
    expect(outcome).toMatchObject({ kind: 'not-done', error: { code: 'conflict' } });
    expect(outcome.kind === 'not-done' && outcome.error.message).toContain(words);
  });

  it('is refused by name when it is of another driver, and so is its use', async () => {
    there({ Driver: 'local' });
    const outcome = await volumes.ensure(wanted({}));
    expect(outcome).toMatchObject({ kind: 'not-done', error: { code: 'conflict' } });
    expect(outcome.kind === 'not-done' && outcome.error.message).toContain('but of driver local');
    there({ Driver: 'local' });
    const volume = { name: volumeName('elasticsearch1data'), driver: 'rexray' };
    expect(await volumes.attach(volume, consumer)).toMatchObject({
      kind: 'not-done',
      error: { code: 'conflict' },
    });
  });
});

describe('what the Engine says of a driver that is not there', () => {
  it('is not taken for a volume that is not there', async () => {
    const message =
      'create elasticsearch1data: error looking up volume plugin rexray: plugin "rexray" not found';
    absent();
    engine.post('/volumes/create').reply(404, { message });
    expect(await volumes.ensure(wanted({}))).toMatchObject({
      kind: 'not-done',
      error: { code: 'driver-not-found', driverMessage: message },
    });
  });

  it('shows in the warnings of a list, and the list is not taken for empty', async () => {
    engine
      .get('/volumes')
      .query(true)
      .reply(200, { Volumes: null, Warnings: ['error while checking if rexray is up: rexray: timeout'] });
    expect(await volumes.list('rexray')).toMatchObject({
      kind: 'not-done',
      error: { code: 'driver-unavailable' },
    });
  });

  it('leaves open what became of a call that was not answered', async () => {
    absent();
    engine.post('/volumes/create').replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    expect(await volumes.ensure(wanted({}))).toMatchObject({ kind: 'unknown' });
  });
});
