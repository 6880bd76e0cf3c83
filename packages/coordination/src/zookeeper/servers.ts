import { createHash } from 'node:crypto';

export interface Server {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 2181;

/**
 * `host`, `host:port`, `1.2.3.4:port`, `[2001:db8::1]:port` or `[2001:db8::1]`.
 * @throws TypeError for anything else
 */
export function parseServer(text: string): Server {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]@]+))(?::([0-9]{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? DEFAULT_PORT);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new TypeError(
    `"${text}" is no address of a ZooKeeper server: write host:port, an IPv6 address in brackets`,
  );
}

/** @throws TypeError unless it is `user:password` */
export function checkCredentials(credentials: string): void {
  if (/^[^:\s]+:./.test(credentials)) return;
  // Not the text itself: it is a secret.
  throw new TypeError('the credentials for ZooKeeper must be written as user:password');
}

/** How ZooKeeper's digest scheme names whoever logs in with `user:password`. */
export function digestIdentity(credentials: string): string {
  checkCredentials(credentials);
  const user = credentials.slice(0, credentials.indexOf(':'));
  return `${user}:${createHash('sha1').update(credentials).digest('base64')}`;
}
