/**
 * A program that behaves as the original dvdcli 0.2.x was observed to, with all that is wrong with it: it exits 0 on
 * wrong usage, dies of an option without "=", loses what follows a second "=", takes whatever mountpoint it is given,
 * and waits for ever. Only its 15 s for a missing plugin are shorter here, and it finds plugins by the variable that ours
 * goes by. Shares no code with ours.
 */
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

const USAGE = 'Usage:\n  dvdcli [flags]\n  dvdcli [command]\n\nFlags:\n';
const VERSION = `Binary: ${process.argv[1] ?? ''}\nSemVer: 0.2.1\nOsArch: Linux-x86_64\nBranch: release/0.2.1\nCommit: 0\nFormed: x\n`;
const COMMANDS = ['create', 'remove', 'mount', 'unmount', 'path', 'get', 'list', 'version'];

interface Answer {
  readonly Err?: string;
  readonly Mountpoint?: string;
  readonly Volume?: { readonly Name?: string; readonly Mountpoint?: string } | null;
  readonly Volumes?: readonly { readonly Name: string }[] | null;
}
interface Flags {
  volumedriver: string;
  volumename: string;
  volumeopts: string[];
  explicitcreate: boolean;
}

class Refused extends Error {}

function leave(code: number, stdout = '', stderr = ''): never {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exit(code);
}

function log(level: string, message: string, field = ''): string {
  const time = new Date().toISOString().replace(/\.\d+Z/, 'Z');
  return `time="${time}" level=${level} msg=${JSON.stringify(message)} ${field}\n`;
}

function scan(argv: readonly string[]): { command: string; flags: Flags } {
  const flags: Flags = { volumedriver: '', volumename: '', volumeopts: [], explicitcreate: false };
  const words: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const match = /^--(\w+)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      words.push(word);
      continue;
    }
    const [, name, value] = match;
    if (name === 'explicitcreate') {
      if (!/^(true|false|1|0)$/.test(value ?? 'true')) leave(0, '', USAGE);
      flags.explicitcreate = value === undefined || value === 'true' || value === '1';
      continue;
    }
    const given = value ?? argv[(at += 1)];
    if (given === undefined) leave(0, '', USAGE);
    if (name === 'volumedriver') flags.volumedriver = given;
    else if (name === 'volumename') flags.volumename = given;
    else if (name === 'volumeopts') flags.volumeopts.push(...given.split(','));
    else leave(0, '', USAGE);
  }
  return { command: words[0] ?? '', flags };
}

/** Panics as Go does where an option has no "=". */
function optionsOf(given: readonly string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (const option of given) {
    const [key = '', value] = option.split('=');
    if (value === undefined)
      leave(2, '', 'panic: runtime error: index out of range [1] with length 1\n\ngoroutine 1 [running]:\n');
    options[key] = value;
  }
  return options;
}

function socketOf(driver: string): string {
  const directories = (process.env['VOLUME_PLUGIN_DIRECTORIES'] ?? '/run/docker/plugins').split(':');
  const found = directories
    .map((directory) => join(directory, `${driver}.sock`))
    .find((path) => existsSync(path));
  const field = `volumeDriver=${driver} `;
  if (driver === '') leave(1, '', log('info', 'Missing volume driver name', field));
  return (
    found ?? leave(1, '', log('info', `Error looking up volume plugin ${driver}: plugin not found`, field))
  );
}

function call(socketPath: string, method: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: `/${method}`, method: 'POST' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      response.on('end', () => {
        try {
          resolve(read(method, response.statusCode ?? 0, text));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    sent.on('error', (error) => reject(new Refused(`Post http://plugin/${method}: ${error.message}`)));
    sent.end(body === undefined ? '' : `${JSON.stringify(body)}\n`);
  });
}

/** The text of an error: `Err` as it is with status 200, with the method before it otherwise. */
function read(method: string, status: number, text: string): Answer {
  let answer: Answer | undefined;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    if (status === 200) throw new Refused('invalid character in the answer');
  }
  if (status !== 200) throw new Refused(`${method}: ${answer?.Err ?? text}`);
  if (answer?.Err !== undefined && answer.Err !== '') throw new Refused(answer.Err);
  return answer ?? {};
}

async function main(): Promise<never> {
  const { command, flags } = scan(process.argv.slice(2));
  if (!COMMANDS.includes(command))
    leave(0, '', command === '' ? USAGE : `Error: unknown command "${command}" for "dvdcli"\n`);
  if (command === 'version') leave(0, VERSION);
  const socket = socketOf(flags.volumedriver);
  const verb = (method: string, more: object = {}): Promise<Answer> =>
    call(socket, `VolumeDriver.${method}`, { Name: flags.volumename, ...more });
  await call(socket, 'Plugin.Activate');
  const naming = `volumeName=${flags.volumename} `;
  const named = async <T>(asked: Promise<T>): Promise<T> =>
    asked.catch((error: unknown) => leave(1, '', log('error', (error as Error).message, naming)));
  const get = async (): Promise<Answer> => {
    const answer = await verb('Get');
    if (answer.Volume === undefined || answer.Volume === null) throw new Refused('no such volume');
    // From here on it is the driver's name that counts, whatever it is.
    flags.volumename = answer.Volume.Name ?? '';
    return answer;
  };
  await perform(command, flags, { verb, get, named });
  return leave(0);
}

interface Calls {
  readonly verb: (method: string, more?: object) => Promise<Answer>;
  readonly get: () => Promise<Answer>;
  readonly named: <T>(asked: Promise<T>) => Promise<T>;
}

async function perform(command: string, flags: Flags, { verb, get, named }: Calls): Promise<void> {
  if (command === 'create') {
    const Opts = optionsOf(flags.volumeopts);
    await named(verb('Create', { Opts }));
    leave(0, '', log('info', flags.volumename));
  }
  if (command === 'list') {
    const { Volumes } = await verb('List');
    leave(0, (Volumes ?? []).map(({ Name }) => `${Name}\n`).join(''));
  }
  if (command === 'mount') {
    const Opts = optionsOf(flags.volumeopts);
    await get().catch(async (error: unknown) => {
      if (flags.explicitcreate) return named(Promise.reject(error as Error));
      return named(verb('Create', { Opts }));
    });
    const { Mountpoint = '' } = await verb('Mount');
    leave(0, `${Mountpoint}\n`, log('info', Mountpoint));
  }
  const { Volume } = await named(get());
  if (command === 'get') leave(0, `${flags.volumename}\n`);
  if (command === 'unmount') await verb('Unmount');
  if (command === 'remove') await named(verb('Remove'));
  if (command !== 'path') return;
  const path = Volume?.Mountpoint ?? '';
  const said = path === '' ? ((await verb('Path')).Mountpoint ?? '') : path;
  if (said !== '') leave(0, `${said}\n`, log('info', said));
}

await main().catch((error: unknown) => leave(1, '', log('error', (error as Error).message)));
