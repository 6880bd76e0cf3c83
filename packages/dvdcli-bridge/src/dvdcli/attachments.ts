/** Attached and detached: by one consumer of this host at a time. */
import { foreignHolderOf, isHiddenMount, isStillThere, mountOf, ownMountOf } from '../held.ts';
import { checkMountpoint } from '../mountpoint.ts';
import { isUnder } from '../mount-table.ts';
import { done, notDone, unknownOutcome, type Outcome } from '../outcome.ts';
import type { Attachment, ConsumerId, VolumeReference } from '../volumes.ts';
import { exists } from './catalogue.ts';
import { errorOf, kindOfProgram, pathOf, run, type Cli } from './cli.ts';

export async function attach(
  cli: Cli,
  volume: VolumeReference,
  consumer: ConsumerId,
): Promise<Outcome<Attachment>> {
  const [holder] = cli.held.all(volume);
  if (holder !== undefined && holder.consumer !== consumer)
    return notDone(
      errorOf('in-use', volume, `${holder.consumer} has it on this host; dvdcli cannot tell two users apart`),
    );
  // Without this, and the flag below, dvdcli's mount would create a missing volume, with no options.
  const there = await exists(cli, volume);
  if (there.kind !== 'done') return there;
  if (!there.value) return notDone(errorOf('not-found', volume, 'there is no such volume; create it first'));
  if (holder !== undefined && isStillThere(cli.mountTable(), holder))
    return accept(cli, volume, consumer, holder.hostPath);
  const mounted = await run(cli, 'mount', volume, ['--explicitcreate']);
  if (mounted.kind === 'done')
    return mounted.value.includes('\n')
      ? unknownOutcome(
          errorOf('bad-answer', volume, 'dvdcli mount printed more than one path', mounted.value),
        )
      : accept(cli, volume, consumer, mounted.value);
  if (mounted.kind === 'unknown' || mounted.error.code !== 'conflict') return mounted;
  // "Already mounted": by an earlier run of ours, for no other caller mounts without an ID. The mount table decides.
  const path = await pathOf(cli, volume);
  if (path.kind !== 'done') return path;
  if (path.value === undefined || ownMountOf(cli.mountTable(), path.value, volume.name) === undefined)
    return mounted;
  return accept(cli, volume, consumer, path.value);
}

/** Checks what the driver gave; what cannot be used is unmounted again. */
async function accept(
  cli: Cli,
  volume: VolumeReference,
  consumer: ConsumerId,
  path: string,
): Promise<Outcome<Attachment>> {
  const verdict = await checkMountpoint(path, cli.options.lookAt);
  if (verdict.kind === 'no-answer')
    return unknownOutcome(errorOf('time-limit', volume, `the file system at ${path} does not answer`));
  const why = verdict.kind === 'bad' ? verdict.why : await objection(cli, volume, verdict.path);
  if (verdict.kind === 'bad' || why !== undefined) {
    const undone = await release(cli, volume);
    if (undone.kind === 'done') cli.held.drop(volume, consumer);
    const error = errorOf('bad-mountpoint', volume, why ?? '');
    return undone.kind === 'done' ? notDone(error) : unknownOutcome(error);
  }
  const hostPath = verdict.path;
  const mount = ownMountOf(cli.mountTable(), hostPath, volume.name);
  cli.held.add({ volume, consumer, hostPath, mount, mountId: '' });
  return done({ kind: 'host-path', hostPath });
}

/** Why a directory that exists is not this volume's, as far as this host and the driver show it. */
async function objection(cli: Cli, volume: VolumeReference, path: string): Promise<string | undefined> {
  const table = cli.mountTable();
  const said = `the driver gave the mountpoint ${JSON.stringify(path)}`;
  const foreign = foreignHolderOf(table, path, volume, cli.held);
  if (foreign !== undefined)
    return `${said}, which is where volume ${foreign.name} of driver ${foreign.driver} is attached`;
  if (!path.split('/').includes(volume.name)) {
    const other = await pathOf(cli, volume);
    // It may be a folder of it, or the one above (REX-Ray).
    const agrees = (place: string): boolean => isUnder(place, path) || isUnder(path, place);
    if (other.kind === 'done' && other.value !== undefined && !agrees(other.value))
      return `${said}, and now says that it is at ${other.value}`;
  }
  return isHiddenMount(table, cli.otherMountTables(), path)
    ? `${said}, which is mounted in another mount namespace and not in this one: the driver's mounts must be shared (rshared)`
    : undefined;
}

export async function detach(
  cli: Cli,
  volume: VolumeReference,
  consumer: ConsumerId,
): Promise<Outcome<void>> {
  const [holder] = cli.held.all(volume);
  if (holder !== undefined && holder.consumer !== consumer) return done(undefined);
  const released = await release(cli, volume);
  if (released.kind === 'done') cli.held.drop(volume, consumer);
  return released;
}

/** Drivers count a repeated Mount, and a lost one may have been repeated. */
const MOST_UNMOUNTS = 16;

/** Unmounts until nothing is mounted: neither a success nor a refusal is believed before the mount table agrees. */
async function release(cli: Cli, volume: VolumeReference): Promise<Outcome<void>> {
  for (let turn = 0; turn < MOST_UNMOUNTS; turn += 1) {
    if ((await kindOfProgram(cli)) !== 'ours') {
      // The original unmounts whatever volume the driver answers its Get with.
      const there = await exists(cli, volume);
      if (there.kind === 'unknown') return there;
    }
    const unmounted = await run(cli, 'unmount', volume);
    if (unmounted.kind === 'unknown') return unmounted;
    if (unmounted.kind === 'not-done' && !isPlain(unmounted.error.code, unmounted.error.driverMessage))
      return unmounted;
    const mounted = await whereMounted(cli, volume);
    if (mounted.kind !== 'done') return unmounted.kind === 'done' ? mounted : unmounted;
    if (mounted.value === undefined) return done(undefined);
    // A driver that counts Mounts by the volume's name has one more open: of a retry, or of a time before a restart.
    if (unmounted.kind === 'not-done') return unmounted;
  }
  return notDone(errorOf('in-use', volume, `it is still mounted after ${MOST_UNMOUNTS} unmounts`));
}

/** It is not mounted, or is not there at all. */
function isPlain(code: string, says = ''): boolean {
  return code === 'not-found' || /not mounted/i.test(says);
}

async function whereMounted(cli: Cli, volume: VolumeReference): Promise<Outcome<string | undefined>> {
  const path = await pathOf(cli, volume);
  if (path.kind !== 'done') return path;
  const [own] = cli.held.all(volume);
  return done(mountOf(cli.mountTable(), volume, { own, said: path.value ?? '', held: cli.held }));
}
