import { join } from 'node:path';
import { parseAddress, type PluginEndpoint } from './endpoint.ts';

/** Where the Docker Engine listens unless `DOCKER_HOST` says otherwise. */
export const DEFAULT_ENGINE_ADDRESS = 'unix:///var/run/docker.sock';

/**
 * As the docker command reads its environment: `DOCKER_HOST`, and for TLS `DOCKER_TLS_VERIFY` and
 * `DOCKER_CERT_PATH`. Undefined for an address that only the docker command can dial (`ssh://`).
 * @throws Error for an address that makes no sense
 */
export function engineEndpointFrom(
  environment: Readonly<Record<string, string | undefined>>,
): PluginEndpoint | undefined {
  const address = environment['DOCKER_HOST']?.trim();
  const wanted = address === undefined || address === '' ? DEFAULT_ENGINE_ADDRESS : address;
  if (/^(?:ssh|npipe):/i.test(wanted)) return undefined;
  const endpoint = parseAddress(wanted);
  if (endpoint.kind === 'unix' || (environment['DOCKER_TLS_VERIFY'] ?? '') === '') return endpoint;
  const certificates =
    environment['DOCKER_CERT_PATH'] ?? join(process.getBuiltinModule('node:os').homedir(), '.docker');
  return {
    kind: 'tcp',
    url: new URL(`https://${endpoint.url.host}`),
    tls: {
      insecureSkipVerify: false,
      caFile: join(certificates, 'ca.pem'),
      certFile: join(certificates, 'cert.pem'),
      keyFile: join(certificates, 'key.pem'),
    },
  };
}

/**
 * The Engine to ask for managed plugins. An address that makes no sense is told to `warn`, and no Engine is asked: it
 * is no reason to fail where none is needed.
 */
export function engineForManagedPlugins(
  environment: Readonly<Record<string, string | undefined>>,
  warn: (message: string) => void,
): PluginEndpoint | undefined {
  try {
    return engineEndpointFrom(environment);
  } catch (error) {
    warn(`no Docker Engine is asked for managed plugins: ${(error as Error).message}`);
    return undefined;
  }
}
