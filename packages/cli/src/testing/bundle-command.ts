/** The command as one file, for tests that start it as a process before the whole project is built. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** As in scripts/build.mjs. */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';import{fileURLToPath as __toPath}from'node:url';" +
  "import{dirname as __toDirectory}from'node:path';const require=__createRequire(import.meta.url)," +
  '__filename=__toPath(import.meta.url),__dirname=__toDirectory(__filename);';

export async function bundleCommand(directory: string): Promise<string> {
  const outfile = join(directory, 'mesos-elasticsearch.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../main.ts', import.meta.url))],
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
