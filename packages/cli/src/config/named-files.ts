/** The files that settings name: secrets, elasticsearch.yml, the keystore's entries. */
import { access, constants, readFile } from 'node:fs/promises';
import { parseZookeeperCredentials } from '@mesos-elasticsearch/coordination';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../setup/setup-error.ts';
import type { NamedFiles } from './compile.ts';
import type { FieldName, Settings } from './fields.ts';
import type { Fault } from './load.ts';
import { isUrl } from './rules.ts';

const entries = z.record(z.string().regex(/^[a-z0-9_.-]+$/), z.string());

/** Never puts what a secret file holds into a message. */
export async function namedFiles(
  settings: Settings,
): Promise<{ files: NamedFiles; faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  const read = async (name: FieldName): Promise<string | undefined> => {
    const path = settings[name];
    if (typeof path !== 'string') return undefined;
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      faults.push({ name, message: `wanted a readable file: ${messageOf(error)}` });
      return undefined;
    }
  };
  const secret = (await read('frameworkSecretPath'))?.replace(/\r?\n$/, '');
  if (secret === '')
    faults.push({ name: 'frameworkSecretPath', message: 'wanted a secret, got an empty file' });
  const elasticsearchSettings = await read('elasticsearchSettingsLocation');
  if (elasticsearchSettings !== undefined && !isMapping(elasticsearchSettings)) {
    faults.push({ name: 'elasticsearchSettingsLocation', message: 'wanted a YAML mapping of settings' });
  }
  const keystore = keystoreOf(await read('elasticsearchKeystorePath'));
  if (keystore === undefined) {
    faults.push({
      name: 'elasticsearchKeystorePath',
      message: 'wanted a YAML mapping from lower-case names to text',
    });
  }
  await expectArchive(settings.elasticsearchBinaryUrl, faults);
  await expectProgram(settings.fenceCommand, faults);
  const login = await read('zookeeperCredentialsFile');
  const zookeeperCredentials = login === undefined ? undefined : credentialsOf(login, faults);
  const elasticsearchAccess = accessOf(
    await read('elasticsearchCredentialsFile'),
    await read('elasticsearchCaFile'),
    faults,
  );
  const entriesOfKeystore = keystore ?? {};
  const files = { secret, elasticsearchSettings, keystore: entriesOfKeystore, zookeeperCredentials };
  return { files: { ...files, elasticsearchAccess }, faults };
}

function accessOf(
  login: string | undefined,
  ca: string | undefined,
  faults: Fault[],
): NamedFiles['elasticsearchAccess'] {
  const credentials = login?.replace(/\r?\n$/, '');
  // No control character belongs into a header; and a second line is another file's content.
  if (credentials !== undefined && !/^[^:\p{Cc}]+:[^\p{Cc}]+$/u.test(credentials)) {
    const message = 'wanted one line user:password, both not empty';
    faults.push({ name: 'elasticsearchCredentialsFile', message });
  }
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    faults.push({ name: 'elasticsearchCaFile', message: 'wanted a PEM file with a certificate' });
  }
  return { ...(credentials === undefined ? {} : { credentials }), ...(ca === undefined ? {} : { ca }) };
}

async function expectArchive(location: string | undefined, faults: Fault[]): Promise<void> {
  if (location === undefined || isUrl(location)) return;
  await access(location).catch((error: unknown) =>
    faults.push({
      name: 'elasticsearchBinaryUrl',
      message: `wanted a URL or a readable file: ${messageOf(error)}`,
    }),
  );
}

/** A fence command that cannot be started would be found out in the hour it is needed. */
async function expectProgram(path: string | undefined, faults: Fault[]): Promise<void> {
  if (path === undefined) return;
  await access(path, constants.X_OK).catch((error: unknown) =>
    faults.push({
      name: 'fenceCommand',
      message: `wanted a program that may be started: ${messageOf(error)}`,
    }),
  );
}

function credentialsOf(text: string, faults: Fault[]): string | undefined {
  try {
    return parseZookeeperCredentials(text.replace(/\r?\n$/, ''));
  } catch (error) {
    faults.push({ name: 'zookeeperCredentialsFile', message: messageOf(error) });
    return undefined;
  }
}

function keystoreOf(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return {};
  try {
    return entries.safeParse(parse(text) ?? {}).data;
  } catch {
    return undefined;
  }
}

function isMapping(text: string): boolean {
  try {
    const content = (parse(text) ?? {}) as unknown;
    return typeof content === 'object' && !Array.isArray(content);
  } catch {
    return false;
  }
}
