/** Programs of the machine for what Node has no call for: argv only, and children of the copier, so the guard ends them too. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { CopyError, NOT_COPIED } from './copy-plan.ts';
import { bytesOf, rawPath, textOf, type RawPath } from './raw-paths.ts';

/** Names in one command line. */
const BATCH = 500;

/**
 * Modes, owners, times to the nanosecond and extended attributes of everything below these names, by GNU `cp`. Where it is
 * missing or the volume refuses something, that is found by the verification, so its exit code says nothing.
 */
export async function copyAttributes(
  source: string,
  target: string,
  names: readonly RawPath[],
): Promise<void> {
  const what = ['-R', '-P', '--attributes-only', '--preserve=mode,ownership,timestamps,xattr'];
  // A name that is no text cannot be an argument here.
  const paths = names
    .filter((name) => rawPath(textOf(name)) === name)
    .map((name) => `${source}/${textOf(name)}`);
  for (let first = 0; first < paths.length; first += BATCH) {
    const argv = [...what, '-t', target, '--', ...paths.slice(first, first + BATCH)];
    await execa('cp', argv, { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  }
}

/** Of a symbolic link that is there already `cp` gives nothing; there are few of them. */
export async function copyLinkTimes(from: RawPath, to: RawPath): Promise<void> {
  const argv = ['-h', '-r', textOf(from), '--', textOf(to)];
  await execa('touch', argv, { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
}

/** Everything of the file system that has `directory`, files and names, down to the storage. @throws CopyError */
export async function syncFileSystem(directory: string): Promise<void> {
  const argv = ['--file-system', directory];
  const result = await execa('sync', argv, { reject: false, stdin: 'ignore', stdout: 'ignore' });
  if (result.exitCode === 0) return;
  throw new CopyError(`sync ${argv.join(' ')}: ${result.stderr || (result.shortMessage ?? 'failed')}`);
}

/** Labels of the machine's own security modules are left out: they are given anew wherever a volume is mounted. */
const ATTRIBUTES = String.raw`^(user\.|trusted\.|system\.posix_acl|security\.capability)`;

export type ExtendedAttributes =
  | { readonly kind: 'read'; readonly byPath: ReadonlyMap<string, string> }
  | { readonly kind: 'unknown'; readonly why: string };

/** Of everything below a volume's root that has any, by getfattr; paths as that program writes them. */
export async function extendedAttributes(root: RawPath): Promise<ExtendedAttributes> {
  const argv = ['-R', '-P', '-h', '-d', '-m', ATTRIBUTES, '-e', 'base64', '--', '.'];
  const child = spawn('getfattr', argv, {
    cwd: bytesOf(root).toString('utf8'),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    const missing = error.code === 'ENOENT';
    return { kind: 'unknown', why: missing ? 'there is no getfattr on this agent' : error.message };
  }
  const byPath = new Map<string, string>();
  let path = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('# file: ')) path = line.slice('# file: '.length).replace(/^\.\//, '');
    else if (line !== '' && !NOT_COPIED.has(path)) byPath.set(path, ordered(byPath.get(path), line));
  }
  return { kind: 'read', byPath };
}

function ordered(known: string | undefined, line: string): string {
  return known === undefined ? line : [...known.split('\n'), line].sort().join('\n');
}
