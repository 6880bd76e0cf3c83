/** What the answer to each verb means. Pure; the one place that reads drivers' wordings. */
import type { VolumeErrorCode } from '../outcome.ts';

/** A failed verb: `happened: false` when the driver said so itself, `undefined` when nobody can tell. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: VolumeErrorCode;
  readonly happened: false | undefined;
  /** The driver's words, verbatim. */
  readonly says: string;
}
export type Answer<T> = { readonly kind: 'ok'; readonly value: T } | Refused;

/** Whether other machines see the same volume under the same name. */
export type PluginScope = 'local' | 'global';

/** A volume as Get and List describe it. */
export interface PluginVolume {
  readonly name: string;
  /** The name as the driver writes it: some ignore case. */
  readonly spelled: string;
  /** Where it is on this host, if it is mounted; empty when the driver does not say. */
  readonly mountpoint: string;
  /** RFC 3339. */
  readonly createdAt: string | undefined;
  /** Whatever the driver has to say; free of form. */
  readonly status: Fields | undefined;
  /** Mount IDs, from drivers that tell (`Status.Mounts`). */
  readonly mounts: readonly string[] | undefined;
}

/** absent: the driver answered and has no such volume. unsupported: the driver does not know the verb Get. */
export type GetAnswer =
  | {
      readonly kind: 'present';
      readonly volume: PluginVolume;
      /** The driver's own way to write the name, where it differs from what was asked for (by case only). */
      readonly spelling?: string;
    }
  /** certain: an answer without a volume, not an error. */
  | { readonly kind: 'absent'; readonly says: string; readonly certain: boolean }
  | { readonly kind: 'unsupported' };

export type Fields = Readonly<Record<string, unknown>>;

/**
 * Only status 200 is success, as for Docker, and then only without `Err`. Any other 2xx is an answer of something
 * that is not a volume plugin (a proxy, a queue): what became of the call is unknown.
 */
export function readAnswer(status: number, body: string): Answer<Fields> {
  const fields = parseObject(body);
  if (status === 200) {
    if (fields === undefined) return garbage(body);
    const says = field(fields, 'Err') ?? '';
    // An error that is no text is an error all the same, or no answer of a volume plugin.
    if (typeof says !== 'string') return garbage(body);
    if (says === '') return { kind: 'ok', value: fields };
    return { kind: 'refused', code: classify(says), happened: false, says: withinReason(says) };
  }
  if (status >= 200 && status < 300) return garbage(body);
  // A gateway that gave up says nothing of what became of the call behind it.
  const happened = fields === undefined && (status === 502 || status === 504) ? undefined : false;
  const says = withinReason(errorText(fields, body));
  const code = fields === undefined && isMissingEndpoint(status, says) ? 'unsupported' : classify(says);
  return { kind: 'refused', code, happened, says: says === '' ? `HTTP status ${status}` : says };
}

/** Where a path that the plugin names is on this host. */
export type ToHostPath = (path: string) => string;

export function readMountpoint(answer: Answer<Fields>, toHostPath: ToHostPath): Answer<string> {
  if (answer.kind === 'refused') return answer;
  const mountpoint = field(answer.value, 'Mountpoint') ?? '';
  return typeof mountpoint === 'string'
    ? { kind: 'ok', value: toHostPath(mountpoint) }
    : garbage(`its Mountpoint is no text but a ${typeof mountpoint}`);
}

/**
 * Drivers say "no such volume" in every imaginable way, so absence is whatever answer has no usable volume in
 * it; wordings decide nothing. A driver that has no such verb says so with a page, not with an answer.
 */
export function readGet(
  asked: string,
  status: number,
  body: string,
  toHostPath: ToHostPath,
): Answer<GetAnswer> {
  const answer = readAnswer(status, body);
  if (answer.kind === 'refused') {
    if (answer.happened === undefined) return answer;
    if (answer.code === 'unsupported' || /^handler not found/i.test(answer.says))
      return { kind: 'ok', value: { kind: 'unsupported' } };
    return { kind: 'ok', value: { kind: 'absent', says: answer.says, certain: false } };
  }
  const said = field(answer.value, 'Volume');
  const volume = said === undefined ? undefined : readVolume(said, toHostPath);
  if (volume === 'nonsense') return garbage(body);
  if (volume === undefined || volume.name === '')
    return { kind: 'ok', value: { kind: 'absent', says: body.trim(), certain: true } };
  if (volume.name.toLowerCase() !== asked.toLowerCase()) return garbage(body);
  const spelling = volume.name === asked ? {} : { spelling: volume.name };
  return { kind: 'ok', value: { kind: 'present', volume: { ...volume, name: asked }, ...spelling } };
}

