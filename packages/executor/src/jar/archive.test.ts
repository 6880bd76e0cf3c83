import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpack, verifySha256, withoutTopFolder } from './archive.ts';

describe('a distribution’s archive', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'archive-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('is refused when it is not the one that was promised', async () => {
    const file = join(root, 'a.zip');
    await writeFile(file, 'bytes');
    const right = createHash('sha256').update('bytes').digest('hex');
    await expect(verifySha256(file, right)).resolves.toBeUndefined();
    await expect(verifySha256(file, '0'.repeat(64))).rejects.toThrow(
      `has the SHA-256 ${right}, expected 000`,
    );
    await expect(verifySha256(join(root, 'none'), right)).rejects.toThrow('cannot be read');
  });

  it('is unpacked without its top folder, execute bits kept', async () => {
    await mkdir(join(root, 'es-1/bin'), { recursive: true });
    await writeFile(join(root, 'es-1/bin/elasticsearch'), '#!/bin/sh\n', { mode: 0o755 });
    await create({ cwd: root, file: join(root, 'es.tar.gz'), gzip: true }, ['es-1']);
    await unpack(join(root, 'es.tar.gz'), join(root, 'home'));
    expect((await stat(join(root, 'home/bin/elasticsearch'))).mode & 0o111).toBe(0o111);
    expect(await readFile(join(root, 'home/bin/elasticsearch'), 'utf8')).toBe('#!/bin/sh\n');
  });

  it('must be of a known kind', async () => {
    await expect(unpack(join(root, 'es.rar'), join(root, 'home'))).rejects.toThrow(
      'neither .zip nor .tar.gz',
    );
  });

  it.each(['../../etc/passwd', 'es-1/../../x', '/etc/passwd', 'es-1\\..\\x', 'es-1/a\0b'])(
    'cannot leave its folder by %j',
    (name) => {
      expect(() => withoutTopFolder(name)).toThrow('leaves its folder');
    },
  );

  it.each([
    ['es-1/bin/x', 'bin/x'],
    ['./es-1/lib/a.jar', 'lib/a.jar'],
    ['es-1/', undefined],
  ])('%s becomes %s', (name, inside) => expect(withoutTopFolder(name)).toBe(inside));
});
