/** The simulation as it is called: what it finds, and that it finds what it should. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import type { Report } from './report.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function simulate(...parameters: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const argv = ['scripts/sim.mjs', ...parameters];
    execFile(process.execPath, argv, { cwd: ROOT, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr });
      else reject(new Error(`the simulation was not run: ${error?.message ?? ''}`));
    });
  });
}

async function report(...parameters: string[]): Promise<{ exitCode: number; report: Report }> {
  const { exitCode, stdout, stderr } = await simulate(...parameters, '--json');
  if (exitCode > 1) throw new Error(stderr);
  return { exitCode, report: JSON.parse(stdout) as Report };
}

describe('the simulation', () => {
  it('finds nothing in 1,000 seeds', { timeout: 400_000 }, async () => {
    const { exitCode, report: said } = await report('--seeds', '1000');
    expect(said.violations).toEqual([]);
    expect(said).toMatchObject({ seeds: 1_000, first: 1, mutation: null });
    expect(said.steps).toBeGreaterThan(1_000_000);
    expect(exitCode).toBe(0);
  });

  it.each(Object.keys(MUTATIONS))(
    'finds out that a rule is missing: %s',
    { timeout: 180_000 },
    async (rule) => {
      const { exitCode, report: said } = await report('--seeds', '1000', '--mutate', rule);
      expect(said.violations).toHaveLength(1);
      expect(said.violations[0]?.invariant).not.toBe('no-crash');
      expect(exitCode).toBe(1);
    },
  );

  it('does exactly the same again, and with the fewest faults too', async () => {
    const parameters = ['--seeds', '50', '--mutate', 'end-before-detached'];
    const [once, again] = await Promise.all([report(...parameters), report(...parameters)]);
    expect(again.report.violations).toEqual(once.report.violations);
    const [violation] = once.report.violations;
    const replay =
      violation?.replay
        .match(/-- (.*)$/)?.[1]
        ?.replaceAll("'", '')
        .split(' ') ?? [];
    const replayed = await report(...replay);
    expect(replayed.exitCode).toBe(1);
    const { message, atSeconds, step } = violation ?? {};
    expect(replayed.report.violations[0]).toMatchObject({ message, atSeconds, step });
  });

  it('prints the names of the rules, one a line, and nothing else', async () => {
    const { exitCode, stdout } = await simulate('--mutate', 'list');
    expect(stdout).toBe(`${Object.keys(MUTATIONS).join('\n')}\n`);
    expect(exitCode).toBe(0);
  });

  it.each([
    ['--seeds', 'many'],
    ['--mutate', 'nothing'],
    ['--keep', 'all'],
    ['--sedes', '1'],
  ])('does not run with %s %s', async (...parameters) => {
    const { exitCode, stdout, stderr } = await simulate(...parameters);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('usage: npm run sim');
  });
});
