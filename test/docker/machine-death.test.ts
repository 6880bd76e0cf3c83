/** The main job with containers: Docker's own volumes, an image made on this machine. */
import { describe, expect, it } from 'vitest';
import { existingEngine, findCommand, type VerifyReport } from '@mesos-elasticsearch/cli';
import { commandIsBuilt, leftBehind, runDemo } from '../e2e/demo-run.ts';

async function whyNot(): Promise<string | undefined> {
  if (!commandIsBuilt) return 'the command is not built (npm run build)';
  if ((await findCommand('java', process.env)) === undefined) return 'Java is not installed';
  if ((await existingEngine(process.env)) !== undefined) return undefined;
  if (process.getuid?.() !== 0) return 'no Docker engine answers, and only root can start one';
  return (await findCommand('dockerd', process.env)) === undefined ? 'Docker is not installed' : undefined;
}
const why = await whyNot();

describe.skipIf(why !== undefined)(
  `containers with local${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    it('bring the lost node back on another agent, with its node ID, its volumes and every document', async () => {
      const run = await runDemo(['--runtime', 'docker', '--nodes', '1', '--verify', '--json']);
      expect(run.exitCode, run.stderr).toBe(0);
      const report = JSON.parse(run.stdout) as VerifyReport;
      expect(report).toMatchObject({
        nodeIds: { before: [1], after: [1] },
        documents: { before: 3000, after: 3000 },
        recoveredFrom: 'EXISTING_STORE',
        driver: 'local',
        runtime: 'docker',
      });
      expect(run.stderr).toContain('that a volume is held by one host only is not shown');
      expect(await leftBehind(run.folder!)).toEqual([]);
    }, 600_000);
  },
);
