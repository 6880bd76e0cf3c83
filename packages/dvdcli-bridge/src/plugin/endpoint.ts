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
    return { kind: 'unix', socketPath: rest };
  }
  const secure = scheme.toLowerCase() === 'https';
  const text = `${secure ? 'https' : 'http'}://${rest}`;
  if (!URL.canParse(text)) throw new Error(`the address ${JSON.stringify(address)} names no host and port`);
  return { kind: 'tcp', url: new URL(text) };
}
