/**
 * The fence command of the tests: it takes a volume from one host by ending the rclone that serves it there. rclone is
 * that host's gateway to the storage: what it has taken over and not yet written back is in its journal (the cache),
 * and is played back before anybody else may have the volume. Without that, acknowledged documents would be lost.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkDirectory } from '@mesos-elasticsearch/cli';

/** Called as `PROGRAM DRIVER VOLUME HOST`; exit code 0 only when it is certain. */
const SCRIPT = `#!/bin/sh
set -eu
volume=$2
host=$3
cache=$AGENTS/$host-rclone/cache
scratch=$FENCE/$host-$volume
pid=$(cat "$FENCE/$host.pid")
kill -KILL "$pid" 2>/dev/null || true
while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
mkdir -p "$scratch"
rclone mount ":local:$STORE/$volume" "$scratch" --cache-dir "$cache" --config /dev/null \\
  --vfs-cache-mode writes --vfs-write-back 100ms --no-modtime 2>>"$FENCE/$host-$volume.log" &
gateway=$!
waited=0
until mountpoint -q "$scratch" && ! grep -rqs '"Dirty": true' "$cache/vfsMeta/:local$STORE/$volume"; do
  waited=$((waited + 1))
  [ "$waited" -le 300 ] || exit 1
  sleep 0.1
done
fusermount3 -u "$scratch"
wait "$gateway"
rm -rf "$cache/vfs/:local$STORE/$volume" "$cache/vfsMeta/:local$STORE/$volume"
`;

export class FenceCommand {
  readonly program: string;
  readonly #directory: string;

  constructor(work: WorkDirectory) {
    this.#directory = join(work.path, 'fence');
    this.program = join(this.#directory, 'fence');
    mkdirSync(this.#directory, { recursive: true });
    const places = { FENCE: this.#directory, AGENTS: work.agents, STORE: work.store };
    const set = Object.entries(places).map(([name, path]) => `${name}='${path}'\n`);
    writeFileSync(this.program, SCRIPT.replace('set -eu\n', `set -eu\n${set.join('')}`), { mode: 0o755 });
  }

  /** Whom it ends for that host. */
  note(host: string, pid: number): void {
    writeFileSync(join(this.#directory, `${host}.pid`), `${pid}\n`);
  }
}
