/**
 * The parameters of mesos-module-dvdi as the environment of a command carries them, both ways. The grammar is the
 * module's own (0.4.7): `DVDI_VOLUME_<PARAMETER>` with no suffix or one digit, which belong together by that suffix.
 */

const PREFIX = 'DVDI_VOLUME_';
const PARAMETERS = ['NAME', 'DRIVER', 'OPTS', 'CONTAINERPATH', 'DVDCLI', 'EXPLICITCREATE'] as const;
type Parameter = (typeof PARAMETERS)[number];

/** What the module takes where no driver is named. */
export const DVDI_DEFAULT_DRIVER = 'rexray';
export const DVDI_DEFAULT_PROGRAM = '/usr/bin/dvdcli';

/** One volume as the module mounts it. */
export interface DvdiMount {
  /** 0: without a suffix; 1 to 9: with that digit. */
  readonly slot: number;
  readonly name: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  /** Absent: mounted on the host, and not bound into the container. */
  readonly containerPath?: string;
  /** The dvdcli command on the agent; absent: {@link DVDI_DEFAULT_PROGRAM}. */
  readonly dvdcli?: string;
  /** Fail where the volume is missing, instead of creating it. */
  readonly explicitCreate: boolean;
}

/**
 * compat: what the module would do, notices included; a path that is `/` or has `..` is refused nevertheless.
 * strict: what is safe and means one thing only; what the module ignores in silence, or hands to a shell, is refused.
 */
export type DvdiMode = 'strict' | 'compat';

export interface DecodedDvdi {
  /** By slot. */
  readonly mounts: readonly DvdiMount[];
  /** compat: what the module passes over in silence, in words. */
  readonly notices: readonly string[];
}

/** Names the variable, and the character where one is at fault. */
export class DvdiVariablesError extends Error {
  override readonly name = 'DvdiVariablesError';
  readonly variable: string;

  constructor(variable: string, message: string) {
    super(`${variable} ${message}`);
    this.variable = variable;
  }
}

/**
 * What mesos-module-dvdi 0.4.7 refuses in DVDI_VOLUME_NAME, DRIVER, OPTS and EXPLICITCREATE: it puts them into a
 * line for `sh -c`. 26 characters, as its source lists them; `( ) * ! # ~` pass although a shell takes them too.
 */
export const DVDI_FORBIDDEN: readonly string[] = Array.from('%/:;\0<>|`$\'?^& {"}[]\n\t\v\b\r\\');
/** Of those that the module lets pass, a shell takes these for its own in the middle of a word, and every launch fails. */
const MISREAD_BY_SHELLS = ['(', ')'];
/** A shell of the module's gets the path; these it would take for its own as well. */
const HAZARDOUS_IN_PATHS = [...DVDI_FORBIDDEN.filter((each) => each !== '/'), ...Array.from('()*!#~')];
const CHARACTER_NAMES: Readonly<Record<string, string>> = {
  '\0': 'NUL',
  '\n': 'LF',
  '\t': 'TAB',
  '\v': 'VT',
  '\b': 'BS',
  '\r': 'CR',
  ' ': 'a blank',
};

/** The first character of `text` that the module prohibits in names, drivers and options, in words. */
export function prohibitedByDvdi(text: string): string | undefined {
  return firstOf(DVDI_FORBIDDEN, text);
}

function firstOf(set: readonly string[], text: string): string | undefined {
  const found = Array.from(text).find((character) => set.includes(character));
  return found === undefined ? undefined : (CHARACTER_NAMES[found] ?? JSON.stringify(found));
}

/**
 * The volumes that these variables ask the module for. Variables of other names are not looked at.
 * @throws DvdiVariablesError
 */
export function decodeDvdiVariables(
  variables: Readonly<Record<string, string>>,
  mode: DvdiMode = 'strict',
): DecodedDvdi {
  const slots = new Map<number, Slot>();
  for (const [variable, value] of Object.entries(variables)) {
    const place = placeOf(variable);
    if (place === undefined) continue;
    checkCharacters(variable, place.parameter, value, mode);
    const slot = slots.get(place.slot) ?? (new Map() as Slot);
    const twin = slot.get(place.parameter);
    if (twin !== undefined && mode === 'strict') {
      throw new DvdiVariablesError(variable, `is the same parameter as ${twin.variable}: keep one of them`);
    }
    slot.set(place.parameter, { variable, value });
    slots.set(place.slot, slot);
  }
  const notices: string[] = [];
  const mounts: DvdiMount[] = [];
  for (const [number, slot] of [...slots].sort(([a], [b]) => a - b)) {
    const mount = mountOf(number, slot, mode, notices);
    if (mount !== undefined) addMount(mounts, mount, mode, notices);
  }
  return { mounts, notices };
}

