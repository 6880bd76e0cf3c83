/** Mount tables, and where a path of a process really lies. */

export interface Mount {
  /** `major:minor` */
  readonly device: string;
  /** Path inside the file system that is shown at `point`. */
  readonly root: string;
  readonly point: string;
}

export interface Location {
  readonly device: string;
  /** Inside the file system. */
  readonly path: string;
}

/** See proc_pid_mountinfo(5). */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, , device, root, point] = line.split(' ');
    if (device === undefined || root === undefined || point === undefined) return [];
    return [{ device, root: unescape(root), point: unescape(point) }];
  });
}

/** Blanks, newlines and backslashes stand as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Later mounts hide earlier ones of the same length. */
export function locate(mounts: readonly Mount[], path: string): Location | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (restBelow(path, mount.point) === undefined) continue;
    if (best === undefined || mount.point.length >= best.point.length) best = mount;
  }
  const rest = best === undefined ? undefined : restBelow(path, best.point);
  if (best === undefined || rest === undefined) return undefined;
  return { device: best.device, path: joined(best.root, rest) };
}

/** What follows after `directory` and its slash; empty for the directory itself. */
export function restBelow(path: string, directory: string): string | undefined {
  if (path === directory) return '';
  const start = directory.endsWith('/') ? directory : `${directory}/`;
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}

function joined(root: string, rest: string): string {
  if (rest === '') return root;
  return root.endsWith('/') ? root + rest : `${root}/${rest}`;
}

interface VolumePlace {
  readonly location: Location;
  /** Absent: the first name below the location is the volume's. */
  readonly volume: string | undefined;
}

/** Names the volume that a place belongs to. */
export class VolumeMap {
  readonly #places: VolumePlace[] = [];
  /** `/data` where a store keeps a volume's files in a folder of its own. */
  readonly #inner: string;

  /**
   * @param store absolute, without symbolic links, `*` for the volume's name: `/store/*` + `/data`
   * @param mounts of the auditor itself
   */
  constructor(store: string, mounts: readonly Mount[]) {
    const [base = store, inner = ''] = store.split('/*');
    this.#inner = inner;
    const location = locate(mounts, base);
    if (location !== undefined) this.#places.push({ location, volume: undefined });
    // A volume that is a mount of its own lies on another device than its store.
    for (const mount of mounts) {
      const [volume = ''] = (restBelow(mount.point, base) ?? '').split('/');
      if (volume !== '') this.#places.push({ location: { device: mount.device, path: mount.root }, volume });
    }
  }

  volumeOf({ device, path }: Location): string | undefined {
    for (const { location, volume } of this.#places) {
      if (location.device !== device) continue;
      const rest = restBelow(path, location.path);
      if (rest === undefined) continue;
      if (volume !== undefined) return volume;
      const [name = ''] = rest.split('/');
      if (name !== '' && restBelow(rest, `${name}${this.#inner}`) !== undefined) return name;
    }
    return undefined;
  }
}

/** Paths as one mount namespace sees them → volumes; what was asked once is remembered. */
export class Places {
  readonly #mounts: readonly Mount[];
  readonly #volumes: readonly VolumeMap[];
  readonly #asked = new Map<string, { readonly volume: string; readonly device: string } | undefined>();

  constructor(mounts: readonly Mount[], volumes: readonly VolumeMap[]) {
    this.#mounts = mounts;
    this.#volumes = volumes;
  }

  find(path: string): { readonly volume: string; readonly device: string } | undefined {
    if (this.#asked.has(path)) return this.#asked.get(path);
    const location = locate(this.#mounts, path);
    const volume = location === undefined ? undefined : this.#volumeAt(location);
    const place =
      location === undefined || volume === undefined ? undefined : { volume, device: location.device };
    this.#asked.set(path, place);
    return place;
  }

  #volumeAt(location: Location): string | undefined {
    for (const map of this.#volumes) {
      const volume = map.volumeOf(location);
      if (volume !== undefined) return volume;
    }
    return undefined;
  }
}
