import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { create } from 'tar';
import { acquireElasticsearch, type FetchArchive, type Wanted } from './distribution.ts';

/** bin/elasticsearch (executable) and lib/elasticsearch-8.19.5.jar (0600), empty, below one top directory. */
const ZIP =
  'UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAVAAAAZWxhc3RpY3NlYXJjaC04LjE5LjUvUEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAA' +
  'AAAmAAAAZWxhc3RpY3NlYXJjaC04LjE5LjUvYmluL2VsYXN0aWNzZWFyY2hQSwMEFAAAAAAAAAAhAAAAAAAAAAAAAAAAADEAAABl' +
  'bGFzdGljc2VhcmNoLTguMTkuNS9saWIvZWxhc3RpY3NlYXJjaC04LjE5LjUuamFyUEsBAhQDFAAAAAAAAAAhAAAAAAAAAAAAAAAA' +
  'ABUAAAAAAAAAAAAAAO1BAAAAAGVsYXN0aWNzZWFyY2gtOC4xOS41L1BLAQIUAxQAAAAAAAAAIQAAAAAAAAAAAAAAAAAmAAAAAAAA' +
  'AAAAAADtgTMAAABlbGFzdGljc2VhcmNoLTguMTkuNS9iaW4vZWxhc3RpY3NlYXJjaFBLAQIUAxQAAAAAAAAAIQAAAAAAAAAAAAAA' +
  'AAAxAAAAAAAAAAAAAACAgXcAAABlbGFzdGljc2VhcmNoLTguMTkuNS9saWIvZWxhc3RpY3NlYXJjaC04LjE5LjUuamFyUEsFBgAA' +
  'AAADAAMA9gAAAMYAAAAAAA==';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'distribution-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

async function makeHome(directory: string, version: string): Promise<string> {
  await mkdir(join(directory, 'bin'), { recursive: true });
  await mkdir(join(directory, 'lib'), { recursive: true });
  await writeFile(join(directory, 'bin', 'elasticsearch'), '#!/bin/sh\n', { mode: 0o700 });
  await writeFile(join(directory, 'lib', `elasticsearch-${version}.jar`), '', { mode: 0o600 });
  return directory;
}
const archiveOf =
  (held: string): FetchArchive =>
  async (_version, directory) => {
    await makeHome(join(directory, `elasticsearch-${held}`), held);
    const file = join(directory, 'elasticsearch.tar.gz');
    await create({ file, cwd: directory, gzip: true }, [`elasticsearch-${held}`]);
    return file;
  };
const closed: FetchArchive = () => Promise.reject(new Error('nobody answers'));

function wanted(ways: Wanted['ways'], installed?: string): Wanted {
  const cache = join(scratch, 'cache');
  return { version: '8.19.5', cache, installed, tell: () => undefined, ...(ways && { ways }) };
}

describe('Elasticsearch for this machine', () => {
  it('is what is installed, before all others', async () => {
    const home = await makeHome(join(scratch, 'installed'), '8.19.5');
    const found = await acquireElasticsearch(wanted([['Maven', closed]], home));
    expect(found).toEqual({ home, version: '8.19.5', source: 'ELASTICSEARCH_HOME' });
  });

  it('is refused where what is installed is another version, or nothing', async () => {
    const home = await makeHome(join(scratch, 'installed'), '7.17.29');
    await expect(acquireElasticsearch(wanted([], home))).rejects.toThrow(/is version 7.17.29, wanted 8.19.5/);
    await expect(acquireElasticsearch(wanted([], scratch))).rejects.toThrow(/holds no Elasticsearch/);
  });

  it('is fetched once, and found in the cache from then on', async () => {
    const first = await acquireElasticsearch(wanted([['Maven', archiveOf('8.19.5')]]));
    const second = await acquireElasticsearch(wanted([['Maven', closed]]));
    expect([first.source, second.source]).toEqual(['Maven', 'cache']);
    expect(second.home).toBe(first.home);
    expect(await readdir(join(scratch, 'cache'))).toEqual(['elasticsearch-8.19.5']);
  });

  it('can be read by every user', async () => {
    const { home } = await acquireElasticsearch(wanted([['Maven', archiveOf('8.19.5')]]));
    const modes = await Promise.all(
      [home, join(home, 'bin')].map(async (path) => (await stat(path)).mode & 0o005),
    );
    expect(modes).toEqual([0o005, 0o005]);
  });

  it('comes from the vendor where Maven cannot give it', async () => {
    const ways: Wanted['ways'] = [
      ['Maven', closed],
      ['vendor', archiveOf('8.19.5')],
    ];
    expect((await acquireElasticsearch(wanted(ways))).source).toBe('vendor');
  });

  it('is refused, with every reason, where no way leads to it; nothing stays in the cache', async () => {
    const ways: Wanted['ways'] = [
      ['Maven', closed],
      ['vendor', archiveOf('7.17.29')],
    ];
    await expect(acquireElasticsearch(wanted(ways))).rejects.toThrow(
      /Maven: nobody answers\n.*vendor: the archive holds version 7.17.29, not 8.19.5/,
    );
    expect(await readdir(join(scratch, 'cache'))).toEqual([]);
  });

  it('unpacks a zip with its executables', async () => {
    const zipped: FetchArchive = async (_version, directory) => {
      const file = join(directory, 'elasticsearch.zip');
      await writeFile(file, Buffer.from(ZIP, 'base64'));
      return file;
    };
    const { home } = await acquireElasticsearch(wanted([['Maven', zipped]]));
    expect((await stat(join(home, 'bin', 'elasticsearch'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(home, 'lib', 'elasticsearch-8.19.5.jar'))).mode & 0o777).toBe(0o644);
  });
});
