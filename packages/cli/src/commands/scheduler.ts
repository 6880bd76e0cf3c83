/** `scheduler`: the composition root of the framework. A signal stops this process, and nothing else. */
import { hostname } from 'node:os';
import { directoryLeases, openDirectoryLedger } from '@mesos-elasticsearch/coordination';
import { startScheduler, type ProgressEvent } from '@mesos-elasticsearch/scheduler';
import { pino } from 'pino';
import { compileOptions, listedMasters, statePlaceOf } from '../config/compile.ts';
import { readConfiguration } from '../config/read.ts';
import { bundlesBeside } from '../bundles.ts';
import { EXIT, UsageError } from './exit-code.ts';
import type { SchedulerFlags } from './scheduler-flags.ts';

/** What `--progress json` writes, one object a line. */
export type ProgressLine = ProgressEvent | { readonly kind: 'listening'; readonly url: string };

/** @returns the exit code, when the scheduler has ended */
export async function runScheduler(asked: SchedulerFlags): Promise<number> {
  const { settings, files } = await readConfiguration({ ...asked, environment: process.env });
  const log = pino(
    { level: settings.logLevel, base: { framework: settings.frameworkName } },
    pino.destination(2),
  );
  const tell = (line: ProgressLine) => {
    if (settings.progress === 'json') process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  const place = statePlaceOf(settings, files);
  const masters = listedMasters(settings);
  if (place.kind !== 'directory' || masters === undefined) {
    throw new UsageError('ZooKeeper is not in this version: give --master and --stateDirectory');
  }
  const surroundings = {
    hostName: hostname(),
    executorBundle: bundlesBeside(import.meta.url).executor,
    masters,
  };
  const ledger = await openDirectoryLedger(place.state);
  let scheduler: Awaited<ReturnType<typeof startScheduler>>;
  try {
    scheduler = await startScheduler({
      ...compileOptions(settings, files, surroundings),
      ledger,
      leases: directoryLeases(place.leases),
      log,
      onProgress: tell,
    });
  } catch (error) {
    await ledger.close();
    throw error;
  }
  tell({ kind: 'listening', url: scheduler.url });
  log.info({ url: scheduler.url }, 'the scheduler is up');
  const stop = () => void scheduler.stop();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const reason = await scheduler.done;
  if (reason.kind === 'stopped') return EXIT.done;
  if (reason.kind === 'crashed') throw reason.error;
  process.stderr.write(`mesos-elasticsearch: the scheduler was ${reason.kind}: ${reason.message}\n`);
  return EXIT.failed;
}
