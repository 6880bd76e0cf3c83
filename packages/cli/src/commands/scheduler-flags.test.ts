import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { GROUPS } from '../config/field.ts';
import { FIELD_NAMES } from '../config/fields.ts';
import { addSchedulerFlags, readSchedulerFlags } from './scheduler-flags.ts';

function read(...argv: string[]) {
  const command = addSchedulerFlags(new Command('scheduler'));
  command.parse(argv, { from: 'user' });
  return readSchedulerFlags(command);
}

describe('the flags of the scheduler', () => {
  it('are spelled as the settings are, with a value after a blank or "="', () => {
    const { flags } = read('--frameworkName', 'es', '--elasticsearchNodes=5', '--adoptVolumes');
    expect(Object.fromEntries(flags)).toEqual({
      frameworkName: 'es',
      elasticsearchNodes: '5',
      adoptVolumes: true,
    });
  });

  it('collect what is unknown instead of stopping at the first', () => {
    const { flags, unknownFlags } = read('--frobnicate', 'x', '--frameworkName', 'es', '--Nodes=3', 'stray');
    expect(unknownFlags).toEqual(['frobnicate', 'Nodes', 'stray']);
    expect(flags.get('frameworkName')).toBe('es');
  });

  it('let the file be named', () => {
    expect(read('--config', 'cluster.yml').config).toBe('cluster.yml');
  });

  it('stand in the help, in their groups', () => {
    const help = addSchedulerFlags(new Command('scheduler')).helpInformation();
    for (const group of GROUPS) expect(help).toContain(`${group}:`);
    for (const name of FIELD_NAMES) expect(help).toContain(`--${name} [value]`);
  });
});
