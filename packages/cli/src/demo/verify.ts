/** The proof: index, kill a machine, and see the lost node come back elsewhere with its data. */
import { TASK_LABEL } from '@mesos-elasticsearch/contract';
import type { RunningDemo } from './running-demo.ts';
import { misses, reportOf, type Aftermath, type NodeSnapshot, type Snapshot } from './judge.ts';
import type { PlacedNode } from './node-board.ts';
import type { VerifyReport } from './report.ts';
import { markerOf, volumesOn } from './volumes.ts';

const INDEX = 'demo';
const DOCUMENTS = 3000;
const RUNNING_WITHIN_MS = 180_000;
const GREEN_WITHIN_MS = 120_000;

/** A check that was not passed; the message lists all of them. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

/** @throws VerificationError naming every miss */
export async function verify(demo: RunningDemo): Promise<VerifyReport> {
  const { narrator, elasticsearch, options } = demo;
  const ids = Array.from({ length: DOCUMENTS }, (_, index) => `document-${index + 1}`);
  const before = await narrator.step(
    `Indexing ${DOCUMENTS} documents: ${options.nodes} shards, one a node, no replicas`,
    async (note) => {
      await elasticsearch.createIndex(INDEX, options.nodes);
      await elasticsearch.index(INDEX, ids);
      await demo.untilGreen(options.nodes, GREEN_WITHIN_MS);
      const taken = await snapshot(demo);
      for (const { shard, node } of taken.shards) note(`shard ${shard} is on ${node}`);
      return taken;
    },
  );
  const lost = chooseVictim(demo, before);
  const killedAt = performance.now();
  await narrator.step(`Killing ${lost.agent} with everything on it (node ${lost.nodeId})`, () =>
    killMachine(demo, lost),
  );
  const seconds = await awaitReturn(demo, lost, killedAt);
  const after = await narrator.step('Checking what came back', () => aftermath(demo, ids));
  const missed = misses(before, after, lost.nodeId);
  if (missed.length > 0)
    throw new VerificationError(`not verified:\n${missed.map((miss) => `  ${miss}`).join('\n')}`);
  return reportOf(before, after, {
    lostNodeId: lost.nodeId,
    seconds,
    driver: options.driver,
    runtime: options.runtime,
    elasticsearch: await elasticsearch.version(),
  });
}

function chooseVictim(demo: RunningDemo, { nodes, shards }: Snapshot): NodeSnapshot {
  const holding = nodes.filter((node) => shards.some((place) => place.node === node.name));
  const chosen = holding[Math.floor(demo.random() * holding.length)];
  if (chosen === undefined) throw new VerificationError('no node holds a shard, so none can be lost');
  return chosen;
}

/** First silent on the network, then dead; containers run beside the agent and are killed with it. */
async function killMachine(demo: RunningDemo, lost: NodeSnapshot): Promise<void> {
  const { machines, prepared } = demo;
  const taskId = demo.board.node(lost.nodeId)?.taskId ?? '';
  await machines.cluster.control.kill({ kind: 'machine', agent: lost.agent });
  if (prepared.docker === undefined) return;
  const { docker } = prepared.docker.engine;
  const filters = { label: [`${TASK_LABEL.taskId}=${taskId}`] };
  for (const { Id } of await docker.listContainers({ filters })) {
    await docker.getContainer(Id).kill({ signal: 'SIGKILL' });
  }
}

async function awaitReturn(
  demo: RunningDemo,
  lost: NodeSnapshot,
  killedAt: number,
): Promise<VerifyReport['seconds']> {
  const { narrator, board, signal } = demo;
  const since = () => Math.round(performance.now() - killedAt) / 1000;
  const toRunning = await narrator.step(`Waiting for node ${lost.nodeId} on another agent`, async (note) => {
    demo.follow(note);
    const returned = () => (board.node(lost.nodeId)?.epoch ?? 0) > lost.epoch;
    await board.until(`node ${lost.nodeId} runs again`, returned, RUNNING_WITHIN_MS, signal);
    const taken = since();
    note(await handOver(demo, lost));
    return taken;
  });
  const toGreen = await narrator.step('Waiting for the cluster to be green', async () => {
    await demo.untilGreen(demo.options.nodes, GREEN_WITHIN_MS);
    return since();
  });
  return { toRunning, toGreen };
}

/** From the proof of release to Elasticsearch's own start: what the framework itself needs for a move. */
async function handOver(demo: RunningDemo, lost: NodeSnapshot): Promise<string> {
  const releasedAtMs = demo.board.releasedAtMs(lost.nodeId);
  const startedAtMs = await demo.elasticsearch.startedAtMs(lost.name);
  if (releasedAtMs === undefined || startedAtMs === undefined) return 'the hand-over was not timed';
  const seconds = (startedAtMs - releasedAtMs) / 1000;
  return `from the proof of release to the start of Elasticsearch: ${seconds.toFixed(1)} s`;
}

async function snapshot(demo: RunningDemo): Promise<Snapshot> {
  const nodes = await Promise.all(demo.board.running().map((node) => nodeSnapshot(demo, node)));
  await demo.elasticsearch.refresh(INDEX);
  return {
    nodes,
    documents: await demo.elasticsearch.count(INDEX),
    shards: await demo.elasticsearch.shards(INDEX),
  };
}

async function aftermath(demo: RunningDemo, ids: readonly string[]): Promise<Aftermath> {
  const taken = await snapshot(demo);
  return {
    ...taken,
    missingDocuments: await demo.elasticsearch.missing(INDEX, ids),
    recoveries: await demo.elasticsearch.recoveries(INDEX),
    health: await demo.elasticsearch.health(),
  };
}

async function nodeSnapshot(demo: RunningDemo, node: PlacedNode): Promise<NodeSnapshot> {
  const machine = demo.machines.list.find((candidate) => candidate.name === node.host);
  if (machine === undefined)
    throw new VerificationError(`node ${node.nodeId} runs on ${node.host}, which is no machine of ours`);
  const volumes = volumesOn(machine, demo.engineSocket);
  const identities: Record<string, string> = {};
  for (const name of node.volumes) {
    const marker = await markerOf(volumes, demo.options.driver, name);
    if (marker.epoch !== node.epoch) {
      throw new VerificationError(
        `the marker on ${name} is of epoch ${marker.epoch}, node ${node.nodeId} of ${node.epoch}`,
      );
    }
    identities[name] = marker.volumeIdentity;
  }
  const { nodeId, epoch, host, volumes: names } = node;
  return { nodeId, epoch, agent: host, name: `${demo.frameworkName}-${nodeId}`, volumes: names, identities };
}
