/** What our scheduler sends and what an agent's module reads were written apart: they must agree. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDvdiVariables, encodeDvdiVariables, type DvdiMount } from '@mesos-elasticsearch/contract';
import { readDvdiVolumes } from '@mesos-elasticsearch/local/testing';

const moduleReads = (variables: Readonly<Record<string, string>>) =>
  readDvdiVolumes({
    environment: { variables: Object.entries(variables).map(([name, value]) => ({ name, value })) },
  });
/** As dvdcli gets it. */
const inModulesWords = ({ driver, name, options, containerPath, dvdcli }: DvdiMount) => ({
  ...{ driver, name, containerPath },
  options: Object.entries(options).map(([key, value]) => `${key}=${value}`),
  ...(dvdcli === undefined ? {} : { program: dvdcli }),
});

const anything = fc.constantFrom('a=b,c=d', '/data', 'true', '', 'a:b', 'a b', 'x');
const fitting: Readonly<Record<string, fc.Arbitrary<string>>> = {
  NAME: fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/),
  DRIVER: fc.constantFrom('rexray', 'd', ''),
  OPTS: fc.constantFrom('size=5', 'a=b,c=d', ',a=b,', 'a=b=c', ''),
  CONTAINERPATH: fc.constantFrom('/data', '/tmp/x', '/srv/y', ''),
  DVDCLI: fc.constantFrom('/opt/dvdcli', ''),
  EXPLICITCREATE: fc.constantFrom('true', ' TRUE ', 'no'),
};
const suffix = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('', '0', '1', '2') },
  fc.constantFrom('9', '10', 'x'),
);
const entry = fc.constantFrom(...Object.keys(fitting), 'NAME').chain((parameter) =>
  fc.tuple(
    suffix.map((text) => `DVDI_VOLUME_${parameter}${text}`),
    fc.oneof({ weight: 9, arbitrary: fitting[parameter] ?? anything }, anything),
  ),
);

describe('DVDI_* variables', () => {
  it('are read by the module as we read them, and refused by it only where we refuse them', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
        const variables = Object.fromEntries(entries);
        let ours: readonly DvdiMount[];
        try {
          ours = decodeDvdiVariables(variables, 'compat').mounts;
        } catch {
          return;
        }
        accepted += ours.length > 0 ? 1 : 0;
        expect(moduleReads(variables)).toEqual(ours.map(inModulesWords));
        for (const mount of ours) {
          const alone = encodeDvdiVariables([mount]);
          expect(moduleReads(alone)).toEqual([inModulesWords(mount)]);
        }
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });
});
