/** Unpacks an archive of Elasticsearch without its top directory, readable by every user. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { openPromise } from 'yauzl';

/** @throws Error for an archive that is torn, or that would write outside of `directory`. */
export async function unpack(archive: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  if (archive.endsWith('.zip')) await unpackZip(archive, directory);
  else await extract({ file: archive, cwd: directory, strip: 1, umask: 0o022, strict: true });
}

async function unpackZip(archive: string, directory: string): Promise<void> {
  const zip = await openPromise(archive, { strictFileNames: true });
  try {
    for await (const entry of zip.eachEntry()) {
      const path = entry.fileName.split('/').slice(1).join('/');
      if (path === '') continue;
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true, mode: 0o755 });
      if (path.endsWith('/')) {
        await mkdir(target, { recursive: true, mode: 0o755 });
        continue;
      }
      const executable = ((entry.externalFileAttributes >>> 16) & 0o111) !== 0;
      const mode = executable ? 0o755 : 0o644;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { mode }));
    }
  } finally {
    zip.close();
  }
}
