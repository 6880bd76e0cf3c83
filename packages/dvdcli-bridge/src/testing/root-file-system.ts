import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/**
 * Puts one of this machine's programs into a root file system, with the libraries that it loads: images of tests are
 * made of what the machine has, for no registry can be assumed.
 */
export async function copyProgram(root: string, program: string, path: string): Promise<void> {
  const { stdout } = await execa('ldd', [program]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1]!);
  for (const [from, to] of [[program, path] as const, ...libraries.map((each) => [each, each] as const)]) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await cp(from, join(root, to), { dereference: true });
  }
}
