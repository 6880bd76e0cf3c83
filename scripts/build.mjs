#!/usr/bin/env node
// Bundles every executable into one file each, so that an agent needs Node and nothing else.
import { chmod, mkdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** entry → bundle; the entry is the process's own main, it reads argv and environment by itself */
const EXECUTABLES = {
  'packages/cli/src/main.ts': 'packages/cli/dist/mesos-elasticsearch.mjs',
  'packages/executor/src/main.ts': 'packages/executor/dist/executor.mjs',
  'packages/dvdcli-bridge/src/dvdcli-command/main.ts': 'packages/dvdcli-bridge/dist/dvdcli.mjs',
  'packages/dvdcli-bridge/src/hostdir/main.ts': 'packages/dvdcli-bridge/dist/hostdir.mjs',
  'packages/dvdcli-bridge/src/conformance/main.ts': 'packages/dvdcli-bridge/dist/volume-conformance.mjs',
};

/** CommonJS dependencies inside an ES module bundle still call require and name __dirname (ssh2 does, below dockerode). */
const banner =
  "import{createRequire as __createRequire}from'node:module';import{fileURLToPath as __toPath}from'node:url';import{dirname as __toDirectory}from'node:path';" +
  'const require=__createRequire(import.meta.url),__filename=__toPath(import.meta.url),__dirname=__toDirectory(__filename);';

/**
 * Starts once per mount, so it is small and loads nothing that it does not use; all it holds is ES modules. It takes the
 * place of another program, under whatever name and wherever that one was: so it is a module and a script alike.
 * Taken for the wrong one of the two it would do nothing, with exit code 0.
 */
const LEAN = ['packages/dvdcli-bridge/dist/dvdcli.mjs'];

/** Without `import` and `require`. */
const builtInModules = {
  name: 'built-in-modules',
  setup(bundle) {
    bundle.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'built-in' }));
    bundle.onLoad({ filter: /^/, namespace: 'built-in' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

for (const [entry, outfile] of Object.entries(EXECUTABLES)) {
  const source = join(root, entry);
  if (!existsSync(source)) continue;
  const target = join(root, outfile);
  await rm(target, { force: true });
  await mkdir(dirname(target), { recursive: true });
  const isLean = LEAN.includes(outfile);
  await build({
    entryPoints: [source],
    outfile: target,
    bundle: true,
    platform: 'node',
    format: isLean ? 'iife' : 'esm',
    plugins: isLean ? [builtInModules] : [],
    target: 'node20.19',
    banner: { js: isLean ? '#!/usr/bin/env node' : `#!/usr/bin/env node\n${banner}` },
    minify: isLean,
    loader: { '.sh': 'text', '.node': 'empty', '.proto': 'text' },
    external: ['cpu-features'],
    logLevel: 'warning',
  });
  await chmod(target, 0o755);
}