type Slot = Map<Parameter, { readonly variable: string; readonly value: string }>;

/** A name that merely begins like a parameter and does not end in one digit fails the launch in the module. */
function placeOf(variable: string): { parameter: Parameter; slot: number } | undefined {
  for (const parameter of PARAMETERS) {
    const whole = `${PREFIX}${parameter}`;
    if (!variable.startsWith(whole)) continue;
    const suffix = variable.slice(whole.length);
    if (suffix === '') return { parameter, slot: 0 };
    if (/^[0-9]$/.test(suffix)) return { parameter, slot: Number(suffix) };
    throw new DvdiVariablesError(
      variable,
      `has the suffix ${JSON.stringify(suffix)}: wanted none, or one digit from 1 to 9`,
    );
  }
  return undefined;
}

/** Each variable by itself, whether another one of its slot replaces it or not. */
function checkCharacters(variable: string, parameter: Parameter, value: string, mode: DvdiMode): void {
  if (parameter === 'CONTAINERPATH' || parameter === 'DVDCLI') return;
  // Whether the module trims a boolean before or after this was not seen; it is never sent with blanks from here.
  const bad = prohibitedByDvdi(parameter === 'EXPLICITCREATE' ? value.trim() : value);
  if (bad !== undefined) {
    throw new DvdiVariablesError(variable, `has a character that mesos-module-dvdi prohibits: ${bad}`);
  }
  const misread = mode === 'strict' ? firstOf(MISREAD_BY_SHELLS, value) : undefined;
  if (misread !== undefined) {
    throw new DvdiVariablesError(
      variable,
      `has a character that mesos-module-dvdi lets pass, and its shell fails at: ${misread}`,
    );
  }
}

function mountOf(slot: number, given: Slot, mode: DvdiMode, notices: string[]): DvdiMount | undefined {
  const read = (parameter: Parameter) => given.get(parameter)?.value ?? '';
  const variable = (parameter: Parameter) => given.get(parameter)?.variable ?? variableOf(parameter, slot);
  if (read('NAME') === '') {
    const others = [...given.values()].map((each) => each.variable).filter((one) => one !== variable('NAME'));
    if (others.length === 0) return undefined;
    const lost = `is missing, so ${others.join(', ')} ${others.length === 1 ? 'says' : 'say'} nothing: slot ${slotName(slot)} names no volume`;
    if (mode === 'strict') throw new DvdiVariablesError(variable('NAME'), lost);
    notices.push(`${variable('NAME')} ${lost}`);
    return undefined;
  }
  const containerPath = read('CONTAINERPATH');
  const dvdcli = read('DVDCLI');
  return {
    slot,
    name: read('NAME'),
    driver: read('DRIVER') === '' ? DVDI_DEFAULT_DRIVER : read('DRIVER'),
    options: optionsOf(variable('OPTS'), read('OPTS'), mode),
    ...(containerPath === ''
      ? {}
      : { containerPath: pathOf(variable('CONTAINERPATH'), containerPath, mode) }),
    ...(dvdcli === '' ? {} : { dvdcli: pathOf(variable('DVDCLI'), dvdcli, mode) }),
    explicitCreate: read('EXPLICITCREATE').trim().toLowerCase() === 'true',
  };
}

function variableOf(parameter: Parameter, slot: number): string {
  return `${PREFIX}${parameter}${slot === 0 ? '' : String(slot)}`;
}
function slotName(slot: number): string {
  return slot === 0 ? '0 (no suffix)' : String(slot);
}

/** Cut at commas, then at the first `=`; empty pieces are dropped. dvdcli crashes on a piece without `=`. */
function optionsOf(variable: string, text: string, mode: DvdiMode): Record<string, string> {
  const options = new Map<string, string>();
  for (const piece of text.split(',')) {
    if (piece === '') continue;
    const cut = piece.indexOf('=');
    if (cut < 1) {
      throw new DvdiVariablesError(
        variable,
        `has the option ${JSON.stringify(piece)}, which is not of the form key=value`,
      );
    }
    const key = piece.slice(0, cut);
    if (options.has(key) && mode === 'strict') {
      throw new DvdiVariablesError(variable, `has the option ${JSON.stringify(key)} twice`);
    }
    options.set(key, piece.slice(cut + 1));
  }
  return Object.fromEntries(options);
}

