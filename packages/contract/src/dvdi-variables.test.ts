import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeDvdiVariables,
  DvdiVariablesError,
  encodeDvdiVariables,
  isMadeByDvdi,
  type DvdiMode,
  type DvdiMount,
} from './dvdi-variables.ts';

const MODES: readonly DvdiMode[] = ['strict', 'compat'];

const data: DvdiMount = {
  slot: 2,
  name: 'elasticsearch1data',
  driver: 'rexray',
  options: { size: '5', iops: '150' },
  containerPath: '/data',
  explicitCreate: false,
};
const config: DvdiMount = { ...data, slot: 1, name: 'elasticsearch1config', containerPath: '/tmp/config' };

function refusal(variables: Record<string, string>, mode: DvdiMode): string {
  try {
    decodeDvdiVariables(variables, mode);
  } catch (error) {
    expect(error).toBeInstanceOf(DvdiVariablesError);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('the parameters of mesos-module-dvdi', () => {
  it('carry config in slot 1 and data in slot 2, the suffix on all of them', () => {
    expect(encodeDvdiVariables([config, data])).toEqual({
      DVDI_VOLUME_NAME1: 'elasticsearch1config',
      DVDI_VOLUME_DRIVER1: 'rexray',
      DVDI_VOLUME_OPTS1: 'size=5,iops=150',
      DVDI_VOLUME_CONTAINERPATH1: '/tmp/config',
      DVDI_VOLUME_NAME2: 'elasticsearch1data',
      DVDI_VOLUME_DRIVER2: 'rexray',
      DVDI_VOLUME_OPTS2: 'size=5,iops=150',
      DVDI_VOLUME_CONTAINERPATH2: '/data',
    });
  });

  it('have no suffix for slot 0, leave out what is not set, and say true for an explicit create', () => {
    const all = { ...data, slot: 0, options: {}, dvdcli: '/opt/dvdcli', explicitCreate: true };
    expect(encodeDvdiVariables([all])).toEqual({
      DVDI_VOLUME_NAME: 'elasticsearch1data',
      DVDI_VOLUME_DRIVER: 'rexray',
      DVDI_VOLUME_CONTAINERPATH: '/data',
      DVDI_VOLUME_DVDCLI: '/opt/dvdcli',
      DVDI_VOLUME_EXPLICITCREATE: 'true',
    });
  });

  it('default to rexray, and to no bind into the container', () => {
    const { mounts } = decodeDvdiVariables({ PATH: '/bin', DVDI_VOLUME_NAME: 'a1' });
    expect(mounts).toEqual([{ slot: 0, name: 'a1', driver: 'rexray', options: {}, explicitCreate: false }]);
  });

  it.each([
    ['true', true],
    [' TRUE\t', true],
    ['True', true],
    ['1', false],
    ['', false],
  ])('read %j as explicit create %s', (text, wanted) => {
    const variables = { DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_EXPLICITCREATE: text };
    expect(decodeDvdiVariables(variables).mounts[0]?.explicitCreate).toBe(wanted);
  });

  it('are none of ours under other names', () => {
    const variables = { DVDI_VOLUMES: 'x', DVDI_VOLUME_: 'x', dvdi_volume_name: 'x', XDVDI_VOLUME_NAME: 'x' };
    expect(decodeDvdiVariables(variables)).toEqual({ mounts: [], notices: [] });
  });

  it('a name of nothing but empty variables is no volume and no fault', () => {
    expect(decodeDvdiVariables({ DVDI_VOLUME_NAME: '' })).toEqual({ mounts: [], notices: [] });
  });

  it('says which directories the module makes', () => {
    expect([isMadeByDvdi('/tmp/config'), isMadeByDvdi('/tmp'), isMadeByDvdi('/data')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('edge cases of the parameters', () => {
  it.each(MODES)(
    'edge case 20: an option without "=" is refused (%s), and all after the first "=" kept',
    (mode) => {
      const options = (text: string) => ({ DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_OPTS: text });
      expect(refusal(options('size'), mode)).toMatch(/^DVDI_VOLUME_OPTS has the option "size".*key=value/);
      expect(refusal(options('=5'), mode)).toMatch(/key=value/);
      const read = decodeDvdiVariables(options(',c=3=4,,size=,'), mode).mounts[0];
      expect(read?.options).toEqual({ c: '3=4', size: '' });
    },
  );

  it('edge case 20: a comma in an option cannot be sent', () => {
    const send = (options: Record<string, string>) => () => encodeDvdiVariables([{ ...data, options }]);
    expect(send({ o: 'ro,nolock' })).toThrow(/DVDI_VOLUME_OPTS2 has a comma in the option "o"/);
    expect(send({ 'a,b': '1' })).toThrow(/has a comma/);
    expect(send({ '': '1' })).toThrow(/a key is not empty/);
    expect(send({ 'a=b': '1' })).toThrow(/has no "="/);
  });

  it('edge case 21: of an option given twice the last counts, or it is refused', () => {
    const twice = { DVDI_VOLUME_NAME3: 'a1', DVDI_VOLUME_OPTS3: 'size=5,size=6' };
    expect(decodeDvdiVariables(twice, 'compat').mounts[0]?.options).toEqual({ size: '6' });
    expect(refusal(twice, 'strict')).toBe('DVDI_VOLUME_OPTS3 has the option "size" twice');
  });

  it.each(MODES)('edge case 22: each of the 26 prohibited characters is refused by name (%s)', (mode) => {
    const prohibited = Array.from('%/:;\0<>|`$\'?^& {"}[]\n\t\v\b\r\\');
    expect(new Set(prohibited).size).toBe(26);
    for (const character of prohibited) {
      for (const parameter of ['NAME', 'DRIVER', 'OPTS']) {
        const variables = { DVDI_VOLUME_NAME1: 'a1', [`DVDI_VOLUME_${parameter}1`]: `k=a${character}b` };
        expect(refusal(variables, mode), JSON.stringify(character)).toMatch(
          new RegExp(`^DVDI_VOLUME_${parameter}1 has a character that mesos-module-dvdi prohibits: `),
        );
      }
    }
    expect(refusal({ DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_OPTS: 'remote=store:x' }, mode)).toContain('":"');
    expect(refusal({ DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_OPTS: 'a=b c' }, mode)).toContain('a blank');
    expect(refusal({ DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_OPTS: 'a=b\u0000' }, mode)).toContain('NUL');
  });

  it('edge case 22: the module lets parentheses pass, at which its shell fails, and we do not', () => {
    for (const [parameter, value] of [
      ['NAME', 'a(1'],
      ['DRIVER', 'r)'],
      ['OPTS', 'size=(5'],
    ]) {
      const given = { DVDI_VOLUME_NAME1: 'a1', [`DVDI_VOLUME_${parameter}1`]: value! };
      expect(() => decodeDvdiVariables(given, 'compat')).not.toThrow();
      expect(refusal(given, 'strict')).toMatch(
        new RegExp(`^DVDI_VOLUME_${parameter}1 has a character .*its shell fails at: "[()]"$`),
      );
    }
    expect(() => encodeDvdiVariables([{ ...data, options: { size: '5)' } }])).toThrow(
      /DVDI_VOLUME_OPTS\d* has/,
    );
  });

  it('edge case 22: the module lets shell characters pass in paths, we do not', () => {
    const path = { DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_CONTAINERPATH: '/data;rm -rf x' };
    expect(decodeDvdiVariables(path, 'compat').mounts[0]?.containerPath).toBe('/data;rm -rf x');
    expect(refusal(path, 'strict')).toMatch(/DVDI_VOLUME_CONTAINERPATH has a character that a shell.*";"/);
    const program = { DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_DVDCLI: '/usr/bin/dvdcli$(x)' };
    expect(refusal(program, 'strict')).toMatch(/DVDI_VOLUME_DVDCLI has a character.*"\$"/);
  });

  it.each(MODES)(
    'edge case 23: suffix 0 is slot 0; 10, letters and longer names are refused (%s)',
    (mode) => {
      expect(decodeDvdiVariables({ DVDI_VOLUME_NAME0: 'a1' }, mode).mounts[0]?.slot).toBe(0);
      expect(decodeDvdiVariables({ DVDI_VOLUME_NAME9: 'a1' }, mode).mounts[0]?.slot).toBe(9);
      for (const name of [
        'NAME10',
        'NAMEX',
        'NAMESPACE',
        'OPTS01',
        'DVDCLI ',
        'DRIVER-1',
        'CONTAINERPATH²',
      ]) {
        const variable = `DVDI_VOLUME_${name}`;
        expect(refusal({ [variable]: 'a1' }, mode)).toMatch(/ has the suffix .*one digit from 1 to 9$/);
        expect(refusal({ [variable]: 'a1' }, mode)).toContain(variable);
      }
    },
  );

  it('edge case 23: with suffix 0 and without one at once, the last counts, or it is refused', () => {
    const both = { DVDI_VOLUME_NAME: 'a1', DVDI_VOLUME_NAME0: 'b1' };
    expect(decodeDvdiVariables(both, 'compat').mounts[0]?.name).toBe('b1');
    expect(refusal(both, 'strict')).toMatch(/DVDI_VOLUME_NAME0 is the same parameter as DVDI_VOLUME_NAME/);
    expect(() => encodeDvdiVariables([{ ...data, slot: 10 }])).toThrow(/no slot/);
    expect(() => encodeDvdiVariables([data, { ...data, name: 'b1' }])).toThrow(/wanted by two/);
  });

  it('edge case 24: the path of a slot without a name is an error that names the slot, or noticed', () => {
    const defect = {
      DVDI_VOLUME_NAME1: 'elasticsearch4data',
      DVDI_VOLUME_DRIVER1: 'rclone',
      DVDI_VOLUME_CONTAINERPATH: '/tmp/esdata2',
    };
    expect(refusal(defect, 'strict')).toBe(
      'DVDI_VOLUME_NAME is missing, so DVDI_VOLUME_CONTAINERPATH says nothing: slot 0 (no suffix) names no volume',
    );
    const { mounts, notices } = decodeDvdiVariables(defect, 'compat');
    expect(mounts).toEqual([
      { slot: 1, name: 'elasticsearch4data', driver: 'rclone', options: {}, explicitCreate: false },
    ]);
    expect(notices).toEqual([expect.stringContaining('slot 0 (no suffix) names no volume')]);
  });

  it.each(MODES)('edge case 25: a path is absolute, not "/", has no "..", and is normalised (%s)', (mode) => {
    const at = (path: string) => ({ DVDI_VOLUME_NAME7: 'a1', DVDI_VOLUME_CONTAINERPATH7: path });
    expect(refusal(at('data'), mode)).toMatch(
      /^DVDI_VOLUME_CONTAINERPATH7 is "data": wanted an absolute path/,
    );
    expect(refusal(at('/tmp/../etc'), mode)).toMatch(/\.\./);
    expect(refusal(at('/..'), mode)).toMatch(/\.\./);
    expect(refusal(at('//./'), mode)).toMatch(/is "\/"/);
    expect(refusal(at('/a\u0000b'), mode)).toMatch(/NUL/);
    const read = decodeDvdiVariables(at('//data/./a..b/'), mode).mounts[0];
    expect(read?.containerPath).toBe('/data/a..b');
  });

  it('one volume in two slots: refused with a path, mounted once without', () => {
    const twice = { DVDI_VOLUME_NAME: 'Data', DVDI_VOLUME_NAME4: 'data' };
    expect(decodeDvdiVariables(twice, 'compat')).toMatchObject({
      mounts: [{ name: 'Data' }],
      notices: [expect.stringContaining('mounted once')],
    });
    expect(refusal(twice, 'strict')).toMatch(/DVDI_VOLUME_NAME4 names volume data.*slot 0/);
    expect(refusal({ ...twice, DVDI_VOLUME_CONTAINERPATH4: '/data' }, 'compat')).toMatch(/NAME4 names/);
  });

  it('two volumes at one path: the module lets one hide the other', () => {
    const two = {
      ...{ DVDI_VOLUME_NAME1: 'a1', DVDI_VOLUME_CONTAINERPATH1: '/data' },
      ...{ DVDI_VOLUME_NAME2: 'b1', DVDI_VOLUME_CONTAINERPATH2: '/data/' },
    };
    expect(decodeDvdiVariables(two, 'compat').notices).toEqual([expect.stringContaining('hides')]);
    expect(refusal(two, 'strict')).toMatch(/DVDI_VOLUME_CONTAINERPATH2 is \/data, which slot 1 has/);
  });
});

describe('any parameters', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_.*!#~=-]{1,12}$/);
  const key = fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/).filter((text) => text !== '__proto__');
  const path = fc
    .array(fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/), { minLength: 1, maxLength: 3 })
    .map((segments) => segments.filter((one) => one !== '.' && one !== '..'))
    .filter((segments) => segments.length > 0)
    .map((segments) => `/${segments.join('/')}`);
  const mount = fc.record(
    {
      slot: fc.integer({ min: 0, max: 9 }),
      name: word,
      driver: word,
      options: fc.dictionary(key, word, { noNullPrototype: true }),
      containerPath: path,
      dvdcli: path,
      explicitCreate: fc.boolean(),
    },
    { requiredKeys: ['slot', 'name', 'driver', 'options', 'explicitCreate'] },
  );
  const mounts = fc
    .uniqueArray(mount, { selector: ({ slot }) => slot, maxLength: 10 })
    .filter((all) => new Set(all.map(({ name }) => name.toLowerCase())).size === all.length)
    .filter((all) => {
      const paths = all.flatMap(({ containerPath }) => containerPath ?? []);
      return new Set(paths).size === paths.length;
    });

  it('come back as they were sent', () => {
    fc.assert(
      fc.property(mounts, (sent) => {
        const bySlot = [...sent].sort((a, b) => a.slot - b.slot);
        for (const mode of MODES) {
          expect(decodeDvdiVariables(encodeDvdiVariables(sent), mode)).toEqual({
            mounts: bySlot,
            notices: [],
          });
        }
      }),
    );
  });

  it('are read, or refused by variable; what strict accepts, compat reads the same way, and it can be sent', () => {
    const name = fc.oneof(
      fc.constantFrom('NAME', 'DRIVER', 'OPTS', 'CONTAINERPATH', 'DVDCLI', 'EXPLICITCREATE'),
      fc.string({ maxLength: 4 }),
    );
    const variable = fc
      .tuple(name, fc.oneof(fc.constantFrom('', '0', '1', '2', '9', '10', 'x'), fc.string({ maxLength: 2 })))
      .map(([one, suffix]) => `DVDI_VOLUME_${one}${suffix}`);
    const value = fc.oneof(word, path, fc.string({ maxLength: 12 }), fc.constant('a=b,c=d'));
    fc.assert(
      fc.property(fc.dictionary(variable, value, { maxKeys: 12, noNullPrototype: true }), (given) => {
        const read = (mode: DvdiMode) => {
          try {
            return decodeDvdiVariables(given, mode);
          } catch (error) {
            if (error instanceof DvdiVariablesError && error.variable.startsWith('DVDI_VOLUME_'))
              return undefined;
            throw error;
          }
        };
        const strict = read('strict');
        const compat = read('compat');
        if (strict === undefined) return;
        expect(compat).toEqual(strict);
        expect(strict.notices).toEqual([]);
        expect(decodeDvdiVariables(encodeDvdiVariables(strict.mounts))).toEqual(strict);
      }),
      { numRuns: 2000 },
    );
  });
});
