/**
 * What the checks do on a volume's file system, in a child with a time limit: on a mount that hangs this process would
 * neither go on nor end.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { LookAt } from '../mountpoint.ts';

const LIMIT_MS = 20_000;
const DOCUMENT = 'document';

/** @throws Error with the file system's words, or where it does not answer */
export async function writeDocument(directory: string, text: string): Promise<void> {
  await onFileSystem(directory, `fs.writeFileSync(path, text)`, text);
}

/** @throws Error with the file system's words, or where it does not answer */
export function readDocument(directory: string): Promise<string> {
  return onFileSystem(directory, `process.stdout.write(fs.readFileSync(path, 'utf8'))`);
}

/** False also where nothing is there. @throws Error where the file system does not answer */
export async function isDirectory(path: string): Promise<boolean> {
  return (await lookInChild(path).catch(() => 'nothing')) === 'directory';
}

/** As {@link LookAt} is told to. */
export const lookInChild: LookAt = async (path) => {
  const script = `process.stdout.write(fs.statSync(directory).isDirectory() ? 'directory' : 'something-else')`;
  const found = await run(script, path, '');
  if (found.kind === 'no-answer') return 'no-answer';
  if (found.code === 0) return found.stdout === 'directory' ? 'directory' : 'something-else';
  throw Object.assign(new Error(found.stderr), { code: /\b(E[A-Z]{2,})\b/.exec(found.stderr)?.[1] });
};

async function onFileSystem(directory: string, script: string, text = ''): Promise<string> {
  const ended = await run(script, directory, text);
  if (ended.kind === 'no-answer')
    throw new Error(`the file system at ${directory} does not answer within ${LIMIT_MS} ms`);
  if (ended.code === 0) return ended.stdout;
  throw new Error(/^Error: (.*)$/m.exec(ended.stderr)?.[1] ?? (ended.stderr || 'it ended without a word'));
}

type Ended =
  | { readonly kind: 'ended'; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'no-answer' };

function run(script: string, directory: string, text: string): Promise<Ended> {
  const whole = `const fs=require('node:fs'),[,directory,path,text]=process.argv;${script}`;
  const argv = ['--input-type=commonjs', '-e', whole, '--', directory, join(directory, DOCUMENT), text];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', env: {} });
    const output = { stdout: '', stderr: '' };
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      // One that cannot die is left to itself.
      child.unref();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ kind: 'no-answer' });
    }, LIMIT_MS);
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (more: string) => (output[stream] += more));
    child.on('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ kind: 'ended', code, ...output });
    });
  });
}
