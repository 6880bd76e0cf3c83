/** Where the mount ledger is, unless {@link MOUNT_LEDGER_VARIABLE} says so. */
export const DEFAULT_MOUNT_LEDGER = '/var/run/mesos-elasticsearch/mounts';

/** A directory of the host, the same for all programs that reach its volumes. */
export const MOUNT_LEDGER_VARIABLE = 'MOUNT_LEDGER_DIRECTORY';

/** @param user number; who is not root cannot make the default, and has one of its own */
export function mountLedgerDirectoryFrom(
  environment: Readonly<Record<string, string | undefined>>,
  user: number,
): string {
  const told = environment[MOUNT_LEDGER_VARIABLE];
  if (told !== undefined && told !== '') return told;
  return user === 0 ? DEFAULT_MOUNT_LEDGER : `/tmp/mesos-elasticsearch-${user}/mounts`;
}
