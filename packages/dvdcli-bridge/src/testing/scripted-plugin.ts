import { mkdirSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/**
 * What a scripted plugin does with one call:
 * - an object: that answer as JSON, with status 200 unless told;
 * - hang: never answers; die: closes the connection after the request was read; half: dies in mid-answer;
 * - garbage: an HTML page with status 200.
 */
export type ScriptedAnswer =
  | { readonly status?: number; readonly json: unknown }
  | { readonly status?: number; readonly text: string }
  | 'hang'
  | 'die'
  | 'half'
  | 'garbage';

export interface ReceivedCall {
  readonly method: string;
  readonly body: { Name?: string; ID?: string; Opts?: Record<string, string> };
}

export interface ScriptedPlugin {
  readonly pluginDirectory: string;
  readonly calls: readonly ReceivedCall[];
  /** The next answers to this verb, in order; the last one stays. Without `VolumeDriver.`. */
  script(verb: string, ...answers: ScriptedAnswer[]): void;
  stop(): Promise<void>;
}

const DEFAULTS: Readonly<Record<string, ScriptedAnswer>> = {
  'Plugin.Activate': { json: { Implements: ['VolumeDriver'] } },
};

/** A volume plugin in this process that says what it is told to, however wrong. */
export async function startScriptedPlugin(pluginDirectory: string, name: string): Promise<ScriptedPlugin> {
  const scripts = new Map<string, ScriptedAnswer[]>();
  const server = await startPluginServer(pluginDirectory, name, ({ method }) => {
    const left = scripts.get(method) ?? [];
    const answer = left.length > 1 ? left.shift() : left[0];
    return answer ?? DEFAULTS[method] ?? { json: {} };
  });
  return {
    ...server,
    script: (verb, ...answers) =>
      void scripts.set(verb.includes('.') ? verb : `VolumeDriver.${verb}`, answers),
  };
}

export interface PluginServer {
  readonly pluginDirectory: string;
  readonly calls: readonly ReceivedCall[];
  stop(): Promise<void>;
}

/** What every plugin of the tests is made of: a socket `NAME.sock`, and an answer to each call. */
export async function startPluginServer(
  pluginDirectory: string,
  name: string,
  answer: (call: ReceivedCall) => ScriptedAnswer,
): Promise<PluginServer> {
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    request.on('end', () => {
      const body = readBody(text);
      if (body === undefined) {
        play(response, { status: 400, text: 'invalid JSON\n' });
        return;
      }
      const call = { method: (request.url ?? '').slice(1), body };
      calls.push(call);
      play(response, answer(call));
    });
  });
  mkdirSync(pluginDirectory, { recursive: true });
  await new Promise<void>((resolve) => server.listen(join(pluginDirectory, `${name}.sock`), resolve));
  return {
    pluginDirectory,
    calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function readBody(text: string): ReceivedCall['body'] | undefined {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as ReceivedCall['body'];
  } catch {
    return undefined;
  }
}

export function play(response: ServerResponse, answer: ScriptedAnswer): void {
  if (answer === 'hang') return;
  if (answer === 'die') {
    response.destroy();
  } else if (answer === 'half') {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"Mountp', () => response.destroy());
  } else if (answer === 'garbage') {
    response.end('<html>It works!</html>');
  } else {
    response.writeHead(answer.status ?? 200);
    response.end('text' in answer ? answer.text : JSON.stringify(answer.json));
  }
}
