/**
 * Reads the new volume back and compares it with the old one, byte by byte: both are mounted here, and a checksum of either
 * would say less. What is wrong is named, and taken out of the copy, so that the next try makes it anew.
 */
import type { BigIntStats } from 'node:fs';
import { readlink, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CopyError, type PlanVolume } from './copy-plan.ts';
import { problem } from './copy-volume.ts';
import { copiedNames, isSparse, kindOf, linkKey, statOf, statOrNothing } from './entries.ts';
import { firstDifference } from './file-content.ts';
import { inLanes } from './in-lanes.ts';
import { NotKept } from './not-kept.ts';
import { extendedAttributes } from './programs.ts';
import type { VolumeProgress } from './progress.ts';
import { below, bytesOf, rawPath, textOf, type RawPath } from './raw-paths.ts';

const LANES = 4;
/** After so many the rest is not looked at. */
const MOST_NAMED = 20;
const LOOK_AGAIN_MS = 1_000;
const LOOK_AGAIN_AT_MOST_MS = 10_000;

interface Verification {
  readonly volume: PlanVolume;
  readonly from: RawPath;
  readonly back: RawPath;
  readonly progress: VolumeProgress;
  readonly notKept: NotKept;
  /** File of the old volume → file of the new one, where it has several names. */
  readonly links: Map<string, bigint>;
  readonly wrong: { readonly at: RawPath; readonly how: string }[];
  /** When something last turned out right, by `performance.now`. */
  lastRightMs: number;
}

/** @throws CopyError naming what the new volume does not hold */
export async function verifyVolume(volume: PlanVolume, progress: VolumeProgress): Promise<void> {
  const verification: Verification = {
    ...{ volume, progress, notKept: new NotKept(), links: new Map(), wrong: [] },
    ...{ from: rawPath(volume.source), back: rawPath(volume.readBack), lastRightMs: performance.now() },
  };
  try {
    await verifyDirectory(verification, '');
    await compareExtendedAttributes(verification);
  } catch (error) {
    throw problem(volume, error as NodeJS.ErrnoException, '');
  }
  progress.notKept = [...verification.notKept.words()];
  if (verification.wrong.length > 0) await refuse(verification);
}

async function refuse({ volume, wrong }: Verification): Promise<never> {
  for (const { at } of wrong) {
    if (at !== '')
      await rm(bytesOf(`${rawPath(volume.target)}/${at}`), {
        recursive: true,
        force: true,
      });
  }
  const named = wrong.map(({ at, how }) => `${at === '' ? 'its root' : textOf(at)} ${how}`).join('; ');
  throw new CopyError(
    `${volume.targetText} does not hold what ${volume.sourceText} holds: ${named}. ` +
      `What is wrong was removed from the copy; the next try copies it again`,
  );
}

async function verifyDirectory(verification: Verification, at: RawPath): Promise<void> {
  const names = await copiedNames(verification.from, at);
  await settled(verification, at, () => compareNames(verification, at, names));
  const directories: RawPath[] = [];
  await inLanes(names, LANES, async (name) => {
    if (verification.wrong.length >= MOST_NAMED) return;
    const path = below(at, name);
    const source = await statOf(`${verification.from}/${path}`);
    if (kindOf(source) === 'directory') directories.push(path);
    await settled(verification, path, () => compareEntry(verification, path, source));
  });
  for (const path of directories) {
    const there = await statOrNothing(`${verification.back}/${path}`);
    if (there && kindOf(there) === 'directory') await verifyDirectory(verification, path);
  }
  if (at === '') {
    const [source, there] = [await statOf(verification.from), await statOf(verification.back)];
    verification.notKept.compareAccess('the root', source, there);
  }
}

