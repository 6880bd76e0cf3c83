import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { copyProgram } from './root-file-system.ts';

/** Where it keeps its volumes, inside; the host sees it below the Engine's data root. */
const VOLUMES = '/mnt/volumes';

/**
 * Makes hostdir a plugin that the Engine itself manages, and enables it: in a container of its own, whose paths are
 * not the host's.
 * @param options.program the bundled `hostdir` program
 */
export async function installManagedHostdir(options: {
  engineSocket: string;
  directory: string;
  program: string;
  name: string;
}): Promise<void> {
  const root = join(options.directory, 'rootfs');
  await copyProgram(root, process.execPath, '/bin/node');
  await copyFile(options.program, join(root, 'hostdir.mjs'));
  for (const path of [VOLUMES, '/run/docker/plugins', '/tmp'])
    await mkdir(join(root, path), { recursive: true });
  const config = {
    description: 'hostdir for tests',
    documentation: '',
    entrypoint: [
      ...['/bin/node', '/hostdir.mjs', '--store', VOLUMES, '--instance', 'managed'],
      ...['--plugin-directory', '/run/docker/plugins'],
    ],
    workdir: '/',
    network: { type: 'host' },
    interface: { types: ['docker.volumedriver/1.0'], socket: 'hostdir.sock' },
    linux: { capabilities: ['CAP_SYS_ADMIN'], devices: [], allowAllDevices: false },
    propagatedMount: VOLUMES,
  };
  await writeFile(join(options.directory, 'config.json'), JSON.stringify(config));
  const docker = (...words: string[]) =>
    execa('docker', ['-H', `unix://${options.engineSocket}`, 'plugin', ...words]);
  await docker('create', options.name, options.directory);
  await docker('enable', options.name);
}
