/**
 * What a lease's length costs and buys, with the executor's real lease keeping and the scheduler's real rule of expiry:
 * `npm run sim:outages`. The defaults in docs/adr/0005-fencing-defaults.md are chosen from what this prints.
 */
import { epoch, nodeId, type LeaseRecord } from '@mesos-elasticsearch/contract';
import { isLeaseExpired, observeLease, type LeaseObservation } from '@mesos-elasticsearch/coordination';
import { beginKeeping, keep, type Kept, type KeepingInput } from '@mesos-elasticsearch/executor/core';
import { Random } from './random.ts';

const LEASES_S = [10, 15, 20, 30, 45, 60] as const;
const OUTAGES_S = [2, 5, 10, 15, 20, 30, 45] as const;
const PAUSE_BOUNDS_S = [0, 10, 30] as const;
const TRIALS = 2000;
const POLL_MS = 1000;
/** An answer takes this long at most where nothing is wrong. */
const LATENCY_MS = 50;
/** After an outage: sessions are found again, connections made anew. */
const RECONNECT_MS = 2000;
/** A renewal is given up after a quarter of the lease, as the ZooKeeper form does. */
const RENEWALS_PER_LEASE = 4;

type Timer = 'renewal-timer' | 'expiry-timer';

/** One holder, renewing; answers and timers in the order of their times. */
class Holder {
  counter = 0;
  expired = false;
  #kept: Kept;
  readonly #due = new Map<Timer | 'answer', number>();
  #answer: KeepingInput = { kind: 'renewed' };

  readonly lease: LeaseRecord;
  readonly #reaches: (sentMs: number) => number | undefined;

  /** @param reaches when a renewal sent at that time would be answered */
  constructor(lease: LeaseRecord, reaches: (sentMs: number) => number | undefined) {
    this.lease = lease;
    this.#reaches = reaches;
    this.#kept = beginKeeping(lease, 0, 0);
    this.#act(0);
  }

  runUntil(endMs: number): void {
    for (;;) {
      const [what, atMs] = [...this.#due].sort((a, b) => a[1] - b[1])[0] ?? [];
      if (what === undefined || atMs === undefined || atMs > endMs || this.expired) return;
      this.#due.delete(what);
      this.#kept = keep(this.#kept.state, what === 'answer' ? this.#answer : { kind: what }, atMs);
      this.#act(atMs);
    }
  }

  #act(nowMs: number): void {
    for (const effect of this.#kept.effects) {
      if (effect.kind === 'arm-renewal') this.#due.set('renewal-timer', nowMs + effect.afterMs);
      if (effect.kind === 'arm-expiry') this.#due.set('expiry-timer', nowMs + effect.afterMs);
      if (effect.kind === 'expired') this.expired = true;
      if (effect.kind === 'renew') this.#send(effect.lease.counter, nowMs);
    }
  }

  #send(counter: number, nowMs: number): void {
    const limitMs = nowMs + this.lease.durationMs / RENEWALS_PER_LEASE;
    const answeredMs = this.#reaches(nowMs);
    const inTime = answeredMs !== undefined && answeredMs <= limitMs;
    if (inTime) this.counter = counter;
    this.#answer = inTime ? { kind: 'renewed' } : { kind: 'unanswered', why: 'outage' };
    this.#due.set('answer', inTime ? answeredMs : limitMs);
  }
}

function leaseOf(durationMs: number): LeaseRecord {
  return {
    ...{ nodeId: nodeId(1), epoch: epoch(1), taskId: 'task', holder: 'holder', host: 'host' },
    ...{ durationMs, selfFencing: true, guarded: true, counter: 0 },
  };
}

/** Of so many nodes, the share that stops although nothing is wrong with it. */
function stoppedBy(leaseMs: number, outageMs: number, random: Random): number {
  let stopped = 0;
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const beginMs = leaseMs + random.between(0, leaseMs);
    const endMs = beginMs + outageMs + random.between(0, RECONNECT_MS);
    const reaches = (sentMs: number) => {
      const latency = random.between(1, LATENCY_MS);
      if (sentMs + latency < beginMs || sentMs >= endMs) return sentMs + latency;
      return endMs + latency;
    };
    const holder = new Holder(leaseOf(leaseMs), reaches);
    holder.runUntil(endMs + 2 * leaseMs);
    if (holder.expired) stopped += 1;
  }
  return stopped / TRIALS;
}

/** From the death of a machine to the proof, as an observer that looks once a second has it. */
function proofAfter(leaseMs: number, pauseBoundMs: number, random: Random): number {
  const deathMs = leaseMs + random.between(0, leaseMs);
  const holder = new Holder(leaseOf(leaseMs), (sentMs) => sentMs + random.between(1, LATENCY_MS));
  let seen: LeaseObservation | undefined;
  for (let nowMs = random.between(0, POLL_MS); ; nowMs += POLL_MS) {
    holder.runUntil(Math.min(nowMs, deathMs));
    seen = observeLease(seen, { ...holder.lease, counter: holder.counter }, nowMs);
    if (nowMs > deathMs && isLeaseExpired(seen, nowMs, pauseBoundMs)) return nowMs - deathMs;
  }
}

const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function outageReport(seed: number): string {
  const random = new Random(seed);
  const lines = [
    'Nodes that stop under `fence` in an outage of the lease service (reconnecting takes up to 2 s more):',
    '',
  ];
  lines.push(
    row(['lease', ...OUTAGES_S.map((each) => `${each} s`)]),
    row(['---', ...OUTAGES_S.map(() => '---')]),
  );
  for (const lease of LEASES_S) {
    const shares = OUTAGES_S.map((outage) => percent(stoppedBy(lease * 1000, outage * 1000, random)));
    lines.push(row([`${lease} s`, ...shares]));
  }
  lines.push('', 'From the death of a machine to the proof, median and longest:', '');
  lines.push(row(['lease', ...PAUSE_BOUNDS_S.map((bound) => `pause bound ${bound} s`)]));
  lines.push(row(['---', ...PAUSE_BOUNDS_S.map(() => '---')]));
  for (const lease of LEASES_S) {
    const times = PAUSE_BOUNDS_S.map((bound) => {
      const all = Array.from({ length: TRIALS }, () => proofAfter(lease * 1000, bound * 1000, random));
      all.sort((a, b) => a - b);
      const seconds = (ms: number | undefined) => ((ms ?? 0) / 1000).toFixed(1);
      return `${seconds(all[TRIALS / 2])} s, ${seconds(all.at(-1))} s`;
    });
    lines.push(row([`${lease} s`, ...times]));
  }
  return lines.join('\n');
}

const SEED = Number(process.env['SEED'] ?? 1);
process.stdout.write(`seed ${SEED}, ${TRIALS} trials a cell\n\n${outageReport(SEED)}\n`);
