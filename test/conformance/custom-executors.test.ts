import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executorId, taskId } from '@mesos-elasticsearch/mesos-v1';
import type { Encoding } from '@mesos-elasticsearch/mesos-v1';
import { BareScheduler } from './bare-scheduler.ts';
import { recordedEvents, recording, storyOf } from './recording.ts';
import { isReal, startTarget } from './target.ts';
import type { Target } from './target.ts';
import { executorTask, launch } from './tasks.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.stop());

interface Report {
  readonly event?: string;
  readonly environment?: Record<string, string>;
  readonly directory?: string;
}

function reports(path: string): Report[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Report);
}

async function launched(scheduler: BareScheduler, name: string, variables: Record<string, string> = {}) {
  const offer = await scheduler.offer();
  const report = join(target.reports, `${name}.jsonl`);
  await scheduler.call(
    launch(offer, executorTask(name, offer, target, { SCRIPT_REPORT: report, ...variables })),
  );
  await scheduler.update(taskId(name));
  const running = await scheduler.update(taskId(name));
  return { agentId: offer.agentId, executorId: executorId(`ex-${name}`), running, report };
}

const RECORDED = recordedEvents('03-custom-executor');
const story = (scheduler: BareScheduler, ...names: string[]) =>
  names.map((name) => storyOf(name, scheduler.events));
const recorded = (...names: string[]) => names.map((name) => storyOf(name, RECORDED));

describe('recording 03: custom executors', () => {
  test('launch, a message both ways, kill', async () => {
    const scheduler = new BareScheduler(target.master);
    await scheduler.subscribe();
    const { agentId, executorId: id, report } = await launched(scheduler, 'e1');
    await scheduler.call({
      type: 'MESSAGE',
      message: { agentId, executorId: id, data: Buffer.from('ping') },
    });
    await scheduler.next('MESSAGE');
    await scheduler.call({ type: 'KILL', kill: { taskId: taskId('e1') } });
    await scheduler.update(taskId('e1'));
    expect(story(scheduler, 'e1', 'ex-e1')).toEqual(recorded('e1', 'ex-e1'));
    const kinds = recording('03-executor.1').flatMap((line) =>
      line.kind === 'event' ? [(line.event as { type: string }).type] : [],
    );
    await expect.poll(() => reports(report).flatMap((line) => line.event ?? [])).toEqual(kinds.slice(0, -1));
    await scheduler.teardown();
    await expect.poll(() => reports(report).flatMap((line) => line.event ?? [])).toEqual(kinds);
  });

  test('the environment of an executor has the recorded variables, and the sandbox is its directory', async () => {
    const scheduler = new BareScheduler(target.master);
    await scheduler.subscribe();
    const { report } = await launched(scheduler, 'env1');
    const [{ environment = {}, directory } = {}] = reports(report);
    const given = recording('03-executor.2')[0]!.env!;
    const ours = Object.keys(environment).filter((name) => /^(MESOS|LIBPROCESS)_/.test(name));
    expect(ours.sort()).toEqual(Object.keys(given).sort());
    for (const name of ['MESOS_CHECKPOINT', 'MESOS_HTTP_COMMAND_EXECUTOR', 'LIBPROCESS_PORT']) {
      expect(environment[name]).toBe(given[name]);
    }
    if (!isReal)
      expect(environment.MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD).toBe(
        given.MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD,
      );
    expect(environment.MESOS_SANDBOX).toBe(directory);
    expect(directory).toMatch(/slaves\/[^/]+\/frameworks\/[^/]+\/executors\/ex-env1\/runs\/[0-9a-f-]{36}$/);
    await scheduler.teardown();
  });

  test('kill -9 of the executor: FAILURE and a FAILED that the agent made', async () => {
    const scheduler = new BareScheduler(target.master);
    await scheduler.subscribe();
    const { running } = await launched(scheduler, 'e2');
    process.kill(running.containerStatus!.executorPid!, 'SIGKILL');
    await scheduler.update(taskId('e2'));
    expect(story(scheduler, 'e2', 'ex-e2')).toEqual(recorded('e2', 'ex-e2'));
    await scheduler.teardown();
  });

  test('SHUTDOWN of the executor', async () => {
    const scheduler = new BareScheduler(target.master);
    await scheduler.subscribe();
    const { agentId, executorId: id } = await launched(scheduler, 'e3');
    await scheduler.call({ type: 'SHUTDOWN', shutdown: { executorId: id, agentId } });
    await scheduler.update(taskId('e3'));
    await scheduler.next('FAILURE');
    expect(story(scheduler, 'e3', 'ex-e3')).toEqual(recorded('e3', 'ex-e3'));
    await scheduler.teardown();
  });
});

describe('recordings 09 and 17: protobuf', () => {
  const PROTOBUF: Encoding = 'application/x-protobuf';

  test('a scheduler and an executor that speak protobuf', async () => {
    const scheduler = new BareScheduler(target.master, PROTOBUF);
    await scheduler.subscribe();
    expect(scheduler.contentType).toBe(PROTOBUF);
    const {
      agentId,
      executorId: id,
      report,
    } = await launched(scheduler, 'pe1', { SCRIPT_ENCODING: PROTOBUF });
    await scheduler.call({
      type: 'MESSAGE',
      message: { agentId, executorId: id, data: Buffer.from('ping') },
    });
    await scheduler.next('MESSAGE');
    const killPolicy = { gracePeriod: { nanoseconds: 3_000_000_000n } };
    await scheduler.call({ type: 'KILL', kill: { taskId: taskId('pe1'), agentId, killPolicy } });
    await scheduler.update(taskId('pe1'));
    await scheduler.call({ type: 'SHUTDOWN', shutdown: { executorId: id, agentId } });
    await scheduler.next('FAILURE');
    const types = reports(report).flatMap((line) => line.event ?? []);
    expect(types).toEqual([
      'SUBSCRIBED',
      'LAUNCH',
      'ACKNOWLEDGED',
      'ACKNOWLEDGED',
      'MESSAGE',
      'KILL',
      'ACKNOWLEDGED',
      'SHUTDOWN',
    ]);
    const states = (events: typeof scheduler.events) =>
      storyOf('pe1', events).map((one) => ('state' in one ? [one.state, one.source, one.uuid] : []));
    expect(states(scheduler.events)).toEqual(states(recordedEvents('17-executor-protobuf')));
    await scheduler.teardown();
  });

  test('the first events of a protobuf stream are those of a JSON stream', async () => {
    const types = recordedEvents('09-protobuf-stream').map((event) => event.type);
    const scheduler = new BareScheduler(target.master, PROTOBUF);
    await scheduler.subscribe();
    await scheduler.offer();
    expect(scheduler.events.map((event) => event.type).slice(0, 3)).toEqual(types.slice(0, 3));
    await scheduler.teardown();
  });
});
