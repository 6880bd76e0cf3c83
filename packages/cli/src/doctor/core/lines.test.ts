import { describe, expect, it } from 'vitest';
import { agentLines, isolationOf, type AgentFinding } from './agent.ts';
import { dvdcliLine } from './dvdcli.ts';
import { allFine, failed, fine, linesText, skipped } from './line.ts';

const agent: AgentFinding = { agent: 'a1:5051', isolation: undefined, failure: undefined, traces: [] };
const verdicts = (finding: Partial<AgentFinding>) =>
  agentLines({ ...agent, ...finding }).map(({ verdict, says }) => `${verdict}: ${says}`);

describe('isolators', () => {
  it('are read from what an agent answers', () => {
    expect(isolationOf({ flags: { isolation: 'cgroups/mem' } })).toBe('cgroups/mem');
    for (const answer of [null, 'x', {}, { flags: {} }, { flags: { isolation: 1 } }]) {
      expect(isolationOf(answer)).toBeUndefined();
    }
  });
  it.each<[string, Partial<AgentFinding>, RegExp[]]>([
    ['no agent', {}, [/^skipped: no agent at a1:5051$/]],
    ['a silent agent that was named', { failure: '/flags: HTTP 401' }, [/^failed: .*HTTP 401/]],
    ['none', { isolation: 'posix/cpu,posix/mem' }, [/^skipped: none .*the executor mounts/]],
    ['docker/volume', { isolation: 'filesystem/linux,docker/volume' }, [/^fine: docker\/volume on a1/]],
    [
      'docker/volume alone',
      { isolation: 'docker/volume' },
      [/^fine/, /^failed: .*without filesystem\/linux/],
    ],
    [
      'the module',
      { isolation: 'com_emccode_mesos_DockerVolumeDriverIsolator' },
      [/^fine: com_emccode_mesos_DockerVolumeDriverIsolator on/],
    ],
    ['a longer name', { isolation: 'docker/volume2' }, [/^skipped/]],
    ['traces only', { traces: ['/var/run/x'] }, [/traces of one on this host: \/var\/run\/x/]],
  ])('with %s', (_, finding, wanted) => {
    const found = verdicts(finding);
    expect(found).toHaveLength(wanted.length);
    for (const [index, pattern] of wanted.entries()) expect(found[index]).toMatch(pattern);
  });
});

describe('dvdcli', () => {
  const version = (number: string) => `Binary: /usr/bin/dvdcli\nSemVer: ${number}\nOsArch: Linux-x86_64\n`;
  it.each([
    ['ours', version('0.1.0'), 'Environment:\n  VOLUME_PLUGIN_DIRECTORIES  where', 'fine', /ours, 0\.1\.0/],
    ['the original', version('0.2.1'), 'Usage: dvdcli', 'fine', /the original, 0\.2\.1/],
    ['the old original', version('0.1.0'), 'Usage: dvdcli', 'failed', /neither get nor list/],
    ['something else', 'hello', '', 'failed', /does not say its version: hello/],
  ])('is %s', (_, text, help, verdict, says) => {
    expect(dvdcliLine('dvdcli', text, help)).toMatchObject({ verdict, says: expect.stringMatching(says) });
  });
});

it('lines show what failed and the next thing to do', () => {
  const lines = [
    fine('mount', '/mnt/v', 12.4),
    skipped('java', 'missing'),
    failed('fsync', 'EIO', 'look\nthere'),
  ];
  expect(linesText(lines).split('\n')).toEqual([
    '✓ mount  /mnt/v (12 ms)',
    '– java   missing',
    '✗ fsync  EIO',
    '         → look',
    '           there',
  ]);
  expect(allFine(lines)).toBe(false);
  expect(allFine(lines.slice(0, 2))).toBe(true);
});