export function readList(answer: Answer<Fields>, toHostPath: ToHostPath): Answer<readonly PluginVolume[]> {
  if (answer.kind === 'refused') return answer;
  const listed = field(answer.value, 'Volumes') ?? [];
  if (!Array.isArray(listed)) return garbage(`its Volumes are no list but a ${typeof listed}`);
  const volumes: PluginVolume[] = [];
  for (const entry of listed) {
    const volume = readVolume(entry, toHostPath);
    // It may be any volume: left out, it would look as if it were not there.
    if (volume === 'nonsense') return garbage('one of its Volumes is none');
    if (volume.name !== '') volumes.push(volume);
  }
  return { kind: 'ok', value: volumes };
}

/** A driver that does not know the verb, fails at it or says a word that nobody knows is a local one, as for Docker. */
export function readScope(answer: Answer<Fields>): Answer<PluginScope> {
  if (answer.kind === 'refused') return { kind: 'ok', value: 'local' };
  const capabilities = field(answer.value, 'Capabilities');
  const scope = isObject(capabilities) ? field(capabilities, 'Scope') : undefined;
  const isGlobal = typeof scope === 'string' && scope.trim().toLowerCase() === 'global';
  return { kind: 'ok', value: isGlobal ? 'global' : 'local' };
}

export function implementsVolumeDriver(fields: Fields): boolean {
  const verbs = field(fields, 'Implements');
  return Array.isArray(verbs) && verbs.includes('VolumeDriver');
}

/** For messages and codes only; nothing is freed or deleted on the strength of a wording alone. */
export function classify(says: string): VolumeErrorCode {
  if (/already exists|already mounted/i.test(says)) return 'conflict';
  if (/\bin use\b|\bbusy\b/i.test(says)) return 'in-use';
  if (/\battached to\b/i.test(says)) return 'attached-elsewhere';
  if (/not found|no such|unknown volume|no volumes/i.test(says)) return 'not-found';
  if (/permission denied|not permitted/i.test(says)) return 'permission';
  return 'driver-error';
}

function garbage(body: string): Refused {
  return { kind: 'refused', code: 'bad-answer', happened: undefined, says: shortened(body, 200).trim() };
}

/** A driver's words go into messages and logs, verbatim; megabytes of them are no words. */
function withinReason(says: string): string {
  return shortened(says, 8_192);
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function isMissingEndpoint(status: number, says: string): boolean {
  return status === 404 || status === 405 || status === 501 || /^handler not found/i.test(says);
}

/** Old REX-Ray calls the key `Error`; its text is not always valid JSON. */
function errorText(fields: Fields | undefined, body: string): string {
  if (fields === undefined) return body.trim();
  return textField(fields, 'Err') ?? textField(fields, 'Error') ?? body.trim();
}

/** A name that is missing is an empty one, as for Go; one of another type is nonsense. */
function readVolume(value: unknown, toHostPath: ToHostPath): PluginVolume | 'nonsense' {
  if (!isObject(value)) return 'nonsense';
  const name = field(value, 'Name') ?? '';
  const mountpoint = field(value, 'Mountpoint') ?? '';
  if (typeof name !== 'string' || typeof mountpoint !== 'string') return 'nonsense';
  const said = field(value, 'Status');
  const status = isObject(said) ? said : undefined;
  const createdAt = field(value, 'CreatedAt');
  return {
    name,
    spelled: name,
    mountpoint: toHostPath(mountpoint),
    createdAt: typeof createdAt === 'string' && isTime(createdAt) ? createdAt : undefined,
    status,
    mounts: readMountIds(status && field(status, 'Mounts')),
  };
}

/** A list of paths is a list of something else. */
function readMountIds(mounts: unknown): readonly string[] | undefined {
  if (!Array.isArray(mounts)) return undefined;
  const ids = mounts.filter((id) => typeof id === 'string');
  return ids.length === mounts.length && ids.every((id) => !id.includes('/')) ? ids : undefined;
}

/** dockerd refuses the whole answer for a `CreatedAt` that is none; here it only goes unsaid. */
function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text));
}

/** So deep is no volume; and whoever passes on what a driver says walks through it, call by call. */
const MOST_NESTED = 64;

function isNestedTooDeep(body: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < body.length; at += 1) {
    const character = body[at];
    if (inText && character === '\\') at += 1;
    else if (character === '"') inText = !inText;
    else if (inText) continue;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > MOST_NESTED) return true;
  }
  return false;
}

function parseObject(body: string): Fields | undefined {
  if (isNestedTooDeep(body)) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go, in which most plugins are written, matches keys without regard to case; `null` is absent. */
function field(fields: Fields, name: string): unknown {
  const exact = fields[name];
  if (exact !== undefined) return exact ?? undefined;
  const key = Object.keys(fields).find((other) => other.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (fields[key] ?? undefined);
}

function textField(fields: Fields, name: string): string | undefined {
  const value = field(fields, name);
  return typeof value === 'string' ? value : undefined;
}
