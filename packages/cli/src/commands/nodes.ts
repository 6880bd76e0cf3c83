/** `nodes ls | release | retire | reuse`: what an operator sees of the nodes, and the words only a person can give. */
import { RELEASE_CONFIRMATION, RETIRE_CONFIRMATION } from '@mesos-elasticsearch/scheduler';
import { Command, InvalidArgumentError, Option } from 'commander';
import { nodesApi, type NodesApi, type ShownNode } from '../nodes/nodes-api.ts';
import { nodeFacts, nodesTable } from '../nodes/show.ts';
import { apiOption } from './api-option.ts';
import { UsageError } from './exit-code.ts';
import { terminal, type Terminal } from './terminal.ts';

interface Confirmation {
  readonly confirm?: string;
  readonly epoch?: number;
}

const ORDERS = {
  release: {
    word: RELEASE_CONFIRMATION,
    description: "gives your word that a suspect node's holder is gone, so that it may start elsewhere",
    warning: [
      'Give this word only when the machine of the holder is off, or you have seen that no Elasticsearch of this node',
      'runs there and its volumes are unmounted. If it still writes, data is lost.',
    ],
  },
  retire: {
    word: RETIRE_CONFIRMATION,
    description: 'stops a node for good and takes it out of the wanted size; its volumes stay as they are',
    warning: [
      'Give this word only when Elasticsearch has moved every shard off this node (cluster.routing.allocation.exclude).',
      'What lies only there cannot be searched until the node is back.',
    ],
  },
} as const;
type Verb = keyof typeof ORDERS;

export function nodesCommand(to: Terminal = terminal): Command {
  const nodes = new Command('nodes').description('the nodes of a running scheduler').exitOverride();
  const api = apiOption;
  const asked = ({ api: base }: { readonly api: URL | string }) => nodesApi(new URL(base));
  const list = nodes
    .command('ls')
    .description('every node: phase, epoch, agent, why, and what it waits for')
    .addOption(api())
    .option('--json', 'as the API gives it');
  list.action(async (options: { readonly api: URL; readonly json?: true }) => {
    const found = await asked(options).list();
    to.write(
      `${options.json === true ? JSON.stringify(found, undefined, 2) : nodesTable(found, to.nowMs())}\n`,
    );
  });
  for (const verb of ['release', 'retire'] as const) {
    const { word, description } = ORDERS[verb];
    const order = nodes
      .command(verb)
      .description(description)
      .argument('<node>', 'node ID', parseWhole)
      .addOption(api())
      .option('--confirm <word>', `your word: ${word}`)
      .option('--epoch <epoch>', 'the epoch that you looked at', parseWhole);
    order.action(async (nodeId: number, options: Confirmation & { readonly api: URL }) => {
      await giveOrder(verb, nodeId, options, asked(options), to);
    });
  }
  nodes
    .command('reuse')
    .description("says what becomes of a retired node's volumes, so that its number may be used again")
    .argument('<node>', 'node ID', parseWhole)
    .addOption(api())
    .addOption(
      new Option('--volumes <what>', 'keep: as they are. wipe: emptied before Elasticsearch starts on them')
        .choices(['keep', 'wipe'])
        .makeOptionMandatory(),
    )
    .action(async (nodeId: number, options: { readonly api: URL; readonly volumes: 'keep' | 'wipe' }) => {
      to.write(`${await asked(options).reuse(nodeId, options.volumes)}\n`);
    });
  return nodes;
}

async function giveOrder(
  verb: Verb,
  nodeId: number,
  { confirm, epoch }: Confirmation,
  api: NodesApi,
  to: Terminal,
): Promise<void> {
  const node = (await api.list()).find((each) => each.nodeId === nodeId);
  if (node === undefined)
    throw new UsageError(`there is no node ${nodeId}: see mesos-elasticsearch nodes ls`);
  to.write(`${nodeFacts(node, to.nowMs())}\n`);
  if (confirm === undefined || epoch === undefined) throw new UsageError(confirmationWanted(verb, node));
  to.write(`${await api.order(verb, { nodeId, epoch, confirm })}\n`);
}

function confirmationWanted(verb: Verb, { nodeId, epoch }: ShownNode): string {
  const { word, warning } = ORDERS[verb];
  return [
    'nothing was changed.',
    ...warning,
    `If so: mesos-elasticsearch nodes ${verb} ${nodeId} --epoch ${epoch} --confirm ${word}`,
  ].join('\n');
}

function parseWhole(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('wanted a whole number from 1 up');
}
