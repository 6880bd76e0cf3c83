/** One seed: rounds of faults, each followed by a time without, in which the cluster must become whole again. */
import { drawRound, type Fault } from './faults.ts';
import { heal, inflict } from './inflict.ts';
import { Violation, type Invariant } from './judge.ts';
import type { Mutation } from './mutations.ts';
import { drawSettings, type Settings } from './settings.ts';
import { World, type TraceLine } from './world.ts';

/** Without faults the cluster is whole again within this much simulated time. */
export const WHOLE_WITHIN_MS = 600_000;
/** Where only an operator's word helps, it is given after this long. */
const WORD_AFTER_MS = 60_000;
const WORD_EVERY_MS = 10_000;

export interface SeedRun {
  readonly seed: number;
  /** At least so many steps, and then to the end of the round. */
  readonly steps: number;
  readonly mutations: ReadonlySet<Mutation>;
  /** Only these faults happen; absent: all. */
  readonly keep?: ReadonlySet<string>;
  /** Nothing happens after this round. */
  readonly rounds?: number;
  readonly tracing?: boolean;
}

export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly settings: Settings;
  readonly simulatedMs: number;
  /** Those that happened, in order. */
  readonly faults: readonly Fault[];
  readonly violation:
    { readonly invariant: Invariant; readonly message: string; readonly atMs: number } | undefined;
  readonly trace: readonly TraceLine[];
}

export function runSeed(run: SeedRun): SeedResult {
  const settings = drawSettings(run.seed);
  const world = new World(run.seed, settings, { mutations: run.mutations, tracing: run.tracing === true });
  const faults: Fault[] = [];
  let violation: SeedResult['violation'];
  try {
    for (let round = 0; round < (run.rounds ?? Number.POSITIVE_INFINITY); round += 1) {
      playRound(world, run, round, faults);
      if (world.steps >= run.steps) break;
    }
  } catch (error) {
    const { now: atMs } = world;
    if (error instanceof Violation) violation = { invariant: error.invariant, message: error.message, atMs };
    else violation = { invariant: 'no-crash', message: String((error as Error).stack ?? error), atMs };
  }
  const { steps, now: simulatedMs, trace } = world;
  return { seed: run.seed, steps, settings, simulatedMs, faults, violation, trace };
}

function playRound(world: World, run: SeedRun, round: number, happened: Fault[]): void {
  const { lengthMs, faults } = drawRound(run.seed, round);
  const beginMs = world.now;
  // A cluster that was never whole is disturbed as it comes up, in some rounds.
  for (const fault of faults) {
    if (run.keep?.has(fault.id) === false) continue;
    world.agenda.add(beginMs + fault.afterMs, () => {
      const hit = inflict(world, fault);
      if (hit === undefined) return;
      world.step();
      happened.push(fault);
      world.say('fault', `${fault.id} ${fault.kind} ${hit} (${Math.round(fault.lengthMs)} ms)`);
    });
  }
  world.run(beginMs + lengthMs);
  world.say('world', 'the faults are over');
  heal(world);
  awaitWhole(world);
}

function awaitWhole(world: World): void {
  const limitMs = world.now + WHOLE_WITHIN_MS;
  let wordAtMs = world.now + WORD_AFTER_MS;
  while (world.now < limitMs) {
    let whole = world.isWhole();
    world.run(Math.min(limitMs, wordAtMs), () => (whole = world.isWhole()));
    if (whole) return;
    giveWord(world);
    wordAtMs = world.now + WORD_EVERY_MS;
  }
  const phases = [...world.ledger.nodes.values()].map(
    ({ record }) => `${record.nodeId} ${record.phase} (${record.why})`,
  );
  const waits = world.leadership.leader?.waits() ?? ['no scheduler leads'];
  const text = `after ${WHOLE_WITHIN_MS / 1_000} s without faults: ${phases.join('; ')}`;
  world.judge.fail('whole-again', `${text}; it waits for ${waits.join('; ') || 'nothing'}`);
}

/** An operator looks, ends what is left of a suspect, detaches its volumes, and only then says that it is gone. */
function giveWord(world: World): void {
  const { leader } = world.leadership;
  if (leader === undefined) return;
  const migration = leader.model.framework?.record.migration;
  // Both are words that an operator can give; either brings the node back.
  if (migration?.state === 'paused') {
    const kind = world.random.pick(['resume', 'rollback'] as const);
    leader.order({ kind: 'migration-ordered', order: { kind } });
  }
  for (const { record } of leader.model.nodes.values()) {
    if (record.phase === 'vacant') detachByHand(world, record.nodeId);
    if (record.phase === 'retired' && leader.model.vacancies.has(record.nodeId)) {
      const volumes = record.nodeId % 2 === 0 ? 'keep' : 'wipe';
      leader.order({ kind: 'operator-reuse', nodeId: record.nodeId, volumes });
    }
    if (record.phase !== 'suspect' && record.phase !== 'releasing') continue;
    for (const agent of world.agents) {
      for (const { task, executor } of agent.entries.values()) {
        if (task.taskId === record.holder?.taskId) executor?.process.die();
      }
    }
    const left = [...world.guards].filter(({ at }) => at.nodeId === record.nodeId);
    for (const guard of left) guard.kill();
    if (left.length > 0 || world.judge.livesOf(record.nodeId).size > 0) continue;
    detachByHand(world, record.nodeId);
    world.say('operator', `says that the holder of node ${record.nodeId} in epoch ${record.epoch} is gone`);
    leader.order({ kind: 'operator-release', nodeId: record.nodeId, epoch: record.epoch });
  }
}

function detachByHand(world: World, nodeId: number): void {
  for (const volume of world.volumes.ofNode(nodeId)) world.volumes.detachByHand(volume);
}
