import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Settings } from './fields.ts';
import { namedFiles } from './named-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'named-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(contents: Readonly<Record<string, string>>) {
  const settings: Record<string, string> = {};
  for (const [name, text] of Object.entries(contents)) {
    settings[name] = join(folder, name);
    await writeFile(join(folder, name), text);
  }
  return namedFiles(settings as unknown as Settings);
}

describe('how the scheduler asks Elasticsearch', () => {
  it('is without credentials and over HTTP unless files say otherwise', async () => {
    expect((await read({})).files.elasticsearchAccess).toEqual({});
    const pem = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';
    const found = await read({
      elasticsearchCredentialsFile: 'scheduler:pass: word\n',
      elasticsearchCaFile: pem,
    });
    expect(found.faults).toEqual([]);
    expect(found.files.elasticsearchAccess).toEqual({ credentials: 'scheduler:pass: word', ca: pem });
  });

  it.each(['', 'scheduler', 'scheduler:', ':secret', 'scheduler:secret\nanother:secret\n'])(
    'is refused for %j, which is not repeated',
    async (text) => {
      const { faults } = await read({ elasticsearchCredentialsFile: text });
      expect(faults).toEqual([
        { name: 'elasticsearchCredentialsFile', message: 'wanted one line user:password, both not empty' },
      ]);
      expect(JSON.stringify(faults)).not.toContain('secret');
    },
  );

  it('is refused without a certificate, and without a file', async () => {
    expect((await read({ elasticsearchCaFile: 'a key' })).faults).toMatchObject([
      { name: 'elasticsearchCaFile' },
    ]);
    const missing = { elasticsearchCredentialsFile: join(folder, 'none') } as unknown as Settings;
    expect((await namedFiles(missing)).faults).toMatchObject([{ name: 'elasticsearchCredentialsFile' }]);
  });
});
