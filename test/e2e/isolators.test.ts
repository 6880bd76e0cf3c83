/** Volumes that an isolator of Mesos mounts: they follow the node, and nothing else is taken for them. */
import { chown, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  bundlesBeside,
  ELASTICSEARCH_UID,
  ElasticsearchClient,
  findCommand,
  freeRanges,
  makeWorkDirectory,
  NodeBoard,
  prepare,
  removeWorkDirectory,
  schedulerArgv,
  startSchedulerProcess,
  tearDownFramework,
  Undo,
  type DemoOptions,
  type ProgressLine,
  type SchedulerProcess,
} from '@mesos-elasticsearch/cli';
import { volumeName } from '@mesos-elasticsearch/contract';
import {
  startIsolatingCluster,
  WHY_NO_ISOLATORS,
  type IsolatingCluster,
} from '../conformance/isolating-cluster.ts';
import { COMMAND, commandIsBuilt } from './demo-run.ts';

const withoutJava =
  (await findCommand('java', process.env)) === undefined ? 'Java is not installed' : undefined;
const unbuilt = commandIsBuilt ? undefined : 'the command is not built (npm run build)';
const why = unbuilt ?? withoutJava ?? WHY_NO_ISOLATORS;
const never = new AbortController().signal;
/** Small, of one module, and fast to start. */
const OPTIONS: DemoOptions = {
  ...{ runtime: 'jar', nodes: 1, agents: 2, driver: 'hostdir', elasticsearchVersion: '7.17.29' },
  ...{ keepVolumes: false, verify: false, json: false },
};
const MODES = {
  'dvdi-isolator': 'com_emccode_mesos_DockerVolumeDriverIsolator',
  'docker-volume-isolator': 'filesystem/linux,docker/volume',
} as const;
type Mode = keyof typeof MODES;

interface Stage {
  readonly framework: string;
  readonly paths: { readonly config: string; readonly data: string };
  readonly place: IsolatingCluster;
  readonly board: NodeBoard;
  readonly told: readonly ProgressLine[];
  readonly elasticsearch: ElasticsearchClient;
  readonly scheduler: SchedulerProcess;
}

const undo = new Undo();
afterEach(async () => {
  expect(await undo.run(() => undefined)).toEqual([]);
});

/** @param agents name → how it is isolated, and what stands for its dvdcli */
async function stage(
  mode: Mode,
  agents: Readonly<Record<string, { isolation?: string; dvdcli?: (real: string) => string }>>,
): Promise<Stage> {
  const framework = `isolated-${Math.random()
    .toString(36)
    .replaceAll(/[^a-z]/g, '')
    .slice(0, 6)}`;
  const work = await makeWorkDirectory(framework);
  undo.add('the folder', () => removeWorkDirectory(work, false));
  const bundles = bundlesBeside(pathToFileURL(COMMAND).href);
  const prepared = await prepare(OPTIONS, work, { environment: process.env, tell: () => undefined, undo });
  const ranges = await freeRanges(Object.keys(agents).length, 4, Math.random());
  const place = await startIsolatingCluster(
    [process.execPath, COMMAND, 'local'],
    Object.entries(agents).map(([name, agent], index) => {
      const { begin, end } = ranges[index] ?? { begin: 0, end: 0 };
      return { name, ...agent, resources: `cpus:2;mem:4096;disk:20000;ports:[${begin}-${end}]` };
    }),
  );
  undo.add('the cluster', () => place.stop());
  // On every agent, which here is this machine: mesos-module-dvdi gives the volumes this owner.
  const data = join(place.folder, 'container-data');
  const config = mode === 'dvdi-isolator' ? join(place.folder, 'container-config') : 'es-config';
  for (const path of [data, ...(config.startsWith('/') ? [config] : [])]) {
    await mkdir(path);
    await chown(path, ELASTICSEARCH_UID, ELASTICSEARCH_UID);
  }
  const [first = ''] = Object.keys(agents);
  for (const role of ['config', 'data']) {
    const name = volumeName(`${framework}1${role}`);
    await place.volumesOf(first).ensure({ name, driver: 'hostdir', options: {} });
    // Mesos's own leaves the owner as it is.
    if (mode === 'docker-volume-isolator')
      await chown(place.pathOf(name), ELASTICSEARCH_UID, ELASTICSEARCH_UID);
  }
  const start = {
    options: OPTIONS,
    frameworkName: framework,
    master: place.cluster.master,
    work,
    bundles,
    prepared,
  };
  const flags = {
    ...{ volumeMounter: mode, isolatorConfigPath: config, isolatorDataPath: data, suspectPolicy: 'wait' },
    ...{ leaseMs: '5000', pauseBoundMs: '1000', dvdcliProgram: place.dvdcliOf(first) },
  };
  const told: ProgressLine[] = [];
  const board = new NodeBoard();
  const written = Object.entries(flags)
    // The agents' own program is theirs to know; the variable would name one agent's to all.
    .filter(([name]) => mode !== 'dvdi-isolator' || name !== 'dvdcliProgram')
    .map(([name, value]) => `--${name}=${value}`);
  const argv = [...(await schedulerArgv(start)), ...written];
  const scheduler = await startSchedulerProcess(argv, join(work.path, 'scheduler.log'), (line) => {
    told.push(line);
    board.take(line);
  });
  undo.add('the scheduler', () => scheduler.stop());
  const elasticsearch = new ElasticsearchClient(() => board.running().map(({ http }) => http));
  return { framework, paths: { config, data }, place, board, told, elasticsearch, scheduler };
}

