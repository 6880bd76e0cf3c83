/** What each way to reach a volume can and cannot do. The source of each cell stands beside it. */
import { DVDI_FORBIDDEN } from './characters.ts';
import { fact, no, yes, type Fact } from './fact.ts';

export const PATH_NAMES = [
  'plugin-socket',
  'engine',
  'dvdcli',
  'dvdcli-original',
  'dvdi-isolator',
  'docker-volume-isolator',
] as const;
/** `dvdcli` is our command, `dvdcli-original` the one of that name; the isolators are Mesos's on the agent. */
export type PathName = (typeof PATH_NAMES)[number];

export interface PathCapabilities {
  readonly mountedBy: Fact<'executor' | 'engine' | 'agent'>;
  readonly runtimes: Fact<readonly ('docker' | 'jar')[]>;
  readonly attachment: Fact<'host-path' | 'container-mount' | 'container-path'>;
  readonly takesOptions: Fact<boolean>;
  /** Characters that no key or value of an option may have. */
  readonly optionsForbid: Fact<readonly string[]>;
  /** What follows a second `=` in an option reaches the driver. */
  readonly equalsInValues: Fact<boolean>;
  /** A plugin's name may have slashes and a tag: `vieux/sshfs:latest`. */
  readonly managedPlugins: Fact<boolean>;
  /** Characters that no volume name may have, beyond letters, digits, `_`, `.` and `-` being allowed. */
  readonly volumeNames: Fact<{ readonly caseSensitive: boolean }>;
  readonly readOnly: Fact<boolean>;
  /** Two users on one host at once. */
  readonly sharing: Fact<boolean>;
  /** The driver is told who mounts, so that one user letting go keeps the other's mount. */
  readonly countsConsumers: Fact<boolean>;
  readonly size: Fact<'option'>;
  /** create-first: made with its options before it is mounted. mount-creates: the mount makes what is missing. */
  readonly creation: Fact<'create-first' | 'mount-creates'>;
  readonly verifies: Fact<'before-start' | 'after-start'>;
  /** The end of the task says that the volume is unmounted. */
  readonly unmountProven: Fact<boolean>;
  /** What a call may take, in milliseconds; undefined: for ever. */
  readonly mountLimitMs: Fact<number | undefined>;
}

const OURS = 'by design, run by the behavioural suite';
const DESIGN = 'by design';
const DVDCLI = 'observed with dvdcli 0.2.1';
const DVDI = 'read in mesos-module-dvdi 0.4.7, observed on Mesos 1.3.2';
const DOCKER_VOLUME = 'read in the docker/volume isolator of Mesos 1.3.2, observed there';
const ENGINE = 'observed with dockerd 20.10';
const PROTOCOL = "Docker's volume plugin protocol";

const AS_SPELT = fact({ caseSensitive: true }, '2 to 255 of A-Z a-z 0-9 _ . -', 'rule of this project');
const ANY_OPTION = fact([], 'any', PROTOCOL);
const NO_COMMA = (source: string) => fact([','], 'no comma', source);
const SIZE: Fact<'option'> = fact('option', 'as an option, where the driver has one', PROTOCOL);

