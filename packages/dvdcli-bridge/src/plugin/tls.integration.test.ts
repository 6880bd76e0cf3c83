/** Plugins behind TLS: who is believed, and that nothing is sent to anybody else. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome, VolumeError } from '../outcome.ts';
import { programInPath } from '../testing/availability.ts';
import { volumePlugin, type VolumePlugin } from './client.ts';

const unavailable = programInPath('openssl') ? undefined : 'no openssl to make certificates with';

let certificates: string;
const file = (name: string): string => join(certificates, name);

function openssl(...parameters: string[]): void {
  execFileSync('openssl', parameters, { cwd: certificates, stdio: 'pipe' });
}
/** `NAME.pem` and `NAME.key`; signed by itself, or by another of them. */
function certify(name: string, alternativeName?: string, signer?: string): void {
  const by = signer === undefined ? [] : ['-CA', `${signer}.pem`, '-CAkey', `${signer}.key`];
  const names = alternativeName === undefined ? [] : ['-addext', `subjectAltName=${alternativeName}`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  openssl('req', '-x509', ...key, ...files, '-days', '2', '-subj', `/CN=${name}`, ...names, ...by);
}

interface TlsPlugin {
  readonly port: number;
  readonly received: string[];
  stop(): Promise<void>;
}

async function startTlsPlugin(
  certificate: string,
  options: ServerOptions = {},
  port = 0,
): Promise<TlsPlugin> {
  const received: string[] = [];
  const answers: Readonly<Record<string, unknown>> = {
    '/Plugin.Activate': { Implements: ['VolumeDriver'] },
    '/VolumeDriver.Mount': { Mountpoint: '/mnt/v1' },
    '/VolumeDriver.Capabilities': { Capabilities: { Scope: 'global' } },
  };
  const pair = {
    cert: readFileSync(file(`${certificate}.pem`)),
    key: readFileSync(file(`${certificate}.key`)),
  };
  const server: Server = createServer({ ...pair, ...options }, (request, response) => {
    received.push(request.url ?? '');
    request.resume().on('end', () => response.end(JSON.stringify(answers[request.url ?? ''] ?? {})));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

let home: string;
let plugin: TlsPlugin;
function specify(tls: unknown, host = '127.0.0.1'): VolumePlugin {
  const spec = { Name: 'other', Addr: `https://${host}:${plugin.port}`, TLSConfig: tls };
  writeFileSync(join(home, 'secure.json'), JSON.stringify(spec));
  return open();
}
const open = (): VolumePlugin =>
  volumePlugin({ driver: 'secure', directories: [home], timeLimits: { reachMs: 50, otherMs: 5_000 } });
const ca = (): unknown => ({ CAFile: file('authority.pem') });
const globally: Outcome<string> = { kind: 'done', value: 'global' };
function refusal(outcome: Outcome<unknown>): VolumeError {
  if (outcome.kind !== 'not-done') throw new Error(`not a refusal: ${outcome.kind}`);
  return outcome.error;
}

const title =
  unavailable === undefined ? 'a plugin behind TLS' : `a plugin behind TLS (skipped: ${unavailable})`;
describe.skipIf(unavailable !== undefined)(title, () => {
  beforeAll(() => {
    certificates = mkdtempSync(join(tmpdir(), 'certificates-'));
    certify('authority');
    certify('stranger');
    certify('plugin', 'IP:127.0.0.1,DNS:localhost', 'authority');
    certify('elsewhere', 'DNS:elsewhere.test', 'authority');
    certify('client', undefined, 'authority');
  });
  afterAll(() => rmSync(certificates, { recursive: true, force: true }));
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tls-'));
  });
  afterEach(async () => {
    await plugin.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('edge case 38: is reached by its .json file, whose name names it', async () => {
    plugin = await startTlsPlugin('plugin');
    expect(await specify(ca()).scope()).toEqual(globally);
    expect(await specify(ca(), 'localhost').scope()).toEqual(globally);
  });
  it('edge case 37: is not asked without CAFile, unless the file says that this is meant', async () => {
    plugin = await startTlsPlugin('plugin');
    for (const tls of [{}, { CAFile: '' }, { InsecureSkipVerify: false }, { InsecureSkipVerify: 'yes' }]) {
      const error = refusal(await specify(tls).scope());
      expect(error.code).toBe('invalid');
      expect(error.message).toContain(join(home, 'secure.json'));
    }
    expect(plugin.received).toEqual([]);
    expect(await specify({ InsecureSkipVerify: true }).scope()).toEqual(globally);
  });
  it('edge case 37: is checked also where its address is all there is', async () => {
    plugin = await startTlsPlugin('plugin');
    writeFileSync(join(home, 'secure.spec'), `https://127.0.0.1:${plugin.port}\n`);
    expect(refusal(await open().scope()).code).toBe('driver-unavailable');
    expect(plugin.received).toEqual([]);
  });
  it.each([
    ['another authority', 'stranger', /self.signed/],
    ['another host', 'elsewhere', /127\.0\.0\.1/],
  ])('is not believed with a certificate of %s', async (_, certificate, words) => {
    plugin = await startTlsPlugin(certificate);
    const error = refusal(await specify(ca()).scope());
    expect(error.code).toBe('driver-unavailable');
    expect(error.message).toMatch(words);
    expect(plugin.received).toEqual([]);
  });
  it('is shown the certificate that it asks for', async () => {
    const authority = readFileSync(file('authority.pem'));
    plugin = await startTlsPlugin('plugin', { requestCert: true, rejectUnauthorized: true, ca: authority });
    const pair = { CertFile: file('client.pem'), KeyFile: file('client.key') };
    expect(await specify({ CAFile: file('authority.pem'), ...pair }).scope()).toEqual(globally);
    const heard = plugin.received.length;
    expect(refusal(await specify(ca()).scope()).code).toBe('driver-unavailable');
    expect(plugin.received).toHaveLength(heard);
  });
  it('is not asked where a certificate’s file is missing, which is named', async () => {
    plugin = await startTlsPlugin('plugin');
    const error = refusal(await specify({ CAFile: join(home, 'no.pem') }).scope());
    expect(error.code).toBe('driver-unavailable');
    expect(error.message).toContain(join(home, 'no.pem'));
  });
  it('certainly has not mounted anything where it shows another certificate than at the handshake', async () => {
    plugin = await startTlsPlugin('plugin');
    const opened = specify(ca());
    expect(await opened.mount('v1', 'id')).toEqual({ kind: 'done', value: '/mnt/v1' });
    await plugin.stop();
    plugin = await startTlsPlugin('stranger', {}, plugin.port);
    expect(refusal(await opened.mount('v1', 'id')).code).toBe('driver-unavailable');
    expect(plugin.received).toEqual([]);
  });
  it('is reached directly, whatever proxy the environment names', async () => {
    plugin = await startTlsPlugin('plugin');
    const names = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'HTTP_PROXY'];
    for (const name of names) vi.stubEnv(name, 'http://127.0.0.1:1');
    try {
      expect(await specify(ca()).scope()).toEqual(globally);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
