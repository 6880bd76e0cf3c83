import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderConfigurationDocument } from './document.ts';
import { loadSettings } from './load.ts';

const pathOf = (file: string) => fileURLToPath(new URL(`../../../../${file}`, import.meta.url));

describe('what is written about the configuration', () => {
  it('is docs/configuration.md as the table of settings says it (else: npm run docs:config)', async () => {
    const path = pathOf('docs/configuration.md');
    const rendered = await format(renderConfigurationDocument(), {
      ...(await resolveConfig(path)),
      parser: 'markdown',
    });
    expect(await readFile(path, 'utf8')).toBe(rendered);
  });

  it('is an example file without a fault', async () => {
    const path = pathOf('config.example.yml');
    const content = parse(await readFile(path, 'utf8')) as unknown;
    expect(loadSettings({ flags: new Map(), environment: {}, file: { path, content } })).toMatchObject({
      ok: true,
    });
  });
});
