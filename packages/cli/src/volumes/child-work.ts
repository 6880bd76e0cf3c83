/**
 * What touches a volume's file system runs in a child with a time limit: a stat on a dead FUSE or network file
 * system never returns, and this process could not even end any more.
 */
import { spawn } from 'node:child_process';

export type ChildAnswer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'no-answer' };

/**
 * @param script statements of an async function body with `fs`, `path` and `args` in scope; returns plain data
 * @param limitMs after it the child gets SIGKILL; one that cannot die is left to itself
 */
export function inChild<T>(
  script: string,
  args: readonly string[],
  limitMs: number,
): Promise<ChildAnswer<T>> {
  const wrapped = `const fs=require('node:fs'),path=require('node:path'),args=process.argv.slice(1);
(async()=>{${script}})().then((value)=>process.stdout.write(JSON.stringify({value:value??null})),
(error)=>process.stdout.write(JSON.stringify({why:(error.code&&!error.message.startsWith(error.code)?error.code+': ':'')+error.message})));`;
  const child = spawn(process.execPath, ['--input-type=commonjs', '-e', wrapped, '--', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {},
  });
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ kind: 'no-answer' });
    }, limitMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => {
      clearTimeout(limit);
      resolve({ kind: 'failed', why: error.message });
    });
    child.on('close', () => {
      clearTimeout(limit);
      resolve(read<T>(stdout, stderr));
    });
  });
}

function read<T>(stdout: string, stderr: string): ChildAnswer<T> {
  try {
    const said = JSON.parse(stdout) as { readonly value: T } | { readonly why: string };
    return 'why' in said ? { kind: 'failed', why: said.why } : { kind: 'answered', value: said.value };
  } catch {
    return { kind: 'failed', why: stderr.trim().split('\n').at(-1) ?? 'it printed nothing' };
  }
}
