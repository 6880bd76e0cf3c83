import type { Outcome } from '../outcome.ts';
import * as answers from './answers.ts';
import type { PluginEndpoint } from './endpoint.ts';
import { DEFAULT_PLUGIN_DIRECTORIES } from './find-plugin.ts';
import { perform, type PluginCall, type PluginSession, type ReadAnswer } from './session.ts';

export interface PluginTimeLimits {
  /**
   * How long a plugin that is missing or refuses connections is tried again, and how long the Engine may take to say
   * where a managed one is (at least a second).
   */
  readonly reachMs: number;
  readonly createMs: number;
  readonly mountMs: number;
  readonly unmountMs: number;
  /** Every other verb, each call. */
  readonly otherMs: number;
}

/** Docker's own limits per verb; 5 s to be reached, where Docker and dvdcli spend 15. */
export const DEFAULT_PLUGIN_TIME_LIMITS: PluginTimeLimits = {
  reachMs: 5_000,
  createMs: 120_000,
  mountMs: 120_000,
  unmountMs: 60_000,
  otherMs: 60_000,
};

export interface VolumePluginOptions {
  readonly driver: string;
  readonly directories?: readonly string[];
  /** Asked for managed plugins; undefined: no Engine is asked. See engineEndpointFrom. */
  readonly engine?: PluginEndpoint | undefined;
  readonly timeLimits?: Partial<PluginTimeLimits> | undefined;
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
  /** A driver without the verb, or one that fails at it, is `local`; one that does not answer at all is an error. */
  scope(): Promise<Outcome<answers.PluginScope>>;
  /** The same plugin, every call of which ends with this signal at the latest. */
  within(signal: AbortSignal): VolumePlugin;
}

export function volumePlugin(options: VolumePluginOptions): VolumePlugin {
  const limits = { ...DEFAULT_PLUGIN_TIME_LIMITS, ...options.timeLimits };
  const session: PluginSession = {
    driver: options.driver,
    places: { directories: options.directories ?? DEFAULT_PLUGIN_DIRECTORIES, engine: options.engine },
    reachMs: limits.reachMs,
    handshakeMs: limits.otherMs,
    activated: undefined,
  };
  return verbsOf(session, limits, options.signal === undefined ? [] : [options.signal]);
}

function verbsOf(
  session: PluginSession,
  limits: PluginTimeLimits,
  stopped: readonly AbortSignal[],
): VolumePlugin {
  const call = (verb: string, body: VerbBody, limitMs: number, readOnly: boolean): PluginCall => {
    return { method: `VolumeDriver.${verb}`, body, limitMs, readOnly, volume: body.Name, stopped };
  };
  const change = (verb: string, body: VerbBody, limitMs = limits.otherMs): PluginCall =>
    call(verb, body, limitMs, false);
  const question = (verb: string, body: VerbBody): PluginCall => call(verb, body, limits.otherMs, true);
  return {
    create: (name, opts) =>
      perform(session, change('Create', { Name: name, Opts: opts }, limits.createMs), acknowledged),
    remove: (name) => perform(session, change('Remove', { Name: name }), acknowledged),
    mount: (name, id) => perform(session, change('Mount', withId(name, id), limits.mountMs), mountpoint),
    unmount: (name, id) =>
      perform(session, change('Unmount', withId(name, id), limits.unmountMs), acknowledged),
    path: (name) => perform(session, question('Path', { Name: name }), mountpoint),
    get: (name) =>
      perform(session, question('Get', { Name: name }), (status, body, toHostPath) =>
        answers.readGet(name, status, body, toHostPath),
      ),
    list: () =>
      perform(session, question('List', {}), (status, body, toHostPath) =>
        answers.readList(answers.readAnswer(status, body), toHostPath),
      ),
    scope: () =>
      perform(session, question('Capabilities', {}), (status, body) =>
        answers.readScope(answers.readAnswer(status, body)),
      ),
    within: (signal) => verbsOf(session, limits, [...stopped, signal]),
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

const mountpoint: ReadAnswer<string> = (status, body, toHostPath) =>
  answers.readMountpoint(answers.readAnswer(status, body), toHostPath);