export const PATHS: Readonly<Record<PathName, PathCapabilities>> = {
  'plugin-socket': {
    mountedBy: fact('executor', 'the executor', OURS),
    runtimes: fact(['docker', 'jar'], 'docker, jar', OURS),
    attachment: fact('host-path', 'a directory of the host', OURS),
    takesOptions: yes(PROTOCOL, 'yes, at creation'),
    optionsForbid: ANY_OPTION,
    equalsInValues: yes(PROTOCOL),
    managedPlugins: yes('names are looked up in the Engine, sockets by plugin ID'),
    volumeNames: AS_SPELT,
    readOnly: no('the protocol has no read-only mount'),
    sharing: yes('a mount ID per consumer', 'yes, where the driver lets it'),
    countsConsumers: yes('a mount ID per consumer, since Docker 1.12'),
    size: SIZE,
    creation: fact('create-first', 'made first, with its options', OURS),
    verifies: fact('before-start', 'path and marker, before the start', OURS),
    unmountProven: yes('the executor ends its task after the unmount only'),
    mountLimitMs: fact(120_000, '120 s', "Docker's own limit"),
  },
  engine: {
    mountedBy: fact('engine', 'the Docker Engine, while a container runs', ENGINE),
    runtimes: fact(['docker'], 'docker', 'the Engine has no mount call'),
    attachment: fact('container-mount', 'a mount inside the container', ENGINE),
    takesOptions: yes(ENGINE, 'yes, at creation'),
    optionsForbid: ANY_OPTION,
    equalsInValues: yes(ENGINE),
    managedPlugins: yes(ENGINE),
    volumeNames: AS_SPELT,
    readOnly: no('not used: a node writes both of its volumes'),
    sharing: yes(ENGINE, 'yes, each container with an ID of its own'),
    countsConsumers: yes(ENGINE),
    size: SIZE,
    creation: fact('create-first', 'made first, with its options', OURS),
    verifies: fact('after-start', 'in the container, and its mounts after the start', OURS),
    unmountProven: yes('a stopped container has nothing mounted'),
    mountLimitMs: fact(
      150_000,
      '150 s',
      'longer than dockerd itself waits: 15 s to find a driver, then 120 s',
    ),
  },
  dvdcli: {
    mountedBy: fact('executor', 'the executor', OURS),
    runtimes: fact(['docker', 'jar'], 'docker, jar', OURS),
    attachment: fact('host-path', 'a directory of the host', OURS),
    takesOptions: yes(OURS, 'yes, at creation'),
    optionsForbid: NO_COMMA('its flag is cut at commas, as the original cuts it'),
    equalsInValues: yes('it keeps what follows the first "="'),
    managedPlugins: yes('the same look-up as for plugin-socket'),
    volumeNames: AS_SPELT,
    readOnly: no('the protocol has no read-only mount'),
    sharing: no('no mount ID: the driver sees one caller', 'no: one consumer on a host'),
    countsConsumers: no('no mount ID unless asked for by flag'),
    size: SIZE,
    creation: fact('create-first', 'made first, with its options', OURS),
    verifies: fact('before-start', 'path and marker, before the start', OURS),
    unmountProven: yes('the executor ends its task after the unmount only'),
    mountLimitMs: fact(110_000, '110 s, then its processes are killed', 'below the 120 s of Mesos'),
  },
  'dvdcli-original': {
    mountedBy: fact('executor', 'the executor', OURS),
    runtimes: fact(['docker', 'jar'], 'docker, jar', OURS),
    attachment: fact('host-path', 'a directory of the host', DVDCLI),
    takesOptions: yes(DVDCLI, 'yes, at creation'),
    optionsForbid: NO_COMMA(DVDCLI),
    equalsInValues: no(`${DVDCLI}: it drops what follows a second "="`),
    managedPlugins: no(`${DVDCLI}: it looks in directories only`),
    volumeNames: AS_SPELT,
    readOnly: no(DVDCLI),
    sharing: no(DVDCLI, 'no: one consumer on a host'),
    countsConsumers: no(`${DVDCLI}: it sends no mount ID`),
    size: SIZE,
    creation: fact('create-first', 'made first, with its options', OURS),
    verifies: fact('before-start', 'path and marker, before the start', OURS),
    unmountProven: yes('the executor ends its task after the unmount only'),
    mountLimitMs: fact(
      110_000,
      '110 s, then its processes are killed',
      `${DVDCLI}: it has no limit, we have`,
    ),
  },
  'dvdi-isolator': {
    mountedBy: fact('agent', 'the agent, by mesos-module-dvdi', DVDI),
    runtimes: fact(['jar'], 'jar', 'an isolator of the Mesos containerizer'),
    attachment: fact('container-path', 'a path inside the container', DVDI),
    takesOptions: yes(DVDI, 'yes, when the mount creates it'),
    optionsForbid: fact(
      [',', ...DVDI_FORBIDDEN],
      'no comma, and none of % / : ; < > | backtick $ \' ? ^ & { } [ ] " \\ blank, control',
      DVDI,
    ),
    equalsInValues: no(`${DVDCLI}, which the isolator calls`, 'with our dvdcli only'),
    managedPlugins: no(`${DVDI}: it refuses "/" and ":"`),
    volumeNames: fact({ caseSensitive: false }, 'the same; A and a are one volume to it', DVDI),
    readOnly: no(DVDI),
    sharing: no(`${DVDI}: with a container path the launch fails`),
    countsConsumers: no(`${DVDI}: it counts by itself, and forgets when the agent restarts`),
    size: SIZE,
    creation: fact('mount-creates', 'the mount makes what is missing', DVDI),
    verifies: fact('before-start', 'mount and marker, before the start', DESIGN),
    unmountProven: no(`${DVDI}: a failed unmount is a warning`),
    mountLimitMs: fact(undefined, 'none: a driver that hangs stalls the agent', DVDI),
  },
  'docker-volume-isolator': {
    mountedBy: fact('agent', 'the agent, by docker/volume', DOCKER_VOLUME),
    runtimes: fact(['jar'], 'jar', 'an isolator of the Mesos containerizer'),
    attachment: fact('container-path', 'a path inside the container', DOCKER_VOLUME),
    takesOptions: yes(DOCKER_VOLUME, 'yes, when the mount creates it'),
    optionsForbid: NO_COMMA(`${DVDCLI}, which the isolator calls`),
    equalsInValues: no(`${DVDCLI}, which the isolator calls`, 'with our dvdcli only'),
    managedPlugins: no(`${DVDCLI}, which the isolator calls`, 'with our dvdcli only'),
    volumeNames: AS_SPELT,
    readOnly: no(DOCKER_VOLUME, 'no; Mesos 1.7 and newer could'),
    sharing: yes(DOCKER_VOLUME),
    countsConsumers: no(`${DOCKER_VOLUME}: a mount per container, one unmount per volume`),
    size: SIZE,
    creation: fact('mount-creates', 'the mount makes what is missing', DOCKER_VOLUME),
    verifies: fact('before-start', 'mount and marker, before the start', DESIGN),
    unmountProven: no('the executor ends before the agent unmounts'),
    mountLimitMs: fact(120_000, '120 s, then its processes are killed', DOCKER_VOLUME),
  },
};
