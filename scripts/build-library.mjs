#!/usr/bin/env node
// Lays packages/dvdcli-bridge out as others can install it: one bundle, its types, the programs, README and licence.
//   node scripts/build-library.mjs [--out DIR] [--library-only]
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bridge = join(root, 'packages/dvdcli-bridge');
const { values } = parseArgs({
  options: { out: { type: 'string' }, 'library-only': { type: 'boolean', default: false } },
});
const out = values.out ?? join(bridge, 'dist/library');
const types = join(out, 'types');
/** Of packages/dvdcli-bridge/dist, as `npm run build` makes them. */
const PROGRAMS = values['library-only'] ? [] : ['dvdcli', 'volume-conformance', 'hostdir'];
/** Left to the installer: they are large, or shared with the caller. */
const EXTERNAL = ['dockerode', 'execa', 'zod'];

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  entryPoints: [join(bridge, 'src/index.ts')],
  outfile: join(out, 'index.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  external: EXTERNAL,
  logLevel: 'warning',
});
await writeTypes();
for (const program of PROGRAMS) await cp(join(bridge, `dist/${program}.mjs`), join(out, `${program}.mjs`));
await cp(join(bridge, 'README.md'), join(out, 'README.md'));
await cp(join(root, 'LICENSE'), join(out, 'LICENSE'));
await writeFile(join(out, 'package.json'), `${JSON.stringify(await manifest(), undefined, 2)}\n`);

/** Declarations as tsc emits them, with endings and packages as they are found outside of this repository. */
async function writeTypes() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const project = join(bridge, 'tsconfig.library.json');
  await promisify(execFile)(process.execPath, [tsc, '-p', project, '--outDir', types]);
  for (const entry of await readdir(types, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const contract = relative(entry.parentPath, join(types, 'contract/src/index.js'));
    const text = (await readFile(path, 'utf8'))
      .replace(/(from '|import\(")(\.[^'"]*)\.ts(['"])/g, '$1$2.js$3')
      .replaceAll(
        "'@mesos-elasticsearch/contract'",
        `'${contract.startsWith('.') ? contract : `./${contract}`}'`,
      );
    await writeFile(path, text);
  }
}

async function manifest() {
  const read = async (path) => JSON.parse(await readFile(join(root, path), 'utf8'));
  const [own, contract, top] = await Promise.all([
    read('packages/dvdcli-bridge/package.json'),
    read('packages/contract/package.json'),
    read('package.json'),
  ]);
  const { name, version, description, license, type, engines } = own;
  return {
    ...{ name, version, description, license, type, engines },
    exports: { '.': { types: './types/dvdcli-bridge/src/index.d.ts', default: './index.mjs' } },
    bin: Object.fromEntries(PROGRAMS.map((program) => [program, `./${program}.mjs`])),
    dependencies: {
      '@types/dockerode': top.devDependencies['@types/dockerode'],
      dockerode: own.dependencies.dockerode,
      execa: own.dependencies.execa,
      zod: contract.dependencies.zod,
    },
  };
}