function pathOf(variable: string, path: string, mode: DvdiMode): string {
  if (!path.startsWith('/')) {
    throw new DvdiVariablesError(variable, `is ${JSON.stringify(path)}: wanted an absolute path`);
  }
  if (path.split('/').includes('..')) {
    throw new DvdiVariablesError(
      variable,
      `is ${JSON.stringify(path)}: a path with ".." leads who knows where`,
    );
  }
  const bad = firstOf(mode === 'strict' ? HAZARDOUS_IN_PATHS : ['\0'], path);
  if (bad !== undefined) {
    throw new DvdiVariablesError(
      variable,
      `has a character that a shell of the module's would misread: ${bad}`,
    );
  }
  const normal = `/${path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/')}`;
  if (normal === '/') throw new DvdiVariablesError(variable, 'is "/", which nothing can be mounted over');
  return normal;
}

/** The module tells volumes apart without regard to case. */
function addMount(mounts: DvdiMount[], mount: DvdiMount, mode: DvdiMode, notices: string[]): void {
  const identity = ({ driver, name }: DvdiMount) => `${driver}\0${name}`.toLowerCase();
  const twin = mounts.find((other) => identity(other) === identity(mount));
  const same = mounts.find(
    ({ containerPath }) => containerPath !== undefined && containerPath === mount.containerPath,
  );
  const variable = variableOf('NAME', mount.slot);
  if (twin !== undefined) {
    const text = `names volume ${mount.name} of driver ${mount.driver}, which slot ${slotName(twin.slot)} has already`;
    if (mode === 'strict' || mount.containerPath !== undefined) throw new DvdiVariablesError(variable, text);
    notices.push(`${variable} ${text}: it is mounted once`);
    return;
  }
  if (same !== undefined) {
    const text = `is ${mount.containerPath ?? ''}, which slot ${slotName(same.slot)} has already`;
    if (mode === 'strict')
      throw new DvdiVariablesError(
        variableOf('CONTAINERPATH', mount.slot),
        `${text}: one would hide the other`,
      );
    notices.push(`${variableOf('CONTAINERPATH', mount.slot)} ${text}: it hides that volume`);
  }
  mounts.push(mount);
}

/**
 * The inverse of {@link decodeDvdiVariables}: all parameters of a volume get its slot's suffix. The original
 * framework left it off the path, and its data went to the agent's disk.
 * @throws DvdiVariablesError for what the module, or a shell, would take amiss
 */
export function encodeDvdiVariables(mounts: readonly DvdiMount[]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const mount of mounts) {
    const { slot, name, driver, options, containerPath, dvdcli } = mount;
    if (!Number.isInteger(slot) || slot < 0 || slot > 9) {
      throw new DvdiVariablesError(
        `${PREFIX}NAME${String(slot)}`,
        'has no slot: mesos-module-dvdi takes 10 volumes, 0 to 9',
      );
    }
    const set = (parameter: Parameter, value: string) => {
      const variable = variableOf(parameter, slot);
      if (Object.hasOwn(variables, variable))
        throw new DvdiVariablesError(variable, 'is wanted by two volumes');
      variables[variable] = value;
    };
    if (name === '') throw new DvdiVariablesError(variableOf('NAME', slot), 'is empty');
    set('NAME', name);
    set('DRIVER', driver);
    const pieces = Object.entries(options).map(([key, value]) =>
      optionText(variableOf('OPTS', slot), key, value),
    );
    if (pieces.length > 0) set('OPTS', pieces.join(','));
    if (containerPath !== undefined) set('CONTAINERPATH', containerPath);
    if (dvdcli !== undefined) set('DVDCLI', dvdcli);
    if (mount.explicitCreate) set('EXPLICITCREATE', 'true');
  }
  // What cannot be read back as it was meant is not sent.
  decodeDvdiVariables(variables, 'strict');
  return variables;
}

function optionText(variable: string, key: string, value: string): string {
  if (key === '' || key.includes('=')) {
    throw new DvdiVariablesError(
      variable,
      `has the option ${JSON.stringify(key)}: a key is not empty and has no "="`,
    );
  }
  if (key.includes(',') || value.includes(',')) {
    throw new DvdiVariablesError(
      variable,
      `has a comma in the option ${JSON.stringify(key)}: it would be cut there`,
    );
  }
  return `${key}=${value}`;
}

/** Whether the module makes the directory itself: it does below /tmp, everything else must be on the agent. */
export function isMadeByDvdi(containerPath: string): boolean {
  return containerPath.startsWith('/tmp/');
}
