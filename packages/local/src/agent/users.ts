/** Which uid a container runs under. */
import { readFileSync } from 'node:fs';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** From /etc/passwd; undefined if there is no such user. */
function account(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/**
 * Only root can switch; for any other user everything runs as that user, whatever the framework asks for
 * (`--no-switch_user` of a real agent). Throws Error for a user that does not exist here.
 */
export function accountFor(name: string | undefined): Account | undefined {
  if (name === undefined || name === '' || process.getuid?.() !== 0) return undefined;
  const found = account(name);
  if (found === undefined) throw new Error(`there is no user '${name}' on this machine`);
  return found.uid === 0 ? undefined : found;
}
