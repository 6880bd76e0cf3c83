import type { Outcome } from '../outcome.ts';
import * as answers from './answers.ts';
import { DEFAULT_PLUGIN_DIRECTORIES } from './find-plugin.ts';
import { perform, type PluginCall, type PluginSession } from './session.ts';

export interface PluginTimeLimits {
  /** How long a plugin that is missing or refuses connections is tried again. */
  readonly reachMs: number;
  readonly createMs: number;
  readonly mountMs: number;
  /** Every other verb, each call. */
  readonly otherMs: number;
}

/** Docker's own limits per verb; 5 s to be reached, where Docker and dvdcli spend 15. */
export const DEFAULT_PLUGIN_TIME_LIMITS: PluginTimeLimits = {
  reachMs: 5_000,
  createMs: 120_000,
  mountMs: 120_000,
  otherMs: 60_000,
};

export interface VolumePluginOptions {
  readonly driver: string;
  readonly directories?: readonly string[];
  readonly timeLimits?: Partial<PluginTimeLimits>;
  /** Ends whatever is under way, as a time limit does. */
  readonly signal?: AbortSignal;
}

/**
 * One volume plugin, verb by verb. No method throws. Outcomes:
 * - not-done: the driver refused in so many words, or the call never reached it.
 * - unknown: the time limit passed, the connection broke after the call was sent, or the answer was garbage.
 * Only calls that never reached the plugin, and lost calls of verbs that change nothing, are tried again here.
 */
export interface VolumePlugin {
  create(name: string, options: Readonly<Record<string, string>>): Promise<Outcome<void>>;
  remove(name: string): Promise<Outcome<void>>;
  /** The mountpoint as the driver gave it, unchecked. Without an ID the key is left out, as dvdcli does. */
  mount(name: string, id: string | undefined): Promise<Outcome<string>>;
  unmount(name: string, id: string | undefined): Promise<Outcome<void>>;
  path(name: string): Promise<Outcome<string>>;
  get(name: string): Promise<Outcome<answers.GetAnswer>>;
  list(): Promise<Outcome<readonly answers.PluginVolume[]>>;
}

export function volumePlugin(options: VolumePluginOptions): VolumePlugin {
  const limits = { ...DEFAULT_PLUGIN_TIME_LIMITS, ...options.timeLimits };
  const session: PluginSession = {
    driver: options.driver,
    directories: options.directories ?? DEFAULT_PLUGIN_DIRECTORIES,
    reachMs: limits.reachMs,
    handshakeMs: limits.otherMs,
    stopped: options.signal ?? new AbortController().signal,
    activated: undefined,
  };
  const change = (method: string, body: VerbBody, limitMs = limits.otherMs): PluginCall => ({
    method: `VolumeDriver.${method}`,
    body,
    limitMs,
    readOnly: false,
    volume: body.Name,
  });
  const question = (method: string, body: VerbBody): PluginCall => ({
    ...change(method, body),
    readOnly: true,
  });
  return {
    create: (name, opts) =>
      perform(session, change('Create', { Name: name, Opts: opts }, limits.createMs), acknowledged),
    remove: (name) => perform(session, change('Remove', { Name: name }), acknowledged),
    mount: (name, id) => perform(session, change('Mount', withId(name, id), limits.mountMs), mountpoint),
    unmount: (name, id) => perform(session, change('Unmount', withId(name, id)), acknowledged),
    path: (name) => perform(session, question('Path', { Name: name }), mountpoint),
    get: (name) =>
      perform(session, question('Get', { Name: name }), (status, body) =>
        answers.readGet(name, status, body),
      ),
    list: () =>
      perform(session, question('List', {}), (status, body) =>
        answers.readList(answers.readAnswer(status, body)),
      ),
  };
}

interface VerbBody {
  readonly Name?: string;
  readonly ID?: string;
  readonly Opts?: Readonly<Record<string, string>>;
}

function withId(name: string, id: string | undefined): VerbBody {
  return id === undefined ? { Name: name } : { Name: name, ID: id };
}

function acknowledged(status: number, body: string): answers.Answer<void> {
  const answer = answers.readAnswer(status, body);
  return answer.kind === 'ok' ? { kind: 'ok', value: undefined } : answer;
}

function mountpoint(status: number, body: string): answers.Answer<string> {
  return answers.readMountpoint(answers.readAnswer(status, body));
}
