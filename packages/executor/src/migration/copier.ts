/** The process that copies or verifies, under the guard: reads a plan, tells how far it is, and ends. */
import { readFile } from 'node:fs/promises';
import { CopyError, copyPlanSchema } from './copy-plan.ts';
import { copyVolume, measureVolume } from './copy-volume.ts';
import { Progress } from './progress.ts';
import { verifyVolume } from './verify-volume.ts';

/** @returns the exit code; 0: all of it is done */
export async function runCopier(planFile: string): Promise<number> {
  const plan = copyPlanSchema.parse(JSON.parse(await readFile(planFile, 'utf8')));
  const progress = new Progress(plan.statusFile);
  try {
    for (const volume of plan.volumes) await measureVolume(volume, progress.volume(volume.role));
    for (const volume of plan.volumes) {
      const its = progress.volume(volume.role);
      if (plan.work === 'copy') {
        await copyVolume(volume, its);
      } else {
        its.bytesCopied = its.bytesTotal;
        await verifyVolume(volume, its);
      }
    }
  } catch (error) {
    if (!(error instanceof CopyError)) process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
    await progress.end({ kind: 'failed', why: (error as Error).message });
    return 1;
  }
  await progress.end({ kind: 'done' });
  return 0;
}
