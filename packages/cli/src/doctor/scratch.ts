/** A scratch volume from making to removing, each step timed. It is removed only if this run has made it. */
import type {
  Attachment,
  ConsumerId,
  Outcome,
  VolumeReference,
  Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { inChild, type ChildAnswer } from '../volumes/child-work.ts';
import { adviceFor, adviceForFile } from './core/advice.ts';
import { failed, fine, skipped, type Line } from './core/line.ts';

export interface ScratchTrial {
  readonly volumes: Volumes;
  readonly volume: VolumeReference & { readonly options: Readonly<Record<string, string>> };
  /** Of one step, in milliseconds. */
  readonly limitMs: number;
  /** What an operator does about a scratch volume that is left, by command. */
  readonly clearing: string;
  readonly within: <T>(work: Promise<Outcome<T>>) => Promise<Outcome<T>>;
}

export const CONSUMER = 'doctor' as ConsumerId;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PROBE = '.mesos-elasticsearch-doctor';
const PROBE_BYTES = 1 << 20;

const WRITE = `
  const file = path.join(args[0], args[1]), bytes = Buffer.alloc(Number(args[2]), 'doctor');
  const start = performance.now(), fd = fs.openSync(file, 'wx');
  // A disk that is nearly full takes a part, and refuses the rest.
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
  const written = performance.now();
  fs.fsyncSync(fd);
  const synced = performance.now();
  fs.closeSync(fd);
  return { writeMs: written - start, fsyncMs: synced - written };
`;
const READ = `
  const file = path.join(args[0], args[1]), bytes = Buffer.alloc(Number(args[2]), 'doctor');
  const start = performance.now(), same = fs.readFileSync(file).equals(bytes);
  fs.unlinkSync(file);
  return { same, readMs: performance.now() - start };
`;

/** One run, as far as it has come. */
interface Run extends ScratchTrial {
  /** The step under way; ends within its limit. */
  underWay: Promise<unknown>;
  interrupted: boolean;
  /** A volume of this name was there before: it is not ours to remove. */
  foreign: boolean;
}

export async function tryScratch(trial: ScratchTrial): Promise<readonly Line[]> {
  const run: Run = { ...trial, underWay: Promise.resolve(), interrupted: false, foreign: false };
  const keep = undoOnSignal(run);
  try {
    return await makeAndUse(run);
  } finally {
    keep();
  }
}

/** Ctrl-C leaves no scratch volume behind; the name is random, so it is this run's. @returns takes it back */
function undoOnSignal(run: Run): () => void {
  const stop = (): void => void undo(run).finally(() => process.exit(1));
  for (const signal of SIGNALS) process.once(signal, stop);
  return () => {
    if (run.interrupted) return;
    for (const signal of SIGNALS) process.off(signal, stop);
  };
}

async function undo(run: Run): Promise<void> {
  const { volumes, volume, within, clearing } = run;
  run.interrupted = true;
  if (run.foreign) return;
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  say(`interrupted: removing scratch volume ${volume.name} (once more: leave it behind)`);
  await run.underWay;
  const detached = await within(volumes.detach(volume, CONSUMER));
  const removed = await within(volumes.remove(volume));
  if (removed.kind === 'done') say('removed');
  else {
    const { message } = detached.kind === 'done' ? removed.error : detached.error;
    say(`left behind: ${message}\n${clearing}`);
  }
}

/** No further step once a signal has come: what would be asked then would come between the steps that undo it all. */
async function step<T>(run: Run, work: () => Promise<T>): Promise<T> {
  const goOn = (): Promise<void> => (run.interrupted ? new Promise(() => undefined) : Promise.resolve());
  await goOn();
  const underWay = work();
  run.underWay = underWay.catch(() => undefined);
  const result = await underWay;
  await goOn();
  return result;
}

async function makeAndUse(trial: Run): Promise<readonly Line[]> {
  const { volumes, volume, clearing } = trial;
  const made = await timed(
    trial,
    'create',
    () => volumes.ensure(volume),
    () => `scratch volume ${volume.name}`,
  );
  if (made.outcome.kind === 'done' && !made.outcome.value.created) {
    trial.foreign = true;
    return [
      failed(
        'create',
        `a volume ${volume.name} was there already, and is left alone`,
        'run it again: the name is random',
      ),
    ];
  }
  const lines = [made.line];
  if (made.outcome.kind === 'done') {
    lines.push(
      ...(volumes.capabilities.attachment === 'host-path'
        ? await useIt(trial)
        : [
            skipped(
              'mount, write, fsync',
              'the Engine mounts a volume only while a container uses it: volume-conformance --path engine --image IMAGE tries that',
            ),
          ]),
    );
  } else if (made.outcome.kind === 'not-done') return lines;
  const removed = await timed(
    trial,
    'remove',
    () => volumes.remove(volume),
    () => 'gone again',
  );
  return [...lines, removed.line.verdict === 'failed' ? { ...removed.line, next: clearing } : removed.line];
}

async function useIt(trial: Run): Promise<readonly Line[]> {
  const first = await attach(trial, 'mount');
  if (first.path === undefined) {
    // It may have been mounted all the same.
    const undone = await detach(trial, 'unmount');
    return undone.verdict === 'failed' ? [first.line, undone] : [first.line];
  }
  const written = await write(trial, first.path);
  const lines = [first.line, ...written, await detach(trial, 'unmount')];
  if (lines.some(({ verdict }) => verdict === 'failed')) return lines;
  const again = await attach(trial, 'mount again');
  if (again.path === undefined) return [...lines, again.line, await detach(trial, 'unmount again')];
  return [...lines, again.line, await readBack(trial, again.path), await detach(trial, 'unmount again')];
}

async function attach(trial: Run, check: string): Promise<{ line: Line; path: string | undefined }> {
  const pathOf = (attachment: Attachment) =>
    attachment.kind === 'host-path' ? attachment.hostPath : attachment.source;
  const { outcome, line } = await timed(
    trial,
    check,
    () => trial.volumes.attach(trial.volume, CONSUMER),
    pathOf,
  );
  return { line, path: outcome.kind === 'done' ? pathOf(outcome.value) : undefined };
}

async function detach(trial: Run, check: string): Promise<Line> {
  return (
    await timed(
      trial,
      check,
      () => trial.volumes.detach(trial.volume, CONSUMER),
      () => 'done',
    )
  ).line;
}

async function write(trial: Run, path: string): Promise<readonly Line[]> {
  const args = [path, PROBE, String(PROBE_BYTES)];
  const answer = await step(trial, () =>
    inChild<{ writeMs: number; fsyncMs: number }>(WRITE, args, trial.limitMs),
  );
  if (answer.kind !== 'answered') return [childFailure('write and fsync', path, answer)];
  const { writeMs, fsyncMs } = answer.value;
  return [fine('write', '1 MiB', writeMs), fine('fsync', 'acknowledged', fsyncMs)];
}

async function readBack(trial: Run, path: string): Promise<Line> {
  const args = [path, PROBE, String(PROBE_BYTES)];
  const answer = await step(trial, () =>
    inChild<{ same: boolean; readMs: number }>(READ, args, trial.limitMs),
  );
  if (answer.kind !== 'answered') return childFailure('read back', path, answer);
  return answer.value.same
    ? fine('read back', 'what was written before the unmount', answer.value.readMs)
    : failed(
        'read back',
        'what was fsynced before the unmount is not there',
        'do not use this driver for data before its author has explained this',
      );
}

function childFailure(
  check: string,
  path: string,
  answer: Exclude<ChildAnswer<unknown>, { kind: 'answered' }>,
): Line {
  if (answer.kind === 'failed') return failed(check, answer.why, adviceForFile(answer.why));
  return failed(
    check,
    `the file system at ${path} does not answer`,
    "look at the driver's log; a dead mount goes with: umount -l",
  );
}

async function timed<T>(
  trial: Run,
  check: string,
  work: () => Promise<Outcome<T>>,
  says: (value: T) => string,
): Promise<{ outcome: Outcome<T>; line: Line }> {
  const start = performance.now();
  const outcome = await step(trial, () => trial.within(work()));
  if (outcome.kind === 'done')
    return { outcome, line: fine(check, says(outcome.value), performance.now() - start) };
  const { message, code } = outcome.error;
  const doubt = outcome.kind === 'unknown' ? ' (it may have happened)' : '';
  return {
    outcome,
    line: failed(check, `${message}${doubt}`, adviceFor(code, trial.volumes.capabilities.path)),
  };
}
