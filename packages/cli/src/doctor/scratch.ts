/** A scratch volume from making to removing, each step timed. It is removed only if this run has made it. */
import type {
  Attachment,
  ConsumerId,
  Outcome,
  VolumeReference,
  Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { inChild, type ChildAnswer } from '../volumes/child-work.ts';
import { adviceFor } from './core/advice.ts';
import { failed, fine, skipped, type Line } from './core/line.ts';

export interface ScratchTrial {
  readonly volumes: Volumes;
  readonly volume: VolumeReference & { readonly options: Readonly<Record<string, string>> };
  /** Of one step, in milliseconds. */
  readonly limitMs: number;
  readonly within: <T>(work: Promise<Outcome<T>>) => Promise<Outcome<T>>;
}

const CONSUMER = 'doctor' as ConsumerId;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const PROBE = '.mesos-elasticsearch-doctor';
const PROBE_BYTES = 1 << 20;

const WRITE = `
  const file = path.join(args[0], args[1]), bytes = Buffer.alloc(Number(args[2]), 'doctor');
  const start = performance.now(), fd = fs.openSync(file, 'wx');
  fs.writeSync(fd, bytes);
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

export async function tryScratch(trial: ScratchTrial): Promise<readonly Line[]> {
  const keep = undoOnSignal(trial);
  try {
    return await makeAndUse(trial);
  } finally {
    keep();
  }
}

/** Ctrl-C leaves no scratch volume behind; the name is random, so it is this run's. @returns takes it back */
function undoOnSignal({ volumes, volume, within }: ScratchTrial): () => void {
  const stop = (): void => {
    void within(volumes.detach(volume, CONSUMER))
      .then(() => within(volumes.remove(volume)))
      .then((removed) => {
        if (removed.kind !== 'done') process.stderr.write(`left behind: ${removed.error.message}\n`);
        process.exit(1);
      });
  };
  for (const signal of SIGNALS) process.once(signal, stop);
  return () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
}

async function makeAndUse(trial: ScratchTrial): Promise<readonly Line[]> {
  const { volumes, volume } = trial;
  const made = await timed(trial, 'create', volumes.ensure(volume), () => `scratch volume ${volume.name}`);
  if (made.outcome.kind === 'done' && !made.outcome.value.created) {
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
        : [skipped('mount, write, fsync', 'the Engine mounts a volume only while a container uses it')]),
    );
  } else if (made.outcome.kind === 'not-done') return lines;
  const removed = await timed(trial, 'remove', volumes.remove(volume), () => 'gone again');
  const next = `remove it: mesos-elasticsearch volumes rm ${volume.name} --driver ${volume.driver} --yes-delete ${volume.name}`;
  return [...lines, removed.line.verdict === 'failed' ? { ...removed.line, next } : removed.line];
}

async function useIt(trial: ScratchTrial): Promise<readonly Line[]> {
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

async function attach(trial: ScratchTrial, check: string): Promise<{ line: Line; path: string | undefined }> {
  const pathOf = (attachment: Attachment) =>
    attachment.kind === 'host-path' ? attachment.hostPath : attachment.source;
  const { outcome, line } = await timed(trial, check, trial.volumes.attach(trial.volume, CONSUMER), pathOf);
  return { line, path: outcome.kind === 'done' ? pathOf(outcome.value) : undefined };
}

async function detach(trial: ScratchTrial, check: string): Promise<Line> {
  return (await timed(trial, check, trial.volumes.detach(trial.volume, CONSUMER), () => 'done')).line;
}

async function write(trial: ScratchTrial, path: string): Promise<readonly Line[]> {
  const args = [path, PROBE, String(PROBE_BYTES)];
  const answer = await inChild<{ writeMs: number; fsyncMs: number }>(WRITE, args, trial.limitMs);
  if (answer.kind !== 'answered') return [childFailure('write and fsync', path, answer)];
  const { writeMs, fsyncMs } = answer.value;
  return [fine('write', '1 MiB', writeMs), fine('fsync', 'acknowledged', fsyncMs)];
}

async function readBack(trial: ScratchTrial, path: string): Promise<Line> {
  const args = [path, PROBE, String(PROBE_BYTES)];
  const answer = await inChild<{ same: boolean; readMs: number }>(READ, args, trial.limitMs);
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
  return answer.kind === 'failed'
    ? failed(
        check,
        answer.why,
        'look at the options of the driver: who may write there, and with which cache',
      )
    : failed(
        check,
        `the file system at ${path} does not answer`,
        "look at the driver's log; a dead mount goes with: umount -l",
      );
}

async function timed<T>(
  trial: ScratchTrial,
  check: string,
  work: Promise<Outcome<T>>,
  says: (value: T) => string,
): Promise<{ outcome: Outcome<T>; line: Line }> {
  const start = performance.now();
  const outcome = await trial.within(work);
  if (outcome.kind === 'done')
    return { outcome, line: fine(check, says(outcome.value), performance.now() - start) };
  const { message, code } = outcome.error;
  const doubt = outcome.kind === 'unknown' ? ' (it may have happened)' : '';
  return { outcome, line: failed(check, `${message}${doubt}`, adviceFor(code)) };
}
