import { z } from 'zod';
import { volumeName } from './node-id.ts';

/**
 * A Docker volume plugin's name: a short one (`rexray`) or a managed plugin's, with slashes and a tag
 * (`vieux/sshfs:latest`). The allow-list keeps it from walking out of the plugin directories.
 */
const DRIVER_NAME =
  /^[A-Za-z0-9][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9][A-Za-z0-9_.-]*)*(?::[A-Za-z0-9][A-Za-z0-9_.-]*)?$/;

export const driverNameSchema = z
  .string()
  .max(255)
  .regex(
    DRIVER_NAME,
    'a volume driver name has letters, digits, "_", "." and "-", parts joined by "/", and one ":tag" at most',
  )
  .refine((name) => !name.includes('..'), 'a volume driver name has no ".."');

/** One external volume as scheduler and executor speak of it. Options are strings, as drivers want them. */
export const volumeSpecSchema = z.strictObject({
  name: z.string().transform((text, context) => {
    try {
      return volumeName(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  }),
  driver: driverNameSchema,
  options: z.record(z.string(), z.string()),
});
export type VolumeSpec = z.infer<typeof volumeSpecSchema>;

/**
 * The grammar of mesos-module-dvdi's DVDI_VOLUME_OPTS and of `--externalVolumeOptions`: `k=v,k=v`, cut at
 * commas, then at the first `=`; empty pieces are dropped.
 * @throws TypeError for a piece without `=`, an empty key or a key given twice.
 */
export function parseVolumeOptions(text: string): Record<string, string> {
  const options = new Map<string, string>();
  for (const piece of text.split(',')) {
    if (piece.trim() === '') continue;
    const cut = piece.indexOf('=');
    const key = cut < 0 ? '' : piece.slice(0, cut).trim();
    if (key === '')
      throw new TypeError(`volume option ${JSON.stringify(piece)} is not of the form key=value`);
    if (options.has(key)) throw new TypeError(`volume option ${JSON.stringify(key)} is given twice`);
    options.set(key, piece.slice(cut + 1));
  }
  // As entries, so that a key like __proto__ is a key like any other.
  return Object.fromEntries(options);
}
