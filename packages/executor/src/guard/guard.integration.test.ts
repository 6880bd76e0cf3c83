/** The guard for real, with small programs in Elasticsearch's place. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kernelUptimeClock } from '../clock.ts';
import { startGuarded, type GuardedProcess } from '../jar/guarded-process.ts';
import { holdersOf, processes, survivorsOf } from '../jar/process-table.ts';
import { GUARD_CASES, type GuardMoment } from '../testing/guard-cases.ts';
import { createControlDirectory, type ControlDirectory, type GuardDeadline } from './control-directory.ts';

const root = process.getuid?.() === 0;
const seconds = () => Math.floor(kernelUptimeClock().nowMs() / 1_000);

/** Waits for a foreign process to get somewhere. */
async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 25) {
    if (await condition()) return;
    await delay(25);
  }
  throw new Error(`never happened: ${what}`);
}

const FORMS = [
  { form: 'a PID namespace of its own', ownNamespace: true },
  { form: 'a session of its own', ownNamespace: false },
].map((entry) => {
  const impossible = entry.ownNamespace && !root;
  return {
    ...entry,
    impossible,
    name: `the guard in ${entry.form}${impossible ? ' (skipped: needs root)' : ''}`,
  };
});

for (const { name, ownNamespace, impossible } of FORMS)
  describe.skipIf(impossible)(name, () => {
    let directory: string;
    let control: ControlDirectory;
    let guarded: GuardedProcess | undefined;

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'guard-'));
      await chmod(directory, 0o755);
    });
    afterEach(async () => {
      await guarded?.kill();
      await guarded?.gone;
      guarded = undefined;
      await rm(directory, { recursive: true, force: true });
    });

    const start = async (program: string, deadline: GuardDeadline) => {
      control = await createControlDirectory(directory, { deadline, writableByAll: false });
      guarded = await startGuarded({
        control,
        argv: ['sh', '-c', program],
        environment: { PATH: process.env.PATH ?? '', OUT: directory },
        ownNamespace,
        workDirectory: directory,
        consoleFile: join(directory, 'console.log'),
      });
      return guarded;
    };
    const out = (name: string) => join(directory, name);

    it('starts nothing before its go', async () => {
      const run = await start('echo started >"$OUT/started"', seconds() + 60);
      expect(await control.state()).toBe('waiting');
      expect(existsSync(out('started'))).toBe(false);
      await control.go();
      expect(await run.gone).toBe('exited 0');
      expect(existsSync(out('started'))).toBe(true);
    });

    it('ends by itself when the deadline passes before the go', async () => {
      const run = await start('echo started >"$OUT/started"', seconds() + 1);
      expect(await run.gone).toBe('killed deadline');
      expect(existsSync(out('started'))).toBe(false);
    });

    it('starts nothing on a go that comes after the deadline', async () => {
      const run = await start('echo started >"$OUT/started"', 'never');
      await control.extend(seconds() - 1);
      await control.go();
      expect(await run.gone).toBe('killed deadline');
      expect(existsSync(out('started'))).toBe(false);
    });

    it('kills children, grandchildren and those in sessions of their own at the deadline', async () => {
      const run = await start(
        'trap "" TERM; setsid sh -c "echo \\$\\$ >$OUT/escaped; exec sleep 1000" & sleep 1000 & echo up >"$OUT/up"; wait',
        seconds() + 60,
      );
      await control.go();
      await until('the escaped child runs', () => existsSync(out('escaped')) && existsSync(out('up')));
      const sleepers = await sleepersBelow(directory);
      expect(sleepers.length).toBeGreaterThanOrEqual(2);
      await control.extend(seconds() + 1);
      expect(await run.gone).toBe('killed deadline');
      expect(await sleepersBelow(directory)).toEqual([]);
    });

    it('stops gracefully, and tells the exit code', async () => {
      const run = await start(
        'trap "exit 7" TERM; echo up >"$OUT/up"; while :; do sleep 0.05; done',
        'never',
      );
      await control.go();
      await until('the program is up', () => existsSync(out('up')));
      await control.stop();
      expect(await run.gone).toBe('exited 7');
    });

    it('kills at once when told to, a program that ignores SIGTERM too', async () => {
      const run = await start('trap "" TERM; echo up >"$OUT/up"; while :; do sleep 0.05; done', 'never');
      await control.go();
      await until('the program is up', () => existsSync(out('up')));
      await run.kill();
      expect(await run.gone).toBe('killed order');
    });

    it('is killed itself when it is frozen and cannot obey', async () => {
      const run = await start('echo up >"$OUT/up"; exec sleep 1000', 'never');
      await control.go();
      await until('the program is up', () => existsSync(out('up')));
      const guards = (await processes()).filter(({ name, pid }) => name === 'sh' && pid !== process.pid);
      const ours = await guardsOf(
        guards.map(({ pid }) => pid),
        control.script,
      );
      for (const pid of ours) process.kill(pid, 'SIGSTOP');
      await run.kill();
      expect(await run.gone).not.toBe('');
      expect(await sleepersBelow(directory)).toEqual([]);
    });

    it('says who has files open below a directory', async () => {
      await start('exec 3>"$OUT/held"; echo up >"$OUT/up"; while :; do sleep 0.05; done', 'never');
      await control.go();
      await until('the program is up', () => existsSync(out('up')));
      expect(await holdersOf(join(directory, 'held'))).not.toEqual([]);
      expect(await holdersOf(join(directory, 'other'))).toEqual([]);
    });

    it.each(['SIGKILL', 'SIGSTOP'] as const)(
      'outlives an executor that gets %s until the deadline, and then kills',
      async (signal) => {
        control = await createControlDirectory(directory, { deadline: seconds() + 3, writableByAll: false });
        const executor = spawnExecutor(directory, control.script, ownNamespace);
        await control.go();
        await until('the program beats', () => existsSync(out('beat')));
        executor.kill(signal);
        if (signal === 'SIGKILL') await once(executor, 'exit');
        const atFirst = await readFile(out('beat'), 'utf8');
        await until(
          'it goes on without the executor',
          async () => (await readFile(out('beat'), 'utf8')) !== atFirst,
        );
        await until(
          'the guard keeps the deadline',
          async () => (await control.state()) === 'killed deadline',
        );
        const left = async () => (await sleepersBelow(directory)).filter((pid) => pid !== executor.pid);
        await until('all is gone', async () => (await left()).length === 0);
        executor.kill('SIGKILL');
      },
    );
  });

