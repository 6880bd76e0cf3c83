import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { dvdcliVolumes } from '../../dvdcli/volumes.ts';
import { engineVolumes } from '../../engine/volumes.ts';
import { pluginSocketVolumes } from '../../plugin-socket/volumes.ts';
import { PATHS, type PathName } from './paths.ts';
import { capabilitiesData, capabilitiesMarkdown, capabilitiesText } from './show.ts';

describe('the capability table', () => {
  it.each([
    ['plugin-socket', pluginSocketVolumes()],
    ['engine', engineVolumes({ socketPath: '/nowhere.sock' })],
    ['dvdcli', dvdcliVolumes({ program: 'dvdcli' })],
  ] as const)('says of %s what its implementation says', (path: PathName, { capabilities }) => {
    const { attachment, takesOptions, optionsForbid, countsConsumers } = PATHS[path];
    expect(capabilities).toMatchObject({
      attachment: attachment.value,
      takesOptions: takesOptions.value,
      commaInOptionValues: !optionsForbid.value.includes(','),
      countsConsumers: countsConsumers.value,
    });
  });

  it('is docs/volumes.md between its markers (else: npm run docs:volumes)', async () => {
    const path = fileURLToPath(new URL('../../../../../docs/volumes.md', import.meta.url));
    const written = /<!-- capabilities -->\n([^]*?)<!-- \/capabilities -->/.exec(
      await readFile(path, 'utf8'),
    )?.[1];
    const rendered = await format(capabilitiesMarkdown(), {
      ...(await resolveConfig(path)),
      parser: 'markdown',
    });
    expect(written?.trim()).toBe(rendered.trim());
  });

  it('shows one driver and the paths that reach it', () => {
    expect(capabilitiesText('local')).toMatch(/^driver local\n[^]*\npath engine\n/);
    expect(capabilitiesText('local')).not.toContain('path dvdcli');
    expect(capabilitiesText('acme')).toMatch(/nothing is known of it beforehand/);
    expect(Object.keys((capabilitiesData('local') as { paths: object }).paths)).toEqual(['engine']);
  });

  it('gives programs every fact with its source', () => {
    const { paths, drivers } = capabilitiesData() as Record<string, Record<string, Record<string, unknown>>>;
    for (const each of [...Object.values(paths!), ...Object.values(drivers!)]) {
      for (const cell of Object.values(each)) {
        expect(cell).toMatchObject({ says: expect.any(String), source: expect.any(String) });
        expect(cell).toHaveProperty('value');
      }
    }
  });
});
