/** What lies in the root of a volume that is mounted, without changing anything. */
import { COPY_MARKER_FILE, MARKER_FILE, markerSchema } from '@mesos-elasticsearch/contract';
import { inChild } from './child-work.ts';
import type { Inside } from './core/removal.ts';

const LIMIT_MS = 10_000;

/** REX-Ray gives nodes the directory `data` of a volume, and names the one above it when it is asked. */
const SCRIPT = `
  const [directory, ...names] = args;
  for (const place of [directory, path.join(directory, 'data')]) {
    for (const name of names) {
      try { return { file: name, text: fs.readFileSync(path.join(place, name), 'utf8') }; }
      catch (error) { if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error; }
    }
  }
  return { entries: fs.readdirSync(directory).length };
`;

/** Never mounts anything. */
export async function lookInside(directory: string): Promise<Inside> {
  const answer = await inChild<{ file: string; text: string } | { entries: number }>(
    SCRIPT,
    [directory, MARKER_FILE, COPY_MARKER_FILE],
    LIMIT_MS,
  );
  if (answer.kind === 'no-answer')
    return { kind: 'not-seen', why: `the file system at ${directory} does not answer` };
  if (answer.kind === 'failed') return { kind: 'not-seen', why: answer.why };
  if ('entries' in answer.value) return { kind: 'no-marker', entries: answer.value.entries };
  const { file, text } = answer.value;
  return { kind: 'marker', file, owner: ownerOf(text), marker: parsed(text) };
}

function ownerOf(text: string): string {
  const marker = markerSchema.safeParse(parsed(text)).data;
  if (marker === undefined) return 'somebody: it cannot be read whole';
  const { nodeId, frameworkName, clusterName, role, epoch, clusterIdentity } = marker;
  return `node ${nodeId} of framework ${frameworkName}, cluster ${clusterName} (${clusterIdentity}): ${role}, epoch ${epoch}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