/** With a driver that writes back, what is not right yet is looked at again while anything still arrives. */
async function settled(
  verification: Verification,
  at: RawPath,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const { arrivesWithinMs } = verification.volume;
  for (let pauseMs = LOOK_AGAIN_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_AGAIN_AT_MOST_MS)) {
    const how = await look();
    if (how === undefined) {
      verification.lastRightMs = performance.now();
      return;
    }
    if (performance.now() - verification.lastRightMs >= arrivesWithinMs) {
      verification.wrong.push({ at, how });
      return;
    }
    await delay(pauseMs);
  }
}

/** What is missing is found with each name; here it is about what is too much. */
async function compareNames(
  verification: Verification,
  at: RawPath,
  names: readonly RawPath[],
): Promise<string | undefined> {
  const wanted = new Set(names);
  const more = (await copiedNames(verification.back, at)).filter((name) => !wanted.has(name));
  return more.length === 0 ? undefined : `has ${more.slice(0, 5).map(textOf).join(', ')} too much`;
}

async function compareEntry(
  verification: Verification,
  at: RawPath,
  source: BigIntStats,
): Promise<string | undefined> {
  const { notKept } = verification;
  const kind = kindOf(source);
  if (kind === 'special') {
    notKept.add('fifos, sockets and devices', textOf(at));
    return undefined;
  }
  const there = await statOrNothing(`${verification.back}/${at}`);
  if (!there) return 'is missing';
  if (kindOf(there) !== kind) return `is no ${kind}`;
  const wrong = await compareContent(verification, at, { source, there });
  if (wrong !== undefined) return wrong;
  if (kind !== 'link') notKept.compareAccess(textOf(at), source, there);
  else notKept.compareOwner(textOf(at), source, there);
  notKept.compareTimes(textOf(at), source, there);
  return undefined;
}

async function compareContent(
  verification: Verification,
  at: RawPath,
  { source, there }: { source: BigIntStats; there: BigIntStats },
): Promise<string | undefined> {
  const [from, back] = [`${verification.from}/${at}`, `${verification.back}/${at}`];
  switch (kindOf(source)) {
    case 'file':
      return compareFile(verification, at, { source, there });
    case 'link': {
      const read = (path: RawPath) => readlink(bytesOf(path), { encoding: 'buffer' });
      return (await read(from)).equals(await read(back)) ? undefined : 'points elsewhere';
    }
    default:
      return undefined;
  }
}

async function compareFile(
  { from, back, links, notKept, progress }: Verification,
  at: RawPath,
  { source, there }: { source: BigIntStats; there: BigIntStats },
): Promise<string | undefined> {
  const key = linkKey(source);
  const first = key === undefined ? undefined : links.get(key);
  if (first !== undefined && first === there.ino) return undefined;
  // Its other names are right as soon as this one is; they are met at the same time.
  if (key !== undefined && first === undefined) links.set(key, there.ino);
  const forget = (how: string) => {
    if (key !== undefined && first === undefined) links.delete(key);
    return how;
  };
  if (there.size !== source.size) return forget(`has ${there.size} bytes, not ${source.size}`);
  let counted = 0;
  const differs = await firstDifference(`${from}/${at}`, `${back}/${at}`, (bytes) => {
    // Another name of a file that was counted already.
    if (first !== undefined) return;
    counted += bytes;
    progress.bytesVerified += bytes;
  });
  if (differs !== undefined) {
    progress.bytesVerified -= counted;
    return forget(`differs at byte ${differs}`);
  }
  if (first !== undefined) notKept.add('hard links', textOf(at));
  if (isSparse(source) && there.blocks * 512n >= there.size) notKept.add('holes', textOf(at));
  return undefined;
}

async function compareExtendedAttributes({ from, back, notKept }: Verification): Promise<void> {
  const source = await extendedAttributes(from);
  if (source.kind === 'unknown') {
    notKept.say(`extended attributes (not compared: ${source.why})`);
    return;
  }
  if (source.byPath.size === 0) return;
  const there = await extendedAttributes(back);
  for (const [path, attributes] of source.byPath) {
    if (there.kind === 'unknown' || there.byPath.get(path) !== attributes)
      notKept.add('extended attributes', path);
  }
}
