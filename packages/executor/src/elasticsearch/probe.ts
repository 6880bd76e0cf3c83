/** Asks a running node how it is, over its own HTTP port. */
import { request } from 'node:http';
import { z } from 'zod';

export type NodeCondition =
  | { readonly kind: 'silent'; readonly why: string }
  /** HTTP answers, the cluster is not there yet. */
  | { readonly kind: 'answers'; readonly waitsFor: string }
  | { readonly kind: 'joined'; readonly clusterUuid?: string };

const answerSchema = z.object({
  cluster_uuid: z.string().optional(),
  master_node: z.string().nullish(),
  nodes: z.record(z.string(), z.object({ name: z.string() })).optional(),
});
const LIMIT_MS = 5_000;
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * `local=true`: what this node itself believes. The root path is not asked, for the distribution that has
 * few modules has no answer there.
 */
const PATH = '/_cluster/state/master_node,nodes?local=true&filter_path=cluster_uuid,master_node,nodes.*.name';

/** Joined: the node sees an elected master, and itself under its name among the nodes. */
export async function askNode(
  address: { host: string; port: number },
  nodeName: string,
): Promise<NodeCondition> {
  let answer: { status: number; body: string };
  try {
    answer = await get(address);
  } catch (error) {
    return { kind: 'silent', why: (error as Error).message };
  }
  return judge(answer.status, answer.body, nodeName);
}

export function judge(status: number, body: string, nodeName: string): NodeCondition {
  if (status === 401 || status === 403) {
    return { kind: 'answers', waitsFor: `the node answers ${String(status)}: it wants credentials` };
  }
  // 503 is also what a node without a master gives.
  if (status === 503) return { kind: 'answers', waitsFor: 'waiting for an elected master' };
  if (status !== 200) return { kind: 'silent', why: `HTTP ${String(status)}` };
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) return { kind: 'silent', why: 'an answer that is not Elasticsearch' };
  const { master_node: master, nodes = {} } = parsed.data;
  if (master === undefined || master === null || nodes[master] === undefined) {
    return { kind: 'answers', waitsFor: 'waiting for an elected master' };
  }
  const self = Object.values(nodes).some(({ name }) => name === nodeName);
  const uuid = parsed.data.cluster_uuid;
  // Before the cluster has formed there is none; Elasticsearch writes that as `_na_`.
  const joined = uuid === undefined || uuid === '_na_' ? {} : { clusterUuid: uuid };
  return self
    ? { kind: 'joined', ...joined }
    : { kind: 'answers', waitsFor: 'waiting to be let into the cluster' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function get({ host, port }: { host: string; port: number }): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host, port, path: PATH, method: 'GET', agent: false, signal: AbortSignal.timeout(LIMIT_MS) },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MOST_BYTES) response.destroy(new Error('an answer beyond all bounds'));
          else chunks.push(chunk);
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end();
  });
}

/** Where the executor, on the same host, reaches a node that binds to `bindHost`. */
export function probeHost(bindHost: string, publishHost: string): string {
  if (bindHost === '0.0.0.0' || bindHost === '::' || bindHost === '[::]') return '127.0.0.1';
  return bindHost.startsWith('_') ? publishHost : bindHost;
}
