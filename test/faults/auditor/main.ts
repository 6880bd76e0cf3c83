/**
 * The auditor: a process of its own that looks at /proc again and again for two tasks with files of one volume
 * open for writing at the same time.
 *   auditor EVERY_MS STORE…
 * Each line on stdin asks for an account of all that was seen so far; its end ends the auditor.
 */
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Holdings, Overlaps, pairsOf } from './holdings.ts';
import { Looker } from './looker.ts';
import type { AuditorLine, Sighting } from './records.ts';

const STAT_LIMIT_MS = 500;

const [everyMs = '40', ...stores] = process.argv.slice(2);
const looker = new Looker(stores);
const holdings = new Holdings();
const overlaps = new Overlaps();
const revoked = new Overlaps();
let looks = 0;
let longestGapMs = 0;

function say(line: AuditorLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The first of a pair may have let go before the second was looked at: only if it still writes now, both do. */
function bothStill([one, other]: readonly [Sighting, Sighting]): boolean {
  return [one, other].every((holder) =>
    looker.again(holder).some(({ volume, writing }) => writing && volume === holder.volume),
  );
}

/** The file system behind it has ended, as that of a killed FUSE server has: nothing written arrives anywhere. */
async function isRevoked({ device }: Sighting): Promise<boolean> {
  for (const point of looker.mountPointsOf(device)) {
    const answer = await Promise.race([
      stat(point).then(
        () => 'there',
        (error: unknown) => (error as NodeJS.ErrnoException).code ?? '',
      ),
      pause(STAT_LIMIT_MS, 'silent', { ref: false }),
    ]);
    if (answer === 'ENOTCONN') return true;
  }
  return false;
}

async function judge(pair: readonly [Sighting, Sighting]): Promise<void> {
  if (!bothStill(pair)) return;
  const [one, other] = pair;
  if ((await isRevoked(one)) || (await isRevoked(other))) {
    revoked.note(pair, Date.now());
    return;
  }
  // Asking took time: what counts is what holds now.
  if (!bothStill(pair)) return;
  const isNew = overlaps.note(pair, Date.now());
  const found = overlaps.list().find(({ holders }) => holders === pair);
  if (isNew && found !== undefined) say({ kind: 'overlap', overlap: found });
}

async function watch(): Promise<never> {
  let lastMs: number | undefined;
  for (;;) {
    const beganMs = performance.now();
    if (lastMs !== undefined) longestGapMs = Math.max(longestGapMs, Math.round(beganMs - lastMs));
    lastMs = beganMs;
    const sightings = looker.look();
    holdings.note(sightings, Date.now());
    looks += 1;
    if (looks === 1) say({ kind: 'watching' });
    for (const pair of pairsOf(sightings)) await judge(pair);
    await pause(Math.max(1, Number(everyMs) - (performance.now() - beganMs)));
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', () => {
  const audit = { looks, longestGapMs, holdings: holdings.list() };
  say({ kind: 'audit', audit: { ...audit, overlaps: overlaps.list(), revoked: revoked.list() } });
});
lines.on('close', () => process.exit(0));
await watch();
