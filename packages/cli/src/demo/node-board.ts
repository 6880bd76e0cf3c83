/** Where every node is, folded from the scheduler's progress; whoever waits for something is told at once. */
import type { ProgressEvent } from '@mesos-elasticsearch/scheduler';
import type { ProgressLine } from '../commands/scheduler.ts';

export interface PlacedNode {
  readonly nodeId: number;
  readonly epoch: number;
  /** Host name of the agent. */
  readonly host: string;
  readonly taskId: string;
  readonly volumes: readonly string[];
  readonly http: string;
}

type Waiter = () => void;

export class NodeBoard {
  readonly #running = new Map<number, PlacedNode>();
  readonly #volumes = new Set<string>();
  readonly #released = new Map<number, number>();
  readonly #waiters = new Set<Waiter>();
  #frameworkId: string | undefined;
  #lastWait = '';

  get frameworkId(): string | undefined {
    return this.#frameworkId;
  }

  /** Nodes that run as far as the scheduler knows, by node ID. */
  running(): PlacedNode[] {
    return [...this.#running.values()].sort((a, b) => a.nodeId - b.nodeId);
  }

  node(nodeId: number): PlacedNode | undefined {
    return this.#running.get(nodeId);
  }

  /** When the last holder of this node was known to be gone; milliseconds since the Unix epoch. */
  releasedAtMs(nodeId: number): number | undefined {
    return this.#released.get(nodeId);
  }

  /** Names of all volumes that were ever given to a node. */
  volumes(): string[] {
    return [...this.#volumes];
  }

  take(line: ProgressLine): void {
    if ('volumes' in line) for (const name of line.volumes) this.#volumes.add(name);
    if (line.kind === 'subscribed') this.#frameworkId = line.frameworkId;
    if (line.kind === 'waiting') this.#lastWait = `${line.rule}: ${line.reason}`;
    if (line.kind === 'released') this.#released.set(line.nodeId, line.atMs);
    if (line.kind === 'running') this.#running.set(line.nodeId, placed(line));
    if (line.kind === 'assigned' || line.kind === 'released' || line.kind === 'suspect') {
      this.#running.delete(line.nodeId);
    }
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** @throws Error naming what was waited for, and what the scheduler waits for, after `limitMs` */
  async until(what: string, holds: () => boolean, limitMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(limit);
        signal.removeEventListener('abort', interrupted);
        this.#waiters.delete(waiter);
        settle();
      };
      const waiter = () => {
        if (holds()) finish(resolve);
      };
      const interrupted = () => finish(() => reject(signal.reason as Error));
      const limit = setTimeout(() => {
        const hint = this.#lastWait === '' ? '' : ` (the scheduler last waited for ${this.#lastWait})`;
        finish(() => reject(new Error(`${what}: not within ${limitMs / 1000} s${hint}`)));
      }, limitMs);
      signal.addEventListener('abort', interrupted);
      this.#waiters.add(waiter);
    });
  }
}

function placed(line: Extract<ProgressEvent, { kind: 'running' }>): PlacedNode {
  const { nodeId, epoch, host = '', taskId = '', volumes, http = '' } = line;
  return { nodeId, epoch, host, taskId, volumes, http };
}

/** One line for people; undefined for what they need not see. */
export function describeProgress(line: ProgressLine): string | undefined {
  switch (line.kind) {
    case 'standby':
      return `standby: ${line.leader} leads`;
    case 'assigned':
      return `node ${line.nodeId} → ${line.host ?? '?'} (epoch ${line.epoch}, volumes ${line.volumes.join(', ')})`;
    case 'running':
      return `node ${line.nodeId} runs on ${line.host ?? '?'} (epoch ${line.epoch}), http://${line.http ?? '?'}`;
    case 'suspect':
      return `node ${line.nodeId} is suspect: ${line.why}`;
    case 'releasing':
      return `node ${line.nodeId} is being released: ${line.why}`;
    case 'released':
    case 'retired':
      return `node ${line.nodeId} is released: ${line.why}`;
    case 'migrating':
      return `node ${line.nodeId} moves its volumes: ${line.stage}`;
    case 'migration':
      return `the migration to ${line.to} is ${line.state}: ${line.why}`;
    case 'disconnected':
      return `the master is out of reach: ${line.why}`;
    case 'listening':
    case 'subscribed':
    case 'launched':
    case 'bootstrapped':
    case 'unknown-task-killed':
    case 'waiting':
      return undefined;
  }
}
