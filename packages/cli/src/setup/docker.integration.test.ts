import { mkdtemp, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheDirectory } from './cache-directory.ts';
import { acquireElasticsearch } from './distribution.ts';
import { ensureImage } from './docker-image.ts';
import { startPrivateEngine, type DockerEngine } from './docker-engine.ts';
import { findJava } from './java.ts';
import { findCommand } from './system-packages.ts';

const why =
  process.getuid?.() !== 0
    ? 'only root can start a Docker engine'
    : (await findCommand('dockerd', process.env)) === undefined
      ? 'dockerd is not installed'
      : undefined;
const VERSION = '8.19.5';

describe.skipIf(why !== undefined)(
  `the image in an engine of its own${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let scratch: string;
    let engine: DockerEngine;
    const said: string[] = [];
    const tell = (line: string) => void said.push(line);

    beforeAll(async () => {
      scratch = await mkdtemp('/var/tmp/docker-set-up-');
      engine = await startPrivateEngine(join(scratch, 'docker'), process.env, tell);
    });
    afterAll(async () => {
      await engine.stop();
      await rm(scratch, { recursive: true, force: true });
    });

    async function ensured(): Promise<string> {
      const cache = cacheDirectory({
        uid: process.getuid?.() ?? 1,
        home: homedir(),
        environment: process.env,
      });
      const java = await findJava(process.env);
      const { home } = await acquireElasticsearch({ version: VERSION, cache, installed: undefined, tell });
      return ensureImage({
        docker: engine.docker,
        version: VERSION,
        cache,
        tell,
        javaHome: java.home,
        elasticsearchHome: home,
      });
    }

    async function run(image: string, argv: string[]): Promise<string> {
      const output = new PassThrough();
      const chunks: Buffer[] = [];
      output.on('data', (chunk: Buffer) => chunks.push(chunk));
      await engine.docker.run(image, argv.slice(1), output, {
        Entrypoint: argv.slice(0, 1),
        User: '1000:1000',
        HostConfig: { NetworkMode: 'host', AutoRemove: true },
        Tty: true,
      });
      return Buffer.concat(chunks).toString();
    }

    it('holds a Java and an Elasticsearch that run as a user who is not root', async () => {
      const image = await ensured();
      expect(image).toBe(`mesos-elasticsearch/elasticsearch:${VERSION}`);
      expect(await run(image, ['/opt/java/bin/java', '-version'])).toMatch(/openjdk version "(1[7-9]|2\d)/);
      const script = 'id -u; ls bin/elasticsearch; touch /tmp/x && stat -c %a /tmp; elasticsearch --version';
      expect(await run(image, ['sh', '-c', script])).toMatch(
        /^1000\r\nbin\/elasticsearch\r\n1777\r\nVersion: 8\.19\.5/,
      );
    });

    it('is made once', async () => {
      said.length = 0;
      await ensured();
      expect(said).toEqual([]);
    });
  },
);
