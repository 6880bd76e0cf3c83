/** Where the time of a recovery went. Pure. */
import type { ProgressLine } from '@mesos-elasticsearch/cli';
import { linesOf } from '../cluster/progress.ts';

/** Seconds, one after the other; undefined: this recovery has no such part, or nobody said when it was. */
export interface Split {
  /** From the fault until the scheduler doubted or knew. */
  readonly detection: number | undefined;
  /** Until the old holder was known to be gone. */
  readonly proof: number | undefined;
  /** Until ACCEPT was sent. */
  readonly decision: number | undefined;
  /** Until the executor had attached and checked both volumes. */
  readonly mount: number | undefined;
  /** Until Elasticsearch had joined. */
  readonly start: number | undefined;
}

export interface Moments {
  readonly nodeId: number;
  readonly harmedAtMs: number;
  readonly lines: readonly ProgressLine[];
  /** When the last executor let Elasticsearch go ahead. */
  readonly goneAheadAtMs: number | undefined;
}

export function splitOf({ nodeId, harmedAtMs, lines, goneAheadAtMs }: Moments): Split {
  const first = (kind: 'suspect' | 'releasing' | 'released') => linesOf(lines, kind, nodeId)[0]?.atMs;
  const last = (kind: 'launched' | 'running') => linesOf(lines, kind, nodeId).at(-1)?.atMs;
  const launched = last('launched');
  // A node that failed to start somewhere is released more than once: the release that counts is the first.
  const released = first('released');
  const detected = earliest(first('suspect'), first('releasing'), released);
  return {
    detection: seconds(harmedAtMs, detected),
    proof: seconds(detected, released ?? launched),
    decision: seconds(released, launched),
    mount: seconds(launched, goneAheadAtMs),
    start: seconds(goneAheadAtMs, last('running')),
  };
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function seconds(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(0, to - from) / 1000;
}

/** @param log of an executor, one JSON object a line among others */
export function goneAheadAt(log: string): number | undefined {
  for (const line of log.split('\n')) {
    if (!line.includes('"because":"gone-ahead"')) continue;
    return (JSON.parse(line) as { time: number }).time;
  }
  return undefined;
}
