/** Where a volume plugin listens. */
export type PluginEndpoint =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly url: URL; readonly tls?: EndpointTls };

export interface EndpointTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly insecureSkipVerify: boolean;
}

/**
 * A `.spec` file: one address, white space around it dropped.
 * @throws Error naming what is wrong with it
 */
export function parseSpecFile(text: string): PluginEndpoint {
  return parseAddress(text.trim());
}

/**
 * A `.json` file `{"Name","Addr","TLSConfig":{"CAFile","CertFile","KeyFile","InsecureSkipVerify"}}`. The file's
 * name names the plugin, `Name` does not. Docker switches certificate checking off where `CAFile` is empty; here
 * that has to be said with `InsecureSkipVerify`.
 * @throws Error naming what is wrong with it
 */
export function parseJsonFile(text: string): PluginEndpoint {
  const value = JSON.parse(text) as { Addr?: unknown; TLSConfig?: Record<string, unknown> | null } | null;
  if (typeof value?.Addr !== 'string') throw new Error('it has no Addr');
  const endpoint = parseAddress(value.Addr.trim());
  if (endpoint.kind === 'unix' || value.TLSConfig === undefined || value.TLSConfig === null) return endpoint;
  const { CAFile: ca, CertFile: cert, KeyFile: key, InsecureSkipVerify: insecure } = value.TLSConfig;
  const insecureSkipVerify = insecure === true;
  if (!isFile(ca) && !insecureSkipVerify)
    throw new Error('its TLSConfig has neither CAFile nor InsecureSkipVerify');
  const tls: EndpointTls = {
    insecureSkipVerify,
    ...(isFile(ca) ? { caFile: ca } : {}),
    ...(isFile(cert) ? { certFile: cert } : {}),
    ...(isFile(key) ? { keyFile: key } : {}),
  };
  return { ...endpoint, tls };
}

function isFile(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Linux's room for the path of a socket (unix(7)), without the zero at its end. */
const LONGEST_SOCKET_PATH_BYTES = 107;

/**
 * Of a longer path Node.js would dial the beginning, whoever listens there.
 * @throws Error naming the path
 */
export function unixEndpoint(socketPath: string): PluginEndpoint {
  if (Buffer.byteLength(socketPath) > LONGEST_SOCKET_PATH_BYTES)
    throw new Error(
      `no socket can be reached by a path of more than ${LONGEST_SOCKET_PATH_BYTES} bytes: ${socketPath}`,
    );
  return { kind: 'unix', socketPath };
}

/**
 * `unix://` dials the path; any other scheme dials TCP, and only `https` speaks TLS.
 * @throws Error naming what is wrong with it
 */
export function parseAddress(address: string): PluginEndpoint {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/i.exec(address);
  if (match?.[1] === undefined || match[2] === undefined)
    throw new Error(
      `the address ${JSON.stringify(address)} has no scheme (unix://, tcp://, http://, https://)`,
    );
  const [, scheme, rest] = match;
  if (scheme.toLowerCase() === 'unix') {
    if (!rest.startsWith('/')) throw new Error(`the address ${JSON.stringify(address)} is no absolute path`);
    return unixEndpoint(rest);
  }
  const secure = scheme.toLowerCase() === 'https';
  const text = `${secure ? 'https' : 'http'}://${rest}`;
  if (!URL.canParse(text)) throw new Error(`the address ${JSON.stringify(address)} names no host and port`);
  return { kind: 'tcp', url: new URL(text) };
}
