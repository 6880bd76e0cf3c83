/** The single-file programs of this project, as `npm run build` lays them out. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Bundles {
  readonly command: string;
  readonly executor: string;
  readonly dvdcli: string;
  readonly hostdir: string;
}

/** @param url of the command's own bundle, packages/cli/dist/mesos-elasticsearch.mjs */
export function bundlesBeside(url: string): Bundles {
  const command = fileURLToPath(url);
  const packages = join(dirname(command), '..', '..');
  return {
    command,
    executor: join(packages, 'executor', 'dist', 'executor.mjs'),
    dvdcli: join(packages, 'dvdcli-bridge', 'dist', 'dvdcli.mjs'),
    hostdir: join(packages, 'dvdcli-bridge', 'dist', 'hostdir.mjs'),
  };
}
