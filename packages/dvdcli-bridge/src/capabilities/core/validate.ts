/** Static validation: what driver, names, options and policies can be seen to be wrong before anything is launched. */
import { DRIVER_NAME_RULE, isDriverName } from '../../names.ts';
import { charactersIn, DVDI_FORBIDDEN, nameOfCharacter } from './characters.ts';
import { DRIVERS, knownDriver, type KnownDriver } from './drivers.ts';
import { PATHS, type PathName } from './paths.ts';

/** What a cluster is started with, as far as volumes go. */
export interface VolumePlan {
  readonly path: PathName;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  /** First part of every volume name. */
  readonly frameworkName: string;
  readonly runtime: 'docker' | 'jar';
  readonly suspectPolicy: 'wait' | 'fence' | 'preempt';
  /** The operator's word that the driver revokes. */
  readonly driverRevokes: boolean;
  /** User that the node runs as. */
  readonly uid: number;
}

/** The part of the plan that is at fault; the caller knows the flag's name. */
export type PlanPart =
  'path' | 'driver' | 'options' | 'frameworkName' | 'runtime' | 'suspectPolicy' | 'driverRevokes';

export interface Violation {
  readonly part: PlanPart;
  /** What was given. */
  readonly value: string;
  /** The characters at fault, where it is about characters. */
  readonly characters: readonly string[];
  /** `wanted …`: what is wrong, why, and what to do. */
  readonly message: string;
}

/** Every violation at once, in the order of the flags. Empty: nothing can be seen to be wrong. */
export function validateVolumePlan(plan: VolumePlan): readonly Violation[] {
  const known = knownDriver(plan.driver);
  return [
    ...runtimeViolations(plan),
    ...reachViolations(plan, known),
    ...driverNameViolations(plan),
    ...frameworkNameViolations(plan),
    ...optionViolations(plan),
    ...driverOptionViolations(plan, known),
    ...policyViolations(plan, known),
  ];
}

function violation(
  part: PlanPart,
  value: string,
  message: string,
  characters: readonly string[] = [],
): Violation {
  return { part, value, characters, message };
}

function runtimeViolations({ path, runtime }: VolumePlan): readonly Violation[] {
  if (PATHS[path].runtimes.value.includes(runtime)) return [];
  return path === 'engine'
    ? [
        violation(
          'path',
          path,
          'engine reaches volumes through containers: wanted plugin-socket or dvdcli with frameworkUseDocker false',
        ),
      ]
    : [
        violation(
          'runtime',
          runtime,
          `wanted false with ${path}, got true: it mounts for the Mesos containerizer, and a Docker container does not see it`,
        ),
      ];
}

function reachViolations({ path, driver }: VolumePlan, known: KnownDriver | undefined): readonly Violation[] {
  const reachedBy = known === undefined ? undefined : DRIVERS[known].reachedBy.value;
  if (reachedBy === undefined || reachedBy.includes(path)) return [];
  const wanted = reachedBy.join(' or ');
  const why = `the driver ${driver} is built into Docker and cannot be reached otherwise`;
  return [
    violation(
      'path',
      path,
      PATHS[path].mountedBy.value === 'agent'
        ? `wanted executor, with volumePath ${wanted}, got ${path}: ${why}`
        : `wanted ${wanted}, got ${path}: ${why}`,
    ),
  ];
}

function driverNameViolations({ path, driver }: VolumePlan): readonly Violation[] {
  if (!isDriverName(driver))
    return [violation('driver', driver, `wanted a driver name (${DRIVER_NAME_RULE}), got ${quoted(driver)}`)];
  const forbidden =
    path === 'dvdi-isolator' ? DVDI_FORBIDDEN : PATHS[path].managedPlugins.value ? [] : ['/', ':'];
  const bad = charactersIn(driver, forbidden);
  if (bad.length === 0) return [];
  const what = `${path} cannot carry ${listed(bad)} in a driver name`;
  return [
    violation(
      'driver',
      driver,
      `wanted the plugin's short name, got ${quoted(driver)}: ${what}; reach a managed plugin by plugin-socket or engine, or install it under an alias`,
      bad,
    ),
  ];
}

/** Longest volume name: framework name, node ID of at most 10 digits, `config`. */
const MOST_FRAMEWORK_NAME = 255 - 10 - 'config'.length;

function frameworkNameViolations({ path, frameworkName }: VolumePlan): readonly Violation[] {
  const found: Violation[] = [];
  if (frameworkName.length > MOST_FRAMEWORK_NAME) {
    found.push(
      violation(
        'frameworkName',
        frameworkName,
        `wanted at most ${MOST_FRAMEWORK_NAME} characters, got ${frameworkName.length}: volume names have 255 at most`,
      ),
    );
  }
  const bad = path === 'dvdi-isolator' ? charactersIn(frameworkName, DVDI_FORBIDDEN) : [];
  if (bad.length > 0) {
    found.push(
      violation(
        'frameworkName',
        frameworkName,
        `wanted a name without ${listed(bad)}: it begins every volume name, and ${path} refuses it there`,
        bad,
      ),
    );
  }
  return found;
}

