/** The file system of the image, put together from parts of this machine as the recipe says. */
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { findCommand } from './system-packages.ts';
import { SetupError } from './setup-error.ts';

export const recipeSchema = z.strictObject({
  repository: z.string(),
  programs: z.array(z.string()),
  /** Where the machine's Java goes. */
  java: z.string().startsWith('/'),
  javaWithout: z.array(z.string()),
  /** Where Elasticsearch goes. */
  elasticsearch: z.string().startsWith('/'),
  /** Path → octal mode. */
  directories: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.string()),
  /** Dockerfile instructions that `docker import` takes. */
  changes: z.array(z.string()),
});
export type Recipe = z.infer<typeof recipeSchema>;

export interface Parts {
  readonly javaHome: string;
  readonly elasticsearchHome: string;
}

/** Programs that the recipe names and this machine has; the shell must be there, others may be absent. */
export async function findPrograms(recipe: Recipe): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of recipe.programs) {
    const path = await findCommand(name, { PATH: '/usr/bin:/bin' });
    if (path !== undefined) found.set(name, await realpath(path));
  }
  if (!found.has('sh')) throw new SetupError('the image needs a shell, and this machine has no /bin/sh');
  return found;
}

/** Libraries in the form of `ldd`: `name => /path (0x…)` and the loader's own `/path (0x…)`. */
export function parseLdd(output: string): string[] {
  const paths = [...output.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm)];
  return [...new Set(paths.map((match) => match[1] ?? ''))];
}

export async function assembleRootfs(root: string, recipe: Recipe, parts: Parts): Promise<void> {
  await layOut(root, recipe);
  const programs = await findPrograms(recipe);
  for (const [name, source] of programs) await copyFile(source, join(root, 'usr/bin', name));

  const without = new Set(recipe.javaWithout);
  await cp(parts.javaHome, join(root, recipe.java), {
    recursive: true,
    dereference: true,
    // Debian's Java has links into /etc, some of them to nothing.
    filter: (source) => !without.has(relative(parts.javaHome, source)) && existsSync(source),
  });
  await cp(parts.elasticsearchHome, join(root, recipe.elasticsearch), { recursive: true, dereference: true });

  const javaLibraries = await sharedObjects(join(root, recipe.java));
  for (const library of await librariesOf([...programs.values(), ...javaLibraries])) {
    if (library.startsWith(root)) continue;
    const target = join(root, library);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(await realpath(library), target);
  }
}

/** Merged /usr, as current systems have it: a library is found under both names. */
async function layOut(root: string, recipe: Recipe): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
  for (const [path, mode] of Object.entries(recipe.directories)) {
    await mkdir(join(root, path), { recursive: true });
    await chmod(join(root, path), Number.parseInt(mode, 8));
  }
  for (const [path, content] of Object.entries(recipe.files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

async function sharedObjects(javaHome: string): Promise<string[]> {
  const names = await readdir(javaHome, { recursive: true });
  const objects = names.filter((name) => name.endsWith('.so')).map((name) => join(javaHome, name));
  return [join(javaHome, 'bin/java'), ...objects];
}

/** Libraries that this machine does not have (a window system's) are not needed by a server. */
async function librariesOf(files: readonly string[]): Promise<Set<string>> {
  const libraries = new Set<string>();
  for (const file of files) {
    const { stdout } = await execa('ldd', [file], { reject: false, stdin: 'ignore' });
    for (const library of parseLdd(stdout)) libraries.add(library);
  }
  return libraries;
}
