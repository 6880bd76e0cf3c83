/** The embedded cluster's processes as one file, for tests that start them before the whole program is built. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** As in scripts/build.mjs: what CommonJS dependencies call and name, an ES module does not have. */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';import{fileURLToPath as __toPath}from'node:url';import{dirname as __toDirectory}from'node:path';" +
  'const require=__createRequire(import.meta.url),__filename=__toPath(import.meta.url),__dirname=__toDirectory(__filename);';

/** Bundles one entry for Node. Resolves with the bundle's path, below a fresh folder of the system's temp. */
export async function bundleForNode(entry: string, name: string): Promise<string> {
  const outfile = join(await mkdtemp(join(tmpdir(), 'mesos-elasticsearch-')), name);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    banner: { js: BANNER },
    logLevel: 'warning',
  });
  return outfile;
}

/** argv to put before `master`, `agent`…: what `program` of an embedded cluster wants. */
export async function bundleLocalProgram(): Promise<string[]> {
  const entry = fileURLToPath(new URL('./process-main.ts', import.meta.url));
  return [process.execPath, await bundleForNode(entry, 'local.mjs')];
}

/** The scripted executor as one file. Resolves with its path. */
export async function bundleScriptedExecutor(): Promise<string> {
  return bundleForNode(
    fileURLToPath(new URL('./scripted-executor-main.ts', import.meta.url)),
    'executor.mjs',
  );
}
