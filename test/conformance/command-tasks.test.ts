import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { taskId } from '@mesos-elasticsearch/mesos-v1';
import { BareScheduler } from './bare-scheduler.ts';
import { matters, recordedEvents, storyOf } from './recording.ts';
import { startTarget } from './target.ts';
import type { Target } from './target.ts';
import { commandTask, launch } from './tasks.ts';

const RECORDED = recordedEvents('02-command-task-lifecycle');

let target: Target;
let scheduler: BareScheduler;
beforeAll(async () => {
  target = await startTarget();
  scheduler = new BareScheduler(target.master);
  await scheduler.subscribe();
});
afterAll(async () => {
  await scheduler.teardown();
  await target.stop();
});

const heard = (name: string) => storyOf(name, scheduler.events);
const recorded = (name: string) => storyOf(name, RECORDED);

describe('recording 02: command tasks', () => {
  test('one runs; others fail and finish', async () => {
    const offer = await scheduler.offer();
    const long = {
      ...commandTask('t-run', offer, 'sleep 1000'),
      killPolicy: { gracePeriod: { nanoseconds: 2_000_000_000n } },
    };
    await scheduler.call(
      launch(offer, long, commandTask('t-fail', offer, 'exit 3'), commandTask('t-ok', offer, 'true')),
    );
    for (const name of ['t-run', 't-fail', 't-ok']) {
      await expect.poll(() => heard(name).length, { timeout: 20_000 }).toBe(1);
    }
  });

  test('each update but the first waits for the acknowledgement of the one before', async () => {
    expect(heard('t-fail').map((one) => 'state' in one && one.state)).toEqual(['TASK_RUNNING']);
    const open = scheduler.events.flatMap((event) => (event.type === 'UPDATE' ? [event.update.status] : []));
    for (const status of open) await scheduler.acknowledge(status);
    await expect.poll(() => heard('t-fail'), { timeout: 20_000 }).toEqual(recorded('t-fail'));
    await expect.poll(() => heard('t-ok'), { timeout: 20_000 }).toEqual(recorded('t-ok'));
  });

  test('reconciliation of a known, an unknown and all tasks', async () => {
    for (const event of scheduler.events) {
      if (event.type === 'UPDATE' && event.update.status.state !== 'TASK_RUNNING')
        await scheduler.acknowledge(event.update.status);
    }
    await scheduler.call({
      type: 'RECONCILE',
      reconcile: { tasks: [{ taskId: taskId('t-run') }, { taskId: taskId('never-existed') }] },
    });
    await scheduler.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    await expect.poll(() => heard('never-existed')).toEqual(recorded('never-existed'));
    await expect.poll(() => heard('t-run')).toEqual(recorded('t-run').slice(0, 3));
  });

  test('a kill, and a kill of an unknown task', async () => {
    await scheduler.call({ type: 'KILL', kill: { taskId: taskId('t-run') } });
    await scheduler.next('UPDATE', (event) => event.update.status.state === 'TASK_KILLED');
    expect(heard('t-run')).toEqual(recorded('t-run'));
    await scheduler.call({ type: 'KILL', kill: { taskId: taskId('unknown') } });
    await expect.poll(() => heard('unknown')).toEqual(recorded('unknown'));
  });

  test('a stale offer, and a task that asks for more than the offer', async () => {
    const offer = await scheduler.offer();
    await scheduler.call({
      type: 'DECLINE',
      decline: { offerIds: [offer.id], filters: { refuseSeconds: 1 } },
    });
    await scheduler.call(launch(offer, commandTask('t-stale', offer, 'sleep 1')));
    await expect.poll(() => heard('t-stale')).toEqual(recorded('t-stale'));
    const fresh = await scheduler.offer();
    await scheduler.call(launch(fresh, commandTask('t-big', fresh, 'sleep 1', 99)));
    await expect.poll(() => heard('t-big')).toHaveLength(1);
    const withoutAmounts = (list: unknown) => JSON.stringify(list).replace(/more than available .*?"/, '"');
    expect(withoutAmounts(heard('t-big'))).toEqual(withoutAmounts(recorded('t-big')));
  });

  test('a task whose URI cannot be had fails before it is started', async () => {
    const nothing = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => nothing.listen(0, '127.0.0.1', resolve));
    const uri = `http://127.0.0.1:${(nothing.address() as AddressInfo).port}/absent.tar.gz`;
    const offer = await scheduler.offer();
    const task = commandTask('t-fetch', offer, 'true');
    await scheduler.call(launch(offer, { ...task, command: { ...task.command, uris: [{ value: uri }] } }));
    const status = await scheduler.update(taskId('t-fetch'));
    nothing.close();
    expect(status).toMatchObject({ state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
    expect(status.message).toMatch(/^Failed to launch container: /);
    // A real agent leaves the URI to the sandbox's stderr.
    if (target.isEmbedded) expect(status.message).toContain(`cannot fetch ${uri}: the server answered 404`);
  });

  test('an update left unacknowledged is sent again after 10 s, the very same', async () => {
    const offer = await scheduler.offer();
    await scheduler.call(launch(offer, commandTask('t-noack', offer, 'sleep 1000')));
    const first = await scheduler.update(taskId('t-noack'), { acknowledge: false });
    const sentAt = Date.now();
    const second = await scheduler.update(taskId('t-noack'));
    expect(second).toEqual(first);
    expect(Date.now() - sentAt).toBeGreaterThan(9_000);
    expect(heard('t-noack')).toEqual(recorded('t-noack'));
    expect(matters(scheduler.events).filter((one) => one.event === 'FAILURE')).toEqual([]);
  });
});
