/** `zk://[user:password@]host[:port],host[:port]…/path`, as Mesos writes it. */

export interface ZookeeperUrl {
  /** `host:port`, at least one. */
  readonly servers: readonly string[];
  /** Absolute, without a slash at its end; `/` where the URL names none. */
  readonly path: string;
  /** For the digest scheme. */
  readonly credentials?: ZookeeperCredentials;
}

export interface ZookeeperCredentials {
  readonly user: string;
  readonly password: string;
}

/** Never repeats what may be a password. */
export class ZookeeperUrlError extends Error {
  override readonly name = 'ZookeeperUrlError';
}

export const DEFAULT_ZOOKEEPER_PORT = 2181;
const WHOLE = /^zk:\/\/(?:(?<login>[^/]*)@)?(?<servers>[^/@]+)(?<path>\/.*)?$/s;
const SERVER = /^(?<host>\[[0-9a-fA-F:]+\]|[^\s:[\]]+)(?::(?<port>\d{1,5}))?$/;
const PATH = /^(?:\/[^/\s]+)+$/;

/** @throws ZookeeperUrlError saying which part is wrong */
export function parseZookeeperUrl(text: string): ZookeeperUrl {
  const parts = WHOLE.exec(text.trim())?.groups;
  if (parts === undefined) {
    throw new ZookeeperUrlError('wanted zk://[user:password@]host:port,host:port/path');
  }
  const { login, servers = '', path = '' } = parts;
  return {
    servers: servers.split(',').map(parseServer),
    path: parsePath(path),
    ...(login === undefined ? {} : { credentials: parseZookeeperCredentials(login) }),
  };
}

/** @throws ZookeeperUrlError */
export function parseZookeeperCredentials(text: string): ZookeeperCredentials {
  const cut = text.indexOf(':');
  if (cut < 1 || cut === text.length - 1) {
    throw new ZookeeperUrlError('wanted user:password, both not empty');
  }
  return { user: text.slice(0, cut), password: text.slice(cut + 1) };
}

/** For logs and messages: the same URL without its password. */
export function redactZookeeperUrl({ servers, path, credentials }: ZookeeperUrl): string {
  const login = credentials === undefined ? '' : `${credentials.user}:…@`;
  return `zk://${login}${servers.join(',')}${path}`;
}

function parseServer(text: string): string {
  const { host, port = String(DEFAULT_ZOOKEEPER_PORT) } = SERVER.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new ZookeeperUrlError(`wanted host or host:port between the commas, got ${JSON.stringify(text)}`);
  }
  return `${host}:${port}`;
}

function parsePath(text: string): string {
  const path = text.replace(/\/+$/, '');
  if (path === '') return '/';
  if (PATH.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path)) return path;
  throw new ZookeeperUrlError(`wanted a path such as /mesos, got ${JSON.stringify(text)}`);
}
