/** `scheduler`: the composition root of the framework. A signal stops this process, and nothing else. */
import { hostname } from 'node:os';
import { cautionsOf } from '@mesos-elasticsearch/dvdcli-bridge';
import { startScheduler, type ExitReason, type ProgressEvent } from '@mesos-elasticsearch/scheduler';
import { pino, type Logger } from 'pino';
import { bundlesBeside } from '../bundles.ts';
import { compileOptions, statePlaceOf, type NamedFiles } from '../config/compile.ts';
import type { Settings } from '../config/fields.ts';
import { readConfiguration } from '../config/read.ts';
import { findMasters } from '../scheduling/find-masters.ts';
import { openState, type OpenState } from '../scheduling/open-state.ts';
import { startStandbyServer, type StandbyServer } from '../scheduling/standby-server.ts';
import { EXIT } from './exit-code.ts';
import type { SchedulerFlags } from './scheduler-flags.ts';

/** What `--progress json` writes, one object a line. */
export type ProgressLine =
  | ProgressEvent
  | { readonly kind: 'listening'; readonly url: string }
  /** Another scheduler leads, by this name; `port` answers /health meanwhile. */
  | { readonly kind: 'standby'; readonly leader: string; readonly port: number };

interface Run {
  readonly settings: Settings;
  readonly files: NamedFiles;
  readonly log: Logger;
  readonly tell: (line: ProgressLine) => void;
  /** Somebody wants this process to end. */
  readonly signal: AbortSignal;
}

/** @returns the exit code, when the scheduler has ended */
export async function runScheduler(asked: SchedulerFlags): Promise<number> {
  const { settings, files } = await readConfiguration({ ...asked, environment: process.env });
  const log = pino(
    { level: settings.logLevel, base: { framework: settings.frameworkName } },
    pino.destination(2),
  );
  const { externalVolumeDriver: driver = '' } = settings;
  for (const what of cautionsOf({ driver }))
    log.warn({ driver, what }, 'the volume driver does not promise all that a cluster needs');
  const tell = (line: ProgressLine) => {
    if (settings.progress === 'json') process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  const run: Run = { settings, files, log, tell, signal: stopping.signal };
  const state = await stateOf(run);
  return state === undefined ? EXIT.done : lead(run, state);
}

/** While another scheduler leads, a small server answers in the place of the API. */
async function stateOf({ settings, files, log, tell, signal }: Run): Promise<OpenState | undefined> {
  const place = statePlaceOf(settings, files);
  const { bindHost, webUiPort, publishHost = hostname() } = settings;
  let server: StandbyServer | undefined;
  try {
    if (place.kind === 'zookeeper') server = await startStandbyServer(bindHost, webUiPort);
    const port = server?.port ?? webUiPort;
    return await openState(place, {
      name: webUiPort === 0 ? `${publishHost}, process ${process.pid}` : `${publishHost}:${webUiPort}`,
      log,
      signal,
      onStandby: (leader) => {
        if (server !== undefined) server.leader = leader;
        log.info({ leader }, 'standby: another scheduler leads');
        tell({ kind: 'standby', leader, port });
      },
    });
  } finally {
    await server?.close();
  }
}

async function lead(run: Run, { ledger, leases, lost, mayLead }: OpenState): Promise<number> {
  const { settings, files, log, tell, signal } = run;
  const found = findMasters(settings, log);
  const surroundings = {
    hostName: hostname(),
    executorBundle: bundlesBeside(import.meta.url).executor,
    masters: found.masters,
  };
  try {
    const scheduler = await startScheduler({
      ...compileOptions(settings, files, surroundings),
      ledger,
      leases,
      mayLead,
      log,
      onProgress: tell,
    }).catch(async (error: unknown) => {
      await ledger.close();
      throw error;
    });
    tell({ kind: 'listening', url: scheduler.url });
    log.info({ url: scheduler.url }, 'the scheduler is up');
    const stop = () => void scheduler.stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    let lostBecause: string | undefined;
    void lost.then((why) => {
      lostBecause ??= why;
      stop();
    });
    return exitCode(run, await scheduler.done, lostBecause);
  } finally {
    await found.close();
  }
}

/** In an election whoever was replaced stands by when it is started again; nobody takes the lead back by force. */
function exitCode({ settings, signal }: Run, reason: ExitReason, lostBecause: string | undefined): number {
  if (reason.kind === 'crashed') throw reason.error;
  if (signal.aborted) return EXIT.done;
  const elected = settings.zookeeperUrl !== undefined;
  if (elected && (reason.kind === 'stopped' || reason.kind === 'replaced')) {
    const why = reason.kind === 'stopped' ? (lostBecause ?? 'deposed') : reason.message;
    process.stderr.write(`mesos-elasticsearch: this scheduler does not lead any more: ${why}\n`);
    return EXIT.deposed;
  }
  if (reason.kind === 'stopped') return EXIT.done;
  process.stderr.write(`mesos-elasticsearch: the scheduler was ${reason.kind}: ${reason.message}\n`);
  return EXIT.failed;
}
