import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create as createTar } from 'tar';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CommandUri } from '@mesos-elasticsearch/mesos-v1';
import { closeServer, listen } from '../http/listen.ts';
import { zipArchive } from '../testing/zip.ts';
import type { ZipEntry } from '../testing/zip.ts';
import { FetchError, fetchUris } from './fetcher.ts';

const ZIP: readonly ZipEntry[] = [
  { name: 'bin/', text: '', mode: 0o755 },
  { name: 'bin/run', text: '#!/bin/sh\n', mode: 0o755 },
  { name: 'deep/er/note', text: 'plain', mode: 0 },
];

const served = new Map<string, Buffer>([
  ['/tool', Buffer.from('#!/bin/sh\necho tool\n')],
  ['/parts.zip', zipArchive(ZIP)],
  ['/evil.zip', zipArchive([{ name: '../outside', text: 'x', mode: 0o644 }])],
]);
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  const body = served.get((request.url ?? '').split('?')[0] ?? '');
  response.writeHead(body === undefined ? 404 : 200).end(body);
});

let folder: string;
let base: string;
let sandbox: string;
beforeAll(async () => {
  base = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`;
  folder = mkdtempSync(join(tmpdir(), 'fetcher-'));
  mkdirSync(join(folder, 'source/sub'), { recursive: true });
  writeFileSync(join(folder, 'source/sub/file'), 'from a tar');
  await createTar({ gzip: true, cwd: join(folder, 'source'), file: join(folder, 'source.tar.gz') }, ['sub']);
  served.set('/source.tar.gz', readFileSync(join(folder, 'source.tar.gz')));
});
afterAll(async () => {
  await closeServer(server);
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
  sandbox = mkdtempSync(join(folder, 'sandbox-'));
});

const fetched = (...uris: CommandUri[]) => fetchUris(uris, sandbox, join(folder, 'cache'));
const text = (name: string) => readFileSync(join(sandbox, name), 'utf8');
const mode = (name: string) => (statSync(join(sandbox, name)).mode & 0o777).toString(8);

describe('the fetcher', () => {
  test('names a file after its URI, query included, and makes it executable only if asked to', async () => {
    await fetched({ value: `${base}/tool?v=1` }, { value: `${base}/tool`, executable: true });
    expect(readdirSync(sandbox).sort()).toEqual(['tool', 'tool?v=1']);
    expect([mode('tool?v=1'), mode('tool')]).toEqual(['644', '755']);
    expect(text('tool')).toContain('echo tool');
  });

  test('puts it where output_file says', async () => {
    await fetched({ value: `${base}/tool`, outputFile: 'some/where/else' });
    expect(text('some/where/else')).toContain('echo tool');
  });

  test('takes files of this machine by path and by URI', async () => {
    const path = join(folder, 'source/sub/file');
    await fetched({ value: path }, { value: `file://${path}`, outputFile: 'again' });
    expect([text('file'), text('again')]).toEqual(['from a tar', 'from a tar']);
  });

  test('unpacks a tar and a zip beside the archive, with their permissions', async () => {
    await fetched({ value: `${base}/source.tar.gz` }, { value: `${base}/parts.zip` });
    expect(text('sub/file')).toBe('from a tar');
    expect(text('deep/er/note')).toBe('plain');
    expect([mode('bin/run'), mode('deep/er/note')]).toEqual(['755', '644']);
    expect(readdirSync(sandbox)).toEqual(expect.arrayContaining(['source.tar.gz', 'parts.zip']));
  });

  test('leaves an archive whole if told so, and if it is an executable', async () => {
    await fetched({ value: `${base}/parts.zip`, extract: false });
    await fetched({ value: `${base}/source.tar.gz`, executable: true });
    expect(readdirSync(sandbox).sort()).toEqual(['parts.zip', 'source.tar.gz']);
  });

  test('asks once for what is cached, each time for what is not', async () => {
    const uri = { value: `${base}/tool?cached`, cache: true };
    await fetched(uri, { ...uri, outputFile: 'second', executable: true });
    expect(asked).toEqual(['/tool?cached']);
    expect([mode('tool?cached'), mode('second')]).toEqual(['644', '755']);
    await fetched({ value: `${base}/tool` }, { value: `${base}/tool` });
    expect(asked).toHaveLength(3);
  });

  test.each([
    ['an answer that is not 200', () => `${base}/absent`, 'the server answered 404'],
    ['a file that is not there', () => '/no/such/file', 'no such file'],
    ['a scheme it does not know', () => 'hdfs://x/y', 'only http, https and file URIs'],
    ['an entry that leads out of the archive', () => `${base}/evil.zip`, '../outside'],
  ])('names the URI and the fault: %s', async (_what, uri, fault) => {
    const failure: unknown = await fetched({ value: uri() }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FetchError);
    expect((failure as Error).message).toContain(`cannot fetch ${uri()}: `);
    expect((failure as Error).message).toContain(fault);
  });

  test('what could not be had once is not cached', async () => {
    const uri = { value: `${base}/late`, cache: true };
    await expect(fetched(uri)).rejects.toThrow('404');
    served.set('/late', Buffer.from('here now'));
    await fetched(uri);
    expect(text('late')).toBe('here now');
  });
});
