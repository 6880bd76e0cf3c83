/** Programs as one file each, for tests that start them as processes before the whole project is built. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const BANNER =
  "import{createRequire as __createRequire}from'node:module';import{fileURLToPath as __toPath}from'node:url';" +
  "import{dirname as __toDirectory}from'node:path';const require=__createRequire(import.meta.url)," +
  '__filename=__toPath(import.meta.url),__dirname=__toDirectory(__filename);';

async function bundle(entry: string, name: string): Promise<string> {
  const outfile = join(await mkdtemp(join(tmpdir(), 'mesos-elasticsearch-')), name);
  await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    banner: { js: BANNER },
    loader: { '.sh': 'text', '.node': 'empty', '.proto': 'text' },
    external: ['cpu-features'],
    logLevel: 'warning',
  });
  return outfile;
}

export function bundleExecutor(): Promise<string> {
  return bundle('../main.ts', 'executor.mjs');
}

export function bundleHostdir(): Promise<string> {
  return bundle('../../../dvdcli-bridge/src/hostdir/main.ts', 'hostdir.mjs');
}
