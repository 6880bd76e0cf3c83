/** A copier as the executor sees it: a process under the guard, as Elasticsearch is, and ended by it as that is. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  NODE_MARK_VARIABLE,
  nodeMark,
  type LaunchSpec,
  type MigrationReport,
} from '@mesos-elasticsearch/contract';
import type { CopyEnd } from '../core/events.ts';
import { createControlDirectory, type GuardDeadline } from '../guard/control-directory.ts';
import { startGuarded } from '../jar/guarded-process.ts';
import { COPIER_ARGUMENT, copyStatusSchema, type CopyPlan, type CopyStatus } from './copy-plan.ts';

export interface Copier {
  extend(deadline: GuardDeadline): Promise<void>;
  kill(): Promise<void>;
  /** How far it is; empty before it has said anything. */
  progress(): Promise<MigrationReport['volumes']>;
  /** Resolves when not one process of it is left. `copy` is absent where it was ended before it could say. Never rejects. */
  readonly gone: Promise<{ readonly how: string; readonly copy?: CopyEnd }>;
}

export interface CopierOptions {
  readonly sandbox: string;
  /** argv that starts this very program again. */
  readonly program: readonly string[];
  /** Cleared of everything that children must not see. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ownNamespace: boolean;
  readonly spec: LaunchSpec;
  readonly plan: Omit<CopyPlan, 'statusFile'>;
  readonly deadline: GuardDeadline;
}

/** libuv has four threads of its own accord, and each fsync keeps one waiting. */
const THREADS = '12';

/** @throws SetupError when the guard does not come up; nothing runs then. */
export async function startCopier(options: CopierOptions): Promise<Copier> {
  const { plan, deadline, environment } = options;
  const directory = join(options.sandbox, 'migration', plan.work);
  await mkdir(directory, { recursive: true });
  const statusFile = join(directory, 'status.json');
  const planFile = join(directory, 'plan.json');
  await writeFile(planFile, JSON.stringify({ ...plan, statusFile } satisfies CopyPlan));
  const control = await createControlDirectory(directory, { deadline, writableByAll: false });
  const guarded = await startGuarded({
    control,
    argv: [...options.program, COPIER_ARGUMENT, planFile],
    environment: {
      ...environment,
      [NODE_MARK_VARIABLE]: nodeMark(options.spec),
      UV_THREADPOOL_SIZE: THREADS,
    },
    ownNamespace: options.ownNamespace,
    workDirectory: directory,
    consoleFile: join(directory, 'console.log'),
  });
  await control.go();
  return {
    extend: (value) => control.extend(value),
    kill: () => guarded.kill(),
    progress: async () => (await readStatus(statusFile))?.volumes ?? [],
    gone: guarded.gone.then(async (how) => {
      const status = await readStatus(statusFile);
      if (!status?.end) return { how };
      const { end, volumes } = status;
      return { how, copy: end.kind === 'done' ? { ...end, volumes } : end };
    }),
  };
}

/** Undefined before the first one, and for one that cannot be read: it says nothing, and so nothing is done. */
async function readStatus(file: string): Promise<CopyStatus | undefined> {
  try {
    return copyStatusSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
