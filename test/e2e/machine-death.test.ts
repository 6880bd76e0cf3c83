/** The main job: a machine dies, its node comes back on another with its data. Real Elasticsearch, real drivers. */
import { accessSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findCommand, type VerifyReport } from '@mesos-elasticsearch/cli';
import { commandIsBuilt, leftBehind, runDemo, type DemoRun } from './demo-run.ts';

const unbuilt = commandIsBuilt ? undefined : 'the command is not built (npm run build)';
const withoutJava =
  (await findCommand('java', process.env)) === undefined ? 'Java is not installed' : undefined;

async function whyNoRclone(): Promise<string | undefined> {
  for (const command of ['rclone', 'fusermount3']) {
    if ((await findCommand(command, process.env)) === undefined) return `${command} is not installed`;
  }
  try {
    accessSync('/dev/fuse');
  } catch {
    return 'this machine has no /dev/fuse';
  }
  return process.getuid?.() === 0 ? undefined : 'allow-other needs root';
}

function reportOf({ stdout, stderr, exitCode }: DemoRun): VerifyReport {
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as VerifyReport;
}

/** A whole cluster once; with the slower driver one node shows the same, in a third of the time. */
const drivers: readonly (readonly [driver: string, nodes: number, why: string | undefined])[] = [
  ['hostdir', 3, unbuilt ?? withoutJava],
  ['rclone', 1, unbuilt ?? withoutJava ?? (await whyNoRclone())],
];

for (const [driver, nodes, why] of drivers) {
  describe.skipIf(why !== undefined)(
    `processes with ${driver}${why === undefined ? '' : ` (skipped: ${why})`}`,
    () => {
      it('bring the lost node back on another agent, with its node ID, its volumes and every document', async () => {
        const run = await runDemo(['--verify', '--json', '--driver', driver, '--nodes', String(nodes)]);
        const report = reportOf(run);
        const ids = Array.from({ length: nodes }, (_, index) => index + 1);
        expect(report).toMatchObject({
          nodeIds: { before: ids, after: ids },
          documents: { before: 3000, after: 3000 },
          recoveredFrom: 'EXISTING_STORE',
          driver,
          runtime: 'jar',
          elasticsearch: '8.19.5',
        });
        expect(report.volumes).toHaveLength(2 * nodes);
        const lost = String(report.lostNodeId);
        expect(report.epochs.after[lost]).toBeGreaterThan(report.epochs.before[lost]!);
        expect(report.seconds.toGreen).toBeGreaterThanOrEqual(report.seconds.toRunning);
        expect(await leftBehind(run.folder!)).toEqual([]);
      });
    },
  );
}

describe.skipIf(unbuilt !== undefined || withoutJava !== undefined)('Ctrl-C', () => {
  it('ends a demo that is up with exit code 0 and leaves nothing behind', async () => {
    let asked = false;
    const run = await runDemo(['--nodes', '1'], (said, kill) => {
      if (asked || !said.includes('Everything is up')) return;
      asked = true;
      kill('SIGINT');
    });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain('Everything is up');
    expect(await leftBehind(run.folder!)).toEqual([]);
  });
});
