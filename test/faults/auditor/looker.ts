/** One look at all processes: who has files of which volume open. */
import { parseMountinfo, Places, VolumeMap } from './mounts.ts';
import {
  commandOf,
  environmentOf,
  factsOf,
  mappedFiles,
  mountinfoOf,
  namespaceOf,
  openFiles,
  pids,
  type ProcessFacts,
} from './proc.ts';
import type { Sighting, Store } from './records.ts';

/** What stays true of a process for as long as it lives, or nearly so. */
interface Known {
  readonly startTicks: string;
  readonly task: string;
  /** Below a Mesos executor: looked at each time. */
  readonly ofTask: boolean;
  readonly mountNamespace: string | undefined;
  readonly command: string;
}

/** Processes of no task, and mappings, are looked at this much less often: they change slowly. */
const RARELY = 8;
/** In the environment of every executor, and of what it starts; a Mesos agent sets it. */
const TASK_VARIABLE = 'MESOS_DIRECTORY';

interface KnownPlaces {
  /** When the mount table was last read. */
  readonly look: number;
  readonly text: string;
  readonly volumes: readonly VolumeMap[];
  readonly places: Places;
}

export class Looker {
  readonly #stores: readonly Store[];
  readonly #known = new Map<number, Known>();
  readonly #own = namespaceOf(process.pid, 'mnt') ?? 'own';
  readonly #ownPids = namespaceOf(process.pid, 'pid');
  /** By mount namespace. */
  readonly #places = new Map<string, KnownPlaces>();
  #ownMounts = '';
  #volumes: readonly VolumeMap[] = [];
  #looks = 0;

  constructor(stores: readonly Store[]) {
    this.#stores = stores;
  }

  look(): Sighting[] {
    const rare = this.#looks % RARELY === 0;
    this.#looks += 1;
    this.#readOwnMounts();
    const alive = new Set<number>();
    const sightings = pids().flatMap((pid) => {
      if (pid === process.pid) return [];
      const facts = factsOf(pid);
      if (facts === undefined) return [];
      alive.add(pid);
      const known = this.#know(facts, rare);
      return known.ofTask || rare ? this.#sightingsOf(facts, known, rare) : [];
    });
    for (const pid of this.#known.keys()) if (!alive.has(pid)) this.#known.delete(pid);
    return sightings;
  }

  #readOwnMounts(): void {
    const text = mountinfoOf('self');
    if (text === this.#ownMounts) return;
    this.#ownMounts = text;
    const mounts = parseMountinfo(text);
    this.#volumes = this.#stores.map((store) => new VolumeMap(store, mounts));
  }

  /** The same process again, with everything. */
  again({ pid, startTicks }: Pick<Sighting, 'pid' | 'startTicks'>): Sighting[] {
    const facts = factsOf(pid);
    if (facts === undefined || facts.startTicks !== startTicks) return [];
    return this.#sightingsOf(facts, this.#know(facts, false), true);
  }

  /** Where the volumes of this device are mounted, as the auditor sees it. */
  mountPointsOf(device: string): string[] {
    return parseMountinfo(this.#ownMounts)
      .filter((mount) => mount.device === device)
      .map((mount) => mount.point);
  }

  #know(facts: ProcessFacts, rare: boolean): Known {
    const { pid, startTicks } = facts;
    const known = this.#known.get(pid);
    const before = known?.startTicks === startTicks ? known : undefined;
    if (before !== undefined && !rare) return before;
    // An exec changes the command, and perhaps the environment; never whose process it is.
    const task = before?.ofTask === true ? before.task : this.#taskOf(facts);
    const now: Known = {
      startTicks,
      task: task ?? this.#apart(facts),
      ofTask: task !== undefined,
      mountNamespace: namespaceOf(pid, 'mnt'),
      command: commandOf(pid),
    };
    this.#known.set(pid, now);
    return now;
  }

  /** By its environment, else its parent's task: a process may be started with an empty environment. */
  #taskOf({ pid, parent }: ProcessFacts): string | undefined {
    const directory = environmentOf(pid, TASK_VARIABLE);
    if (directory !== undefined) return directory;
    const above = this.#known.get(parent);
    return above?.ofTask === true ? above.task : undefined;
  }

  /** Of no task: one for each PID namespace (a container), else for each session. */
  #apart({ pid, session }: ProcessFacts): string {
    const namespace = namespaceOf(pid, 'pid');
    return namespace !== undefined && namespace !== this.#ownPids ? namespace : `session:${session}`;
  }

  #sightingsOf({ pid, startTicks }: ProcessFacts, known: Known, withMaps: boolean): Sighting[] {
    const places = this.#placesOf(pid, known.mountNamespace);
    const wanted = (path: string) => places.find(path) !== undefined;
    const files = openFiles(pid, wanted);
    const found = new Map<string, Sighting>();
    for (const { path, writing } of withMaps ? [...files, ...mappedFiles(pid, wanted)] : files) {
      const place = places.find(path);
      if (place === undefined) continue;
      const { volume, device } = place;
      const before = found.get(volume);
      if (before !== undefined && (before.writing || !writing)) continue;
      const { task, command } = known;
      found.set(volume, { volume, pid, startTicks, task, writing, file: path, device, command });
    }
    return [...found.values()];
  }

  #placesOf(pid: number, namespace: string | undefined): Places {
    const key = namespace ?? `pid:${pid}`;
    const known = this.#places.get(key);
    if (known?.look === this.#looks) return known.places;
    const text = key === this.#own ? this.#ownMounts : mountinfoOf(pid);
    const stands = known !== undefined && known.text === text && known.volumes === this.#volumes;
    const places = stands ? known.places : new Places(parseMountinfo(text), this.#volumes);
    this.#places.set(key, { look: this.#looks, text, volumes: this.#volumes, places });
    return places;
  }
}