function optionViolations({ path, options }: VolumePlan): readonly Violation[] {
  const { optionsForbid, equalsInValues } = PATHS[path];
  return Object.entries(options).flatMap(([key, value]) => {
    const found: Violation[] = [];
    const given = `${key}=${value}`;
    const bad = charactersIn(`${key}${value}`, optionsForbid.value);
    if (bad.length > 0)
      found.push(
        violation(
          'options',
          given,
          `${quoted(given)} has ${listed(bad)}, which ${path} cannot carry (${optionsForbid.source}): ${insteadOf(path)}`,
          bad,
        ),
      );
    if (!equalsInValues.value && path === 'dvdcli-original' && value.includes('=')) {
      found.push(
        violation(
          'options',
          given,
          `${quoted(given)} has a second "=", and the original dvdcli drops what follows it: use our dvdcli, or volumePath plugin-socket`,
          ['='],
        ),
      );
    }
    if (key.includes('='))
      found.push(
        violation('options', given, `${quoted(key)} has "=", which ends a key: wanted a key without it`, [
          '=',
        ]),
      );
    return found;
  });
}

function insteadOf(path: PathName): string {
  return path === 'dvdi-isolator' || path === 'docker-volume-isolator'
    ? 'create the volumes beforehand with these options (mesos-elasticsearch volumes create) and leave the option out, or mount by the executor'
    : 'use volumePath plugin-socket';
}

function driverOptionViolations(
  { options, driver, uid }: VolumePlan,
  known: KnownDriver | undefined,
): readonly Violation[] {
  if (known === undefined) return [];
  const found: Violation[] = [];
  const given = (key: string) => Object.entries(options).filter(([name]) => isSpelling(known, name, key));
  for (const rule of DRIVERS[known].options.value) {
    const entries = given(rule.key);
    if (rule.required && entries.length === 0)
      found.push(violation('options', '', `${rule.key} is missing for ${driver}: ${rule.wanted}`));
    for (const [key, value] of entries) {
      if (rule.pattern?.test(value) === true) continue;
      found.push(
        violation('options', `${key}=${value}`, `${quoted(`${key}=${value}`)} for ${driver}: ${rule.wanted}`),
      );
    }
  }
  if (known === 'rclone' && uid !== 0) {
    const entries = given('allow-other');
    if (entries.length === 0 || !entries.every(([, value]) => GO_TRUE.test(value)))
      found.push(
        violation(
          'options',
          entries.map((entry) => entry.join('=')).join(','),
          `allow-other=true is missing for ${driver}: user ${uid}, whom the node runs as, could not read its volumes`,
        ),
      );
  }
  return [...found, ...twinViolations(options, driver, known)];
}

/** What Go reads as true. */
const GO_TRUE = /^(?:1|t|T|true|True|TRUE)$/;

/** REX-Ray and rclone take their keys in any case, rclone also with "_" for "-"; hostdir and local as they are. */
function isSpelling(driver: KnownDriver, name: string, key: string): boolean {
  return normalKey(driver, name) === key;
}

function normalKey(driver: KnownDriver, name: string): string {
  switch (driver) {
    case 'rclone':
      return name.toLowerCase().replaceAll('_', '-');
    case 'rexray':
      return name.toLowerCase();
    case 'hostdir':
    case 'local':
      return name;
  }
}

/** Of two spellings of one option the driver takes either. */
function twinViolations(
  options: Readonly<Record<string, string>>,
  driver: string,
  known: KnownDriver,
): readonly Violation[] {
  const first = new Map<string, string>();
  return Object.keys(options).flatMap((key) => {
    const normal = normalKey(known, key);
    const twin = first.get(normal);
    first.set(normal, twin ?? key);
    if (twin === undefined) return [];
    const message = `${quoted(twin)} and ${quoted(key)} are one option to ${driver}: wanted one of them`;
    return [violation('options', `${key}=${options[key] ?? ''}`, message)];
  });
}

function policyViolations(plan: VolumePlan, known: KnownDriver | undefined): readonly Violation[] {
  const { path, driver, suspectPolicy, driverRevokes } = plan;
  const found: Violation[] = [];
  const revokes = known === undefined ? undefined : DRIVERS[known].revokes;
  if (driverRevokes && revokes?.value === 'never') {
    found.push(
      violation(
        'driverRevokes',
        'true',
        `wanted false, got true: ${driver} takes a volume away from nobody (${revokes.says}); give a fenceCommand, or another suspectPolicy`,
      ),
    );
  }
  if (
    suspectPolicy === 'fence' &&
    PATHS[path].mountedBy.value === 'agent' &&
    (!driverRevokes || revokes?.value === 'never')
  ) {
    found.push(
      violation(
        'suspectPolicy',
        'fence',
        `wanted wait with ${path}, or driverRevokes for a driver that fences, got fence: the agent unmounts, and nothing tells when`,
      ),
    );
  }
  return found;
}

/**
 * What the driver does not promise, and no setting can mend: to be said when the scheduler starts, and no reason not to.
 * Pure.
 */
export function cautionsOf({ driver }: Pick<VolumePlan, 'driver'>): readonly string[] {
  const known = knownDriver(driver);
  if (known === undefined) return [];
  const { keepsFsynced, reachedBy, scope } = DRIVERS[known];
  const found: string[] = [];
  if (!keepsFsynced.value) {
    found.push(
      `${driver} does not keep what was fsynced when a host dies (${keepsFsynced.says}): documents that were acknowledged may be lost with a machine`,
    );
  }
  if (reachedBy.value !== undefined && scope.value === 'local') {
    found.push(
      `volumes of ${driver} stay on their host: a node that is moved to another host does not find its data there, and waits`,
    );
  }
  return found;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function listed(characters: readonly string[]): string {
  return characters.map(nameOfCharacter).join(', ');
}
