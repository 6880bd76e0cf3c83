/** Asks the node again and again how it is, and says only what has changed. */
import type { MachineEvent } from '../core/events.ts';
import type { NodeCondition } from '../elasticsearch/probe.ts';

export interface NodeWatchOptions {
  readonly ask: () => Promise<NodeCondition>;
  readonly emit: (event: MachineEvent) => void;
  /** Between two questions. */
  readonly everyMs: number;
  /** How long the node may say nothing at all after its start. */
  readonly silenceLimitMs: number;
  readonly nowMs: () => number;
}

/** So many bad answers in a row make a joined node unhealthy: one may be a garbage collection. */
const MISSES = 3;

/** @returns a function that ends the watch */
export function watchNode(options: NodeWatchOptions): () => void {
  const started = options.nowMs();
  const watch = { answered: false, joined: false, healthy: true, misses: 0, lastSaid: '' };
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const emit = (event: MachineEvent) => {
    if (!ended) options.emit(event);
  };
  const look = async () => {
    const condition = await options.ask();
    for (const event of judge(watch, condition, options.nowMs() - started > options.silenceLimitMs))
      emit(event);
    if (!isEnded()) timer = setTimeout(() => void look(), options.everyMs);
  };
  const isEnded = () => ended;
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

interface Watch {
  answered: boolean;
  joined: boolean;
  healthy: boolean;
  misses: number;
  lastSaid: string;
}

function judge(watch: Watch, condition: NodeCondition, overdue: boolean): readonly MachineEvent[] {
  if (condition.kind !== 'silent') watch.answered = true;
  if (!watch.joined) return beforeJoin(watch, condition, overdue);
  if (condition.kind === 'joined') {
    watch.misses = 0;
    if (watch.healthy) return [];
    watch.healthy = true;
    return [{ kind: 'health-changed', healthy: true, message: 'answers, and sees its master' }];
  }
  watch.misses += 1;
  if (!watch.healthy || watch.misses < MISSES) return [];
  watch.healthy = false;
  const message = condition.kind === 'silent' ? `does not answer: ${condition.why}` : condition.waitsFor;
  return [{ kind: 'health-changed', healthy: false, message }];
}

function beforeJoin(watch: Watch, condition: NodeCondition, overdue: boolean): readonly MachineEvent[] {
  switch (condition.kind) {
    case 'joined':
      watch.joined = true;
      return [
        condition.clusterUuid === undefined
          ? { kind: 'node-joined' }
          : { kind: 'node-joined', clusterUuid: condition.clusterUuid },
      ];
    case 'answers':
      if (watch.lastSaid === condition.waitsFor) return [];
      watch.lastSaid = condition.waitsFor;
      return [{ kind: 'node-answers', waitsFor: condition.waitsFor }];
    case 'silent':
      if (watch.answered || !overdue) return [];
      return [{ kind: 'node-silent', message: `Elasticsearch did not answer in time: ${condition.why}` }];
  }
}
