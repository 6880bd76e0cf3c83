/** `volumes migrate`: the cluster's volumes move to another driver, node by node, while it serves. */
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { parseVolumeOptions } from '@mesos-elasticsearch/contract';
import type { ConsumerId, Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import { Command, InvalidArgumentError } from 'commander';
import { follow } from '../migrate/follow.ts';
import { migrationApi, type MigrationOrder } from '../migrate/migration-api.ts';
import { purgeFormer } from '../migrate/purge.ts';
import { migrationText, overwrittenText, unavailableText } from '../migrate/show.ts';
import { readShards, unavailableIndices } from '../migrate/unavailable.ts';
import { nodesApi } from '../nodes/nodes-api.ts';
import { volumesOfThisHost } from '../volumes/reach.ts';
import { apiOption } from './api-option.ts';
import { UsageError } from './exit-code.ts';
import { terminal, type Terminal } from './terminal.ts';

/** What the command needs of its surroundings; replaced in tests. */
export interface MigrateWorld {
  readonly to: Terminal;
  /** Undefined: nobody is there to be asked. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly pauseMs: number;
  /** Aborted when somebody wants to leave. */
  readonly signal: () => AbortSignal;
  readonly volumes: () => Volumes;
}

interface MigrateFlags {
  readonly api: URL | string;
  readonly to?: string;
  readonly options: Readonly<Record<string, string>>;
  readonly acceptYellow?: true;
  readonly overwriteFormer?: true;
  readonly yes?: true;
  readonly purge?: true;
  readonly forgetMissing?: true;
}

export function migrateCommand(world: MigrateWorld = realWorld()): Command {
  const migrate = new Command('migrate')
    .description("moves every node's volumes to another driver, node by node, while the cluster serves")
    .exitOverride()
    .addOption(apiOption())
    .option('--to <driver>', 'the driver to move to')
    .option('--options <k=v,…>', "its options; {volume} stands for the volume's name", parseOptions, {})
    .option('--accept-yellow', 'a yellow cluster is healthy enough, where some replica can never be placed')
    .option(
      '--overwrite-former',
      'volumes of that driver from before an earlier migration may be written over',
    )
    .option('--yes', 'do not ask')
    .option('--purge', 'removes the volumes that were kept, on a machine where their driver knows them')
    .option('--forget-missing', 'with --purge: what the driver does not know here is gone')
    .action(async (flags: MigrateFlags) => {
      if (flags.purge === true) await purge(flags, world);
      else await begin(flags, world);
    });
  migrate
    .command('status')
    .description('where it stands')
    .option('--json', 'as the API gives it')
    .action(async (own: { readonly json?: true }) => {
      const found = await migrationApi(apiOf(migrate)).look();
      world.to.write(`${own.json === true ? JSON.stringify(found, undefined, 2) : migrationText(found)}\n`);
    });
  const changes = {
    pause: 'begins no further turn, and stops a copy where it is',
    resume: 'goes on',
  } as const;
  migrate
    .command('rollback')
    .description('takes the node whose turn it is back to its old volumes, and pauses')
    .option(
      '--accept-data-loss <node>',
      'of that node, though only it may have acknowledged documents since its copy: they are lost',
      parseNodeId,
    )
    .action(async (own: { readonly acceptDataLoss?: number }) => {
      const api = migrationApi(apiOf(migrate));
      const { acceptDataLoss: node } = own;
      world.to.write(`${node === undefined ? await api.change('rollback') : await api.giveUp(node)}\n`);
    });
  for (const change of ['pause', 'resume'] as const) {
    migrate
      .command(change)
      .description(changes[change])
      .action(async () => {
        world.to.write(`${await migrationApi(apiOf(migrate)).change(change)}\n`);
      });
  }
  return migrate;
}

async function begin(flags: MigrateFlags, world: MigrateWorld): Promise<void> {
  const { to: driver, options, acceptYellow, overwriteFormer } = flags;
  if (driver === undefined) {
    throw new UsageError('wanted: --to DRIVER, --purge, or one of status, pause, resume, rollback');
  }
  const base = new URL(flags.api);
  await confirm(flags, world, base);
  const order: MigrationOrder = {
    to: driver,
    options,
    wantedHealth: acceptYellow === true ? 'yellow' : 'green',
    overwriteFormer: overwriteFormer === true,
  };
  const api = migrationApi(base);
  world.to.write(`${await api.begin(order)}\n`);
  const signal = world.signal();
  const ended = await follow({
    api,
    signal,
    write: (text) => world.to.write(text),
    pause: () => paused(world.pauseMs, signal),
  });
  if (ended === 'left') {
    world.to.write(
      'The migration goes on without this command: see mesos-elasticsearch volumes migrate status\n',
    );
  }
  if (ended !== 'paused') return;
  throw new Error(
    'the migration is paused, for the reason above: see volumes migrate status; then volumes migrate resume, or volumes migrate rollback',
  );
}

/** Names what will be away, and on whose turn, and what may be written over, before anything is ordered. */
async function confirm(
  { yes, to, overwriteFormer }: MigrateFlags,
  { to: terminalOf, ask }: MigrateWorld,
  base: URL,
): Promise<void> {
  const nodes = await nodesApi(base).list();
  const addresses = nodes.flatMap(({ phase, addresses: known }) =>
    phase === 'running' && known !== undefined ? [known.http] : [],
  );
  const said = await readShards(addresses).then(
    (shards) => unavailableText(unavailableIndices(shards)),
    (error: unknown) => `It is not known which indices will be away: ${(error as Error).message}`,
  );
  terminalOf.write(`${said}\n`);
  if (overwriteFormer === true) {
    const { nodes: kept } = await migrationApi(base).look();
    terminalOf.write(`${overwrittenText(to ?? '', kept)}\n`);
  }
  if (yes === true) return;
  if (ask === undefined) throw new UsageError('nothing was ordered: say --yes when that is as it should be');
  const answer = await ask(`Move every node's volumes to ${to ?? ''}, one node after the other? (yes/no) `);
  if (answer.trim().toLowerCase() !== 'yes') throw new UsageError('nothing was ordered');
}

async function purge(flags: MigrateFlags, world: MigrateWorld): Promise<void> {
  if (flags.to !== undefined) throw new UsageError('--purge and --to exclude each other');
  const left = await purgeFormer({
    api: migrationApi(new URL(flags.api)),
    volumes: world.volumes(),
    consumer: `purge-${randomUUID()}` as ConsumerId,
    forgetMissing: flags.forgetMissing === true,
    write: (text) => world.to.write(text),
  });
  if (left > 0) throw new Error(`${left} former volumes were kept, for the reasons above`);
}

function apiOf(migrate: Command): URL {
  return new URL(migrate.opts<MigrateFlags>().api);
}

function parseNodeId(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a node ID is wanted: 1, 2, 3…');
}

function parseOptions(text: string): Record<string, string> {
  try {
    return parseVolumeOptions(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function paused(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(over, ms);
    function over(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    }
    signal.addEventListener('abort', over);
    if (signal.aborted) over();
  });
}

function realWorld(): MigrateWorld {
  return {
    to: terminal,
    ask: process.stdin.isTTY ? askAtTerminal : undefined,
    pauseMs: 1000,
    signal: () => {
      const leaving = new AbortController();
      process.once('SIGINT', () => leaving.abort());
      return leaving.signal;
    },
    volumes: () => volumesOfThisHost(process.env),
  };
}

async function askAtTerminal(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
