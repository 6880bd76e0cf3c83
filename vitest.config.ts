import { defineConfig } from 'vitest/config';

/**
 * unit: beside the sources, touches no process but its own.
 * integration: touches other processes, real sockets or real plugins; `*.integration.test.ts` beside the sources.
 * The folders of test/ cross packages: wire, conformance, docker, e2e, faults, sim. tidy checks the repository itself.
 */
const suite = (name: string, include: string[], options: Record<string, unknown> = {}) => ({
  test: { name, include, environment: 'node', ...options },
});
const processes = { testTimeout: 120_000, hookTimeout: 180_000, fileParallelism: false };

export default defineConfig({
  test: {
    globalSetup: [],
    projects: [
      suite('unit', ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.mjs'], {
        exclude: ['**/*.integration.test.ts'],
        // They share nothing that one could spoil for another; it halves their time.
        isolate: false,
      }),
      suite('integration', ['packages/*/src/**/*.integration.test.ts'], processes),
      suite('wire', ['test/wire/**/*.test.ts']),
      suite('conformance', ['test/conformance/**/*.test.ts'], processes),
      suite('docker', ['test/docker/**/*.test.ts'], processes),
      suite('e2e', ['test/e2e/**/*.test.ts'], { ...processes, testTimeout: 600_000 }),
      suite('faults', ['test/faults/**/*.test.ts'], {
        ...processes,
        testTimeout: 300_000,
        hookTimeout: 400_000,
      }),
      suite('sim', ['test/sim/**/*.test.ts'], processes),
      suite('fuzz', ['test/fuzz/**/*.test.ts'], processes),
      suite('tidy', ['test/tidy/**/*.test.ts'], { testTimeout: 30_000 }),
    ],
  },
});
