/** Reads what is left of a cluster: exports, markers, a live master, leases. */
import { readFile } from 'node:fs/promises';
import { markerSchema, type Epoch, type MarkerRecord, type NodeId } from '@mesos-elasticsearch/contract';
import type { LeaseService } from '@mesos-elasticsearch/coordination';
import { z } from 'zod';
import { messageOf } from '../setup/setup-error.ts';
import type { ExportedState, LeaseEvidence } from './core/evidence.ts';
import { decodeStateDocument, exportedStateOf } from './document.ts';
import { masterEvidence, type MasterEvidence } from './master-state.ts';

const MASTER_LIMIT_MS = 30_000;

export async function readExport(path: string): Promise<ExportedState> {
  try {
    return exportedStateOf(path, decodeStateDocument(await readFile(path, 'utf8')));
  } catch (error) {
    throw new Error(`the export ${path} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

export async function readMarker(path: string): Promise<{ source: string; marker: MarkerRecord }> {
  try {
    const parsed = markerSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
    return { source: path, marker: parsed.data };
  } catch (error) {
    throw new Error(`the marker ${path} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** @param login `principal:secret`; a master that does not lead redirects to the one that does */
export async function readMaster(base: URL, frameworkName: string, login?: string): Promise<MasterEvidence> {
  const url = new URL('/state', base);
  const headers =
    login === undefined ? {} : { authorization: `Basic ${Buffer.from(login, 'utf8').toString('base64')}` };
  let answer: unknown;
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(MASTER_LIMIT_MS) });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    answer = await response.json();
  } catch (error) {
    const { cause } = error as Error;
    throw new Error(`the master at ${url.href} cannot be asked: ${messageOf(cause ?? error)}`, {
      cause: error,
    });
  }
  return masterEvidence(url.href, answer, frameworkName);
}

/** Each is read; one that cannot be read is a failure, for it may be the newest. */
export async function readLeases(
  source: string,
  listed: readonly { readonly nodeId: NodeId; readonly epoch: Epoch }[],
  leases: LeaseService,
): Promise<LeaseEvidence[]> {
  const found: LeaseEvidence[] = [];
  for (const { nodeId, epoch } of listed) {
    const read = await leases.read(nodeId, epoch);
    const lease = read.state === 'absent' ? undefined : read.lease;
    found.push({
      source: `${source}, node ${nodeId}, epoch ${epoch}`,
      nodeId,
      epoch,
      state: read.state,
      lease,
    });
  }
  return found;
}
