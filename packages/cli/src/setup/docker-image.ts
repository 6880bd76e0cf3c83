/** The Elasticsearch image, made on this machine: no registry is needed. */
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { create } from 'tar';
import recipeDocument from '../../../../docker/elasticsearch-image.json' with { type: 'json' };
import { assembleRootfs, findPrograms, recipeSchema, type Parts, type Recipe } from './rootfs.ts';
import { SetupError, type Tell } from './setup-error.ts';

const CONTENT_LABEL = 'mesos-elasticsearch.content';

export interface WantedImage extends Parts {
  readonly docker: Docker;
  readonly version: string;
  readonly cache: string;
  readonly tell: Tell;
}

/** @returns the image's name with its tag. An image with the same content is used as it is. */
export async function ensureImage({ docker, version, cache, tell, ...parts }: WantedImage): Promise<string> {
  const recipe = recipeSchema.parse(recipeDocument);
  const name = `${recipe.repository}:${version}`;
  const content = await contentOf(recipe, parts, version);
  const present = await docker
    .getImage(name)
    .inspect()
    .catch(() => undefined);
  if (present?.Config.Labels[CONTENT_LABEL] === content) return name;

  const archive = await cachedArchive({ cache, version, content, recipe, parts, tell });
  tell(`Importing the image ${name} into Docker`);
  const stream = await docker.importImage(archive, {
    repo: recipe.repository,
    tag: version,
    changes: [...recipe.changes, `LABEL ${CONTENT_LABEL}=${content}`],
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, lines?: { error?: string }[]) => {
      const said = error?.message ?? lines?.find((line) => line.error !== undefined)?.error;
      if (said === undefined) resolve();
      else reject(new SetupError(`Docker does not import the image: ${said}`));
    });
  });
  return name;
}

interface ArchiveWork {
  readonly cache: string;
  readonly version: string;
  readonly content: string;
  readonly recipe: Recipe;
  readonly parts: Parts;
  readonly tell: Tell;
}

/** Appears whole or not at all; the archives of other contents of this version go. */
async function cachedArchive({ cache, version, content, recipe, parts, tell }: ArchiveWork): Promise<string> {
  const prefix = `image-${version}-`;
  const archive = join(cache, `${prefix}${content}.tar`);
  const present = await access(archive).then(
    () => true,
    () => false,
  );
  if (present) return archive;
  tell(`Putting the Elasticsearch ${version} image together from parts of this machine`);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.image-'));
  try {
    const root = join(work, 'root');
    await assembleRootfs(root, recipe, parts);
    const made = join(work, 'image.tar');
    await create({ file: made, cwd: root }, await readdir(root));
    for (const name of await readdir(cache)) {
      if (name.startsWith(prefix)) await rm(join(cache, name), { force: true });
    }
    await rename(made, archive);
    return archive;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Changes whenever the recipe, Elasticsearch, Java or a program changes. */
async function contentOf(recipe: Recipe, parts: Parts, version: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify({ recipe, version, parts }));
  const files = [...(await findPrograms(recipe)).values(), join(parts.javaHome, 'lib/modules')];
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
