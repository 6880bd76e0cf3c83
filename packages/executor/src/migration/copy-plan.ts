/** What executor and copier tell each other: a plan on the way down, the status file on the way up. */
import { MARKER_FILE, COPY_MARKER_FILE, migrationReportSchema } from '@mesos-elasticsearch/contract';
import { z } from 'zod';

const planVolumeSchema = z.strictObject({
  role: z.enum(['config', 'data']),
  /** Mountpoints of the old volume and of the new one. */
  source: z.string(),
  target: z.string(),
  /** Where the new one is read back: its mountpoint, or that of its view. */
  readBack: z.string(),
  /** What both are called in messages. */
  sourceText: z.string(),
  targetText: z.string(),
  /**
   * The driver writes back: what is not there yet is waited for, as long as anything arrives within so many
   * milliseconds. 0: what is not there now is missing.
   */
  arrivesWithinMs: z.number().int().nonnegative(),
});
export type PlanVolume = z.infer<typeof planVolumeSchema>;

export const copyPlanSchema = z.strictObject({
  work: z.enum(['copy', 'verify']),
  volumes: z.array(planVolumeSchema),
  /** Written whole, again and again. */
  statusFile: z.string(),
});
export type CopyPlan = z.infer<typeof copyPlanSchema>;

export const copyStatusSchema = z.object({
  volumes: migrationReportSchema.shape.volumes,
  /** Absent: at work, or ended in the middle of it. */
  end: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('done') }),
      z.object({ kind: z.literal('failed'), why: z.string() }),
    ])
    .optional(),
});
export type CopyStatus = z.infer<typeof copyStatusSchema>;

/** The first argument by which the executor's bundle becomes a copier; the second names the file of the plan. */
export const COPIER_ARGUMENT = 'copy-volumes';

/** In a volume's root, and no part of what is copied: what mkfs and we have made. */
export const NOT_COPIED: ReadonlySet<string> = new Set([
  'lost+found',
  '.mesos-elasticsearch-probe',
  ...[MARKER_FILE, COPY_MARKER_FILE].flatMap((name) => [name, `${name}.new`]),
]);

/** Why a copy or its verification cannot be; in words for the operator. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
}