describe('the guard, case by case as the simulation has it', () => {
  let directory: string;
  let guard: ChildProcess | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'guard-'));
  });
  afterEach(async () => {
    if (guard?.pid !== undefined && guard.exitCode === null && guard.signalCode === null) {
      process.kill(-guard.pid, 'SIGKILL');
      await once(guard, 'exit');
    }
    guard = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  const put = async (control: ControlDirectory, { deadline, put: files, childEnds }: GuardMoment) => {
    const place = join(control.path, 'deadline');
    if (deadline === 'none') await rm(place, { force: true });
    else if (deadline === 'ahead') await control.extend(seconds() + 60);
    else if (deadline === 'passed') await control.extend(seconds() - 60);
    else if (deadline !== undefined) await writeFile(place, `${deadline}\n`);
    // An order to kill comes with the go, never after it.
    if (files?.includes('kill') === true) await control.kill();
    if (files?.includes('go') === true) await control.go();
    if (files?.includes('stop') === true) await control.stop();
    if (childEnds === true) await writeFile(join(directory, 'end'), '');
  };
  /** SIGTERM: 7. By itself: 3. It says when it is ready for either. */
  const PROGRAM = 'trap "exit 7" TERM; echo >"$OUT/up"; until [ -e "$OUT/end" ]; do sleep 0.02; done; exit 3';

  it.each(GUARD_CASES)('$name', async ({ moments }) => {
    const control = await createControlDirectory(directory, { deadline: 'never', writableByAll: false });
    const said: (string | undefined)[] = [];
    for (const moment of moments) {
      await put(control, moment);
      guard ??= spawn('/bin/sh', [control.script, 'sh', '-c', PROGRAM], {
        env: { PATH: process.env.PATH ?? '', OUT: directory, CONTROL: control.path },
        stdio: 'ignore',
        detached: true,
      });
      await until(`says ${moment.says}`, async () => {
        return (
          (await control.state()) === moment.says &&
          (moment.says !== 'running' || existsSync(join(directory, 'up')))
        );
      });
      // It stays so: two looks later it says the same.
      await delay(450);
      said.push(await control.state());
    }
    expect(said).toEqual(moments.map(({ says }) => says));
  });
});

/** A stand-in for the executor: a process whose child the guard is. */
function spawnExecutor(directory: string, script: string, ownNamespace: boolean): ChildProcess {
  const program =
    'i=0; while :; do i=$((i+1)); echo $i >"$OUT/beat.new"; mv "$OUT/beat.new" "$OUT/beat"; sleep 0.05; done';
  const unshare = [
    'unshare',
    '--pid',
    '--fork',
    '--mount-proc',
    '--kill-child=SIGKILL',
    '--propagation',
    'slave',
    '--',
  ];
  const argv = [...(ownNamespace ? unshare : []), '/bin/sh', script, 'sh', '-c', program];
  const code = `require('node:child_process').spawn(${JSON.stringify(argv[0])}, ${JSON.stringify(argv.slice(1))}, { detached: true, stdio: 'ignore' }); setInterval(() => {}, 1000)`;
  return spawn(process.execPath, ['-e', code], {
    env: { PATH: process.env.PATH ?? '', OUT: directory, CONTROL: join(directory, 'guard', 'control') },
    stdio: 'ignore',
  });
}

/** Every live process that carries the test's directory in its environment. */
async function sleepersBelow(directory: string): Promise<readonly number[]> {
  const left = await survivorsOf({ session: -1, token: `OUT=${directory}` });
  return left.map(({ pid }) => pid);
}

async function guardsOf(pids: readonly number[], script: string): Promise<readonly number[]> {
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => lines[index]?.startsWith(`/bin/sh\0${script}`));
}
