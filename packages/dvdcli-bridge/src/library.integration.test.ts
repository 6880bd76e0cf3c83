/** The package as others install it: the README's example runs against a real driver, and its types are found. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHostdirPlugin, type RunningPlugin } from './hostdir/start.ts';
import { buildPrograms } from './testing/bundles.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'library-'));
const store = join(home, 'store');
let plugin: RunningPlugin;

beforeAll(async () => {
  const modules = join(home, 'node_modules');
  const out = join(modules, '@mesos-elasticsearch/dvdcli-bridge');
  await execa(process.execPath, [join(root, 'scripts/build-library.mjs'), '--library-only', '--out', out]);
  const { dependencies } = JSON.parse(readFileSync(join(out, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  const { hostdir } = await buildPrograms(home);
  const pluginDirectory = join(home, 'plugins');
  plugin = await startHostdirPlugin({ program: hostdir, store, instance: 'here', pluginDirectory });
});
afterAll(async () => {
  await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('the package as it is installed', () => {
  it('runs the example of its README', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const example = /```js\n([^]*?)```/.exec(readme)?.[1] ?? '';
    writeFileSync(join(home, 'example.mjs'), example);
    const { stdout } = await execa(process.execPath, ['example.mjs'], {
      cwd: home,
      env: { VOLUME_PLUGIN_DIRECTORIES: join(home, 'plugins') },
    });
    expect(stdout).toBe(`example is at ${store}/volumes/example/data`);
    expect(readdirSync(join(store, 'volumes'))).toEqual([]);
  });

  it('has types that a strict compiler accepts, and that refuse what is wrong', async () => {
    const use = (name: string) => `
      import { pluginSocketVolumes, volumeName, type ConsumerId, type Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
      const volumes: Volumes = pluginSocketVolumes({ timeLimits: { mountMs: 1000 } });
      const outcome = await volumes.attach({ driver: 'hostdir', name: ${name} }, 'task' as ConsumerId);
      export const path: string = outcome.kind === 'done' && outcome.value.kind === 'host-path' ? outcome.value.hostPath : '';
    `;
    writeFileSync(join(home, 'fine.mts'), use("volumeName('example')"));
    writeFileSync(join(home, 'wrong.mts'), use('7'));
    const compile = (file: string) =>
      execa(
        process.execPath,
        [
          join(root, 'node_modules/typescript/bin/tsc'),
          ...['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', file],
        ],
        { cwd: home, reject: false },
      );
    const [fine, wrong] = await Promise.all([compile('fine.mts'), compile('wrong.mts')]);
    expect(fine.stdout).toBe('');
    expect(wrong.stdout).toMatch(/^wrong\.mts\(4,.*error TS2322/m);
  });
});
