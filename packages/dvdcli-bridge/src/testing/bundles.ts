import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the package's programs into `directory`, as an agent gets them. */
export async function buildPrograms(
  directory: string,
): Promise<{ hostdir: string; dvdcli: string; originalDvdcli: string }> {
  const source = join(fileURLToPath(import.meta.url), '..', '..');
  const bundle = async (entry: string, name: string): Promise<string> => {
    const outfile = join(directory, name);
    await build({
      entryPoints: [join(source, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      banner: { js: '#!/usr/bin/env node' },
      logLevel: 'warning',
    });
    await chmod(outfile, 0o755);
    return outfile;
  };
  const [hostdir, dvdcli, originalDvdcli] = await Promise.all([
    bundle('hostdir/main.ts', 'hostdir.mjs'),
    bundle('dvdcli-command/main.ts', 'dvdcli.mjs'),
    bundle('testing/original-dvdcli.ts', 'original-dvdcli.mjs'),
  ]);
  return { hostdir, dvdcli, originalDvdcli };
}
