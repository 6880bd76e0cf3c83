/** `zk://[user:password@]host[:port],host[:port]…/path`, as Mesos writes it. */

export interface ZooKeeperUrl {
  /** `host:port`, at least one. */
  readonly servers: readonly string[];
  /** Absolute, without a slash at its end; `/` where the URL names none. */
  readonly path: string;
  /** `user:password`, for the digest scheme. */
  readonly credentials?: string;
}

/** Never repeats what may be a password. */
export class ZooKeeperUrlError extends Error {
  override readonly name = 'ZooKeeperUrlError';
}

export const DEFAULT_ZOOKEEPER_PORT = 2181;
const WHOLE = /^zk:\/\/(?:(?<login>[^/]*)@)?(?<servers>[^/@]+)(?<path>\/.*)?$/s;
const SERVER = /^(?<host>\[[0-9a-fA-F:]+\]|[^\s:[\]]+)(?::(?<port>\d{1,5}))?$/;
const PATH = /^(?:\/[^/\s]+)+$/;

/** @throws ZooKeeperUrlError saying which part is wrong */
export function parseZookeeperUrl(text: string): ZooKeeperUrl {
  const parts = WHOLE.exec(text.trim())?.groups;
  if (parts === undefined) {
    throw new ZooKeeperUrlError('wanted zk://[user:password@]host:port,host:port/path');
  }
  const { login, servers = '', path = '' } = parts;
  return {
    servers: servers.split(',').map(parseServer),
    path: parsePath(path),
    ...(login === undefined ? {} : { credentials: parseZookeeperCredentials(login) }),
  };
}

/**
 * @returns the text, which is `user:password`
 * @throws ZooKeeperUrlError
 */
export function parseZookeeperCredentials(text: string): string {
  if (/^[^:\s]+:./.test(text)) return text;
  throw new ZooKeeperUrlError('wanted user:password, both not empty');
}

/** For logs and messages: the same URL without its password. */
export function redactZookeeperUrl({ servers, path, credentials }: ZooKeeperUrl): string {
  const login = credentials === undefined ? '' : `${credentials.slice(0, credentials.indexOf(':'))}:…@`;
  return `zk://${login}${servers.join(',')}${path}`;
}

function parseServer(text: string): string {
  const { host, port = String(DEFAULT_ZOOKEEPER_PORT) } = SERVER.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new ZooKeeperUrlError(`wanted host or host:port between the commas, got ${JSON.stringify(text)}`);
  }
  return `${host}:${port}`;
}

function parsePath(text: string): string {
  const path = text.replace(/\/+$/, '');
  if (path === '') return '/';
  if (PATH.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path)) return path;
  throw new ZooKeeperUrlError(`wanted a path such as /mesos, got ${JSON.stringify(text)}`);
}