const runs = ({ board }: Stage, epoch: number) =>
  board.until('the node runs', () => (board.node(1)?.epoch ?? 0) >= epoch, 120_000, never);
/** Nobody but an operator knows when an isolator has unmounted; the word is taken once the node is suspect. */
async function saysGone({ scheduler }: Stage, epoch: number): Promise<void> {
  const order = () =>
    fetch(`${scheduler.url}/v1/nodes/1/release`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ confirm: 'the-holder-is-gone', epoch }),
    });
  await expect.poll(async () => (await order()).ok, { timeout: 60_000, interval: 500 }).toBe(true);
}
const mountedOn = async ({ place, framework }: Stage, agent: string) => {
  const found = await place
    .volumesOf(agent)
    .inspect({ name: volumeName(`${framework}1data`), driver: 'hostdir' });
  return found.kind === 'done' ? found.value?.mountpoint : found;
};
/** What the scheduler says of the last failure. */
async function failure({ board, told }: Stage): Promise<string> {
  const waits = () =>
    told.flatMap((line) =>
      line.kind === 'waiting' && line.rule === 'relaunch-backoff' ? [line.reason] : [],
    );
  await board.until('a failure is told', () => waits().length > 0, 60_000, never);
  return waits()[0] ?? '';
}

describe.skipIf(why !== undefined)(
  `isolators that mount${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    it.each(['dvdi-isolator', 'docker-volume-isolator'] as const)(
      '%s: data follows the node to another agent when its machine dies',
      async (mode) => {
        const isolation = MODES[mode];
        const set = await stage(mode, { one: { isolation }, two: { isolation } });
        await runs(set, 1);
        const { place, board, elasticsearch, framework } = set;
        await elasticsearch.createIndex('books', 1);
        await elasticsearch.index('books', ['a', 'b', 'c']);
        const first = board.node(1)!;
        expect(await mountedOn(set, first.host)).toBe(place.pathOf(`${framework}1data`));
        expect(await readdir(place.pathOf(`${framework}1data`))).toContain('nodes');
        expect(await readdir(set.paths.data), "nothing on the agent's own disk").toEqual([]);

        await place.cluster.killMachine(first.host);
        await saysGone(set, first.epoch);
        await runs(set, first.epoch + 1);
        expect(board.node(1)!.host).not.toBe(first.host);
        await elasticsearch.call('GET', '/_cluster/health/books?wait_for_status=yellow&timeout=60s');
        const { count } = await elasticsearch.call<{ count: number }>('GET', '/books/_count');
        expect(count).toBe(3);

        const second = board.node(1)!.host;
        await set.scheduler.stop();
        const user = { id: board.frameworkId ?? '', name: framework, user: 'root' };
        expect(await tearDownFramework(place.cluster.masterUrl, user, 30_000)).toBeUndefined();
        await expect.poll(() => mountedOn(set, second), { timeout: 60_000 }).toBeUndefined();
      },
    );

    it.each([
      ['dvdi-isolator', /--isolation=com_emccode_mesos_DockerVolumeDriverIsolator/],
      [
        'docker-volume-isolator',
        /container-data.*--isolation=filesystem\/linux,docker\/volume|es-config.*--isolation=filesystem\/linux,docker\/volume/,
      ],
    ] as const)('%s: an agent without it is refused, and its disk stays empty', async (mode, says) => {
      const set = await stage(mode, { bare: {} });
      const told = await failure(set);
      expect(told).toMatch(/nothing is mounted at|is not there for the volume/);
      expect(told).toMatch(says);
      expect(await readdir(set.paths.data)).toEqual([]);
      expect(set.board.running()).toEqual([]);
    });

    it('another volume at the path is refused by name', async () => {
      const wrong = (real: string) =>
        [
          `path=$(${real} "$@") || exit 1`,
          'case "$*" in',
          '  mount*1data*) cp -r "$(dirname "$path")" "$(dirname "$path")-other"; echo "$path" | sed "s#/data\\$#-other/data#" ;;',
          '  *) echo "$path" ;;',
          'esac',
        ].join('\n');
      const set = await stage('docker-volume-isolator', {
        liar: { isolation: MODES['docker-volume-isolator'], dvdcli: wrong },
      });
      const told = await failure(set);
      expect(told).toMatch(
        /what is mounted at \S+container-data .*1data-other.* is not the volume.*another volume/,
      );
      expect(await readdir(set.place.pathOf(`${set.framework}1data`))).toEqual([]);
      await rm(`${set.place.pathOf(`${set.framework}1data`)}-other`, { recursive: true, force: true });
    });
  },
);
