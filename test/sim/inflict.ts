/** Does what a fault says, to whom it can be done at that moment. */
import { wantedSize } from '@mesos-elasticsearch/scheduler/core';
import type { Agent } from './agent.ts';
import type { Executor } from './executor.ts';
import type { Fault, FaultKind } from './faults.ts';
import type { Guard } from './guard.ts';
import type { Process } from './machines.ts';
import { MASTER, SERVICES, hostPlace, schedulerPlace, type Trouble } from './network.ts';
import { orderMigration } from './order-migration.ts';
import { grantPauseMs } from './pauses.ts';
import { emptyContent } from './volumes.ts';
import type { World } from './world.ts';

type Inflict = (world: World, fault: Fault) => string | undefined;

/** An executor with what runs under its guard. */
interface Running {
  readonly executor: Executor;
  readonly guard: Guard | undefined;
}

const INFLICT: Readonly<Record<FaultKind, Inflict>> = {
  'kill-executor': (world, fault) =>
    atExecutor(world, fault, ({ executor, guard }) => {
      endLongPause(world, guard);
      executor.process.die();
    }),
  'kill-guard': (world, fault) => atGuard(world, fault, (guard) => guard.kill()),
  'kill-elasticsearch': (world, fault) => atGuard(world, fault, (guard) => guard.elasticsearch?.kill()),
  'kill-agent': (world, fault) =>
    atAgent(world, fault, (agent) => {
      if (!agent.process.alive) return;
      agent.process.die();
      agent.onProcessEnd();
      world.after(fault.lengthMs, () => agent.restart(false));
    }),
  'kill-machine': (world, fault) =>
    atAgent(world, fault, (agent) => {
      const { machine } = agent;
      machine.die();
      world.volumes.onDeath(machine);
      world.master.onAgentCut(agent);
      world.after(fault.lengthMs, () => bootMachine(agent));
    }),
  'kill-scheduler': (world, fault) =>
    atScheduler(world, fault, (scheduler) => {
      world.leadership.keepDown(scheduler, fault.lengthMs / 2);
      scheduler.process.die();
    }),
  'stop-scheduler': (world, fault) =>
    atScheduler(world, fault, (scheduler) => {
      world.leadership.keepDown(scheduler, fault.lengthMs / 2);
      scheduler.stop();
    }),
  'freeze-executor': (world, fault) =>
    atExecutor(world, fault, ({ executor, guard }) => {
      endLongPause(world, guard);
      freeze(world, executor.process, fault.lengthMs);
    }),
  'freeze-guard': (world, fault) => standingGuard(world, fault)[1],
  'freeze-elasticsearch': (world, fault) =>
    atGuard(world, fault, ({ elasticsearch }) => {
      if (elasticsearch) freeze(world, elasticsearch.process, fault.lengthMs);
    }),
  'freeze-executor-and-elasticsearch': (world, fault) =>
    atExecutor(world, fault, ({ executor, guard }) => {
      endLongPause(world, guard);
      freeze(world, executor.process, fault.lengthMs);
      if (guard?.elasticsearch) freeze(world, guard.elasticsearch.process, fault.lengthMs);
    }),
  'freeze-node': freezeNode,
  'freeze-agent': (world, fault) =>
    atAgent(world, fault, ({ process }) => freeze(world, process, fault.lengthMs)),
  'freeze-machine': freezeMachine,
  'freeze-scheduler': (world, fault) =>
    atScheduler(world, fault, ({ process }) => freeze(world, process, fault.lengthMs)),
  'ambush-freeze': ambush,
  'ambush-kill': ambush,
  'freeze-guard-and-cut': (world, fault) => {
    const lengthMs = Math.max(fault.lengthMs, 2 * (world.settings.leaseMs + world.settings.pauseBoundMs));
    const [guard, name] = standingGuard(world, { ...fault, lengthMs });
    if (guard !== undefined) cut(world, guard.at.machine.place, [SERVICES], lengthMs);
    return name;
  },
  'slow-then-cut': (world, fault) =>
    atAgent(world, fault, ({ machine: { place } }) => {
      const slowMs = 6_000 + 20_000 * fault.manner;
      world.network.trouble('slow-answers', place, SERVICES, world.now + slowMs);
      world.after(slowMs, () => cut(world, place, [SERVICES], 30_000 + fault.lengthMs));
    }),
  'cut-machine-from-master': (world, fault) =>
    atAgent(world, fault, (agent) => cut(world, agent.machine.place, [MASTER], fault.lengthMs)),
  'cut-machine-from-services': (world, fault) =>
    atAgent(world, fault, (agent) => cut(world, agent.machine.place, [SERVICES], fault.lengthMs)),
  'cut-machine': (world, fault) =>
    atAgent(world, fault, (agent) => cut(world, agent.machine.place, [MASTER, SERVICES], fault.lengthMs)),
  'cut-scheduler-from-master': (world, fault) =>
    atScheduler(world, fault, ({ process }) => cut(world, process.machine.place, [MASTER], fault.lengthMs)),
  'cut-scheduler-from-services': (world, fault) =>
    atScheduler(world, fault, ({ process }) => cut(world, process.machine.place, [SERVICES], fault.lengthMs)),
  'slow-link': (world, fault) => troubleLink(world, fault, 'slow'),
  'lossy-link': (world, fault) => troubleLink(world, fault, 'lossy'),
  'store-trouble': (world, { lengthMs }) => {
    world.troubleUntilMs.store = world.now + lengthMs;
    return '';
  },
  'lease-trouble': (world, { lengthMs }) => {
    world.troubleUntilMs.leases = world.now + lengthMs;
    return '';
  },
  'driver-trouble': (world, { lengthMs }) => {
    world.volumes.troubleUntilMs = world.now + lengthMs;
    return '';
  },
  'rescind-offers': (world) => {
    world.master.rescindAll();
    return '';
  },
  'disconnect-scheduler': (world) => {
    const { stream } = world.master;
    if (stream?.open !== true) return undefined;
    world.master.breakStream(stream);
    return '';
  },
  'expire-session': (world) => {
    world.leadership.expire();
    return '';
  },
  'unregister-agent': (world, fault) => atAgent(world, fault, (agent) => unregister(world, agent, fault)),
  'master-failover': (world) => {
    world.master.failOver();
    return '';
  },
  'remove-framework': (world) => {
    world.master.removeFramework();
    return '';
  },
  'swap-volume': swapVolume,
  'order-size': orderSize,
  'order-migration': orderMigration,
};

/** @returns what was hit, or undefined where there was nothing to hit */
export function inflict(world: World, fault: Fault): string | undefined {
  return INFLICT[fault.kind](world, fault);
}

export function bootMachine(agent: Agent): void {
  if (agent.machine.alive) return;
  agent.machine.start();
  agent.restart(true);
}

/** Everything works again; what was killed is started by those whose work that is. */
export function heal(world: World): void {
  world.network.heal();
  world.troubleUntilMs.store = 0;
  world.troubleUntilMs.leases = 0;
  world.volumes.troubleUntilMs = 0;
  world.leadership.heal();
  world.ambush = undefined;
  for (const volume of world.volumes.all()) {
    volume.fenced.clear();
    if (volume.displaced === undefined) continue;
    volume.content = volume.displaced;
    volume.displaced = undefined;
  }
  for (const machine of [...world.machines, ...world.leadership.seats.map((seat) => seat.machine)]) {
    for (const process of [...machine.processes]) process.thaw();
    machine.thaw();
  }
  for (const agent of world.agents) {
    bootMachine(agent);
    agent.restart(false);
    agent.process.deliver(() => agent.onUnlinked());
  }
}

function runningOn(world: World): Running[] {
  const guards = [...world.guards];
  return world.agents.flatMap((agent) =>
    [...agent.entries.values()].flatMap(({ executor }) => {
      if (executor?.process.alive !== true) return [];
      return [{ executor, guard: guards.find(({ at }) => at.taskId === executor.task.taskId) }];
    }),
  );
}

function atExecutor(world: World, { target }: Fault, act: (running: Running) => void): string | undefined {
  const running = runningOn(world);
  const chosen = running[Math.floor(target * running.length)];
  if (chosen === undefined) return undefined;
  act(chosen);
  return chosen.executor.process.name;
}

function atGuard(world: World, { target }: Fault, act: (guard: Guard) => void): string | undefined {
  const guards = [...world.guards];
  const chosen = guards[Math.floor(target * guards.length)];
  if (chosen === undefined) return undefined;
  act(chosen);
  return chosen.process.name;
}

function atAgent(world: World, { target, manner }: Fault, act: (agent: Agent) => void): string | undefined {
  // Machines of nodes are hit more often than idle ones.
  const busy = world.agents.filter((agent) => [...agent.entries.values()].some(({ over }) => !over));
  const among = busy.length > 0 && manner < 0.8 ? busy : world.agents;
  const chosen = among[Math.floor(target * among.length)];
  if (chosen?.machine.alive !== true) return undefined;
  act(chosen);
  return chosen.machine.name;
}

function atScheduler(
  world: World,
  { target }: Fault,
  act: (scheduler: ReturnType<World['leadership']['all']>[number]) => void,
): string | undefined {
  const all = world.leadership.all();
  const chosen = all[Math.floor(target * all.length)];
  if (chosen === undefined) return undefined;
  act(chosen);
  return chosen.process.name;
}

function freeze(world: World, process: Process, lengthMs: number): void {
  process.freeze();
  world.after(lengthMs, () => process.thaw());
}

/**
 * A guard that stands still while its executor works is killed by that. Both together stand still for no longer than
 * the operator's bound.
 */
function standingGuard(world: World, fault: Fault): [Guard, string] | [] {
  const guards = runningOn(world).filter(
    ({ guard, executor }) => guard !== undefined && executor.process.acts,
  );
  const chosen = guards[Math.floor(fault.target * guards.length)];
  if (chosen?.guard === undefined) return [];
  freeze(world, chosen.guard.process, fault.lengthMs);
  return [chosen.guard, chosen.guard.process.name];
}

const AMBUSHES = [
  'take-lease',
  'attach',
  'start-process',
  'inspect',
  'claim',
  'configure',
  'go',
  'detach',
] as const;

/** The next executor that is about to do this is frozen, or killed, at that very moment. */
function ambush(world: World, fault: Fault): string {
  const at = AMBUSHES[Math.floor(fault.target * AMBUSHES.length)] ?? 'claim';
  const { leaseMs, pauseBoundMs } = world.settings;
  const long = fault.manner < 0.7 ? 1.5 * (leaseMs + pauseBoundMs) : 0;
  // So that there is a start soon.
  world.random.pick([...world.guards, undefined])?.elasticsearch?.kill();
  world.ambush = { at, kills: fault.kind === 'ambush-kill', lengthMs: Math.max(fault.lengthMs, long) };
  return at;
}

/** Executor, guard and Elasticsearch at once: a pause, for none of them can act. */
function freezeNode(world: World, fault: Fault): string | undefined {
  return atExecutor(world, fault, ({ executor, guard }) => {
    const lengthMs = grantPauseMs(world, executor.process.machine, fault.lengthMs);
    if (lengthMs <= 0) return;
    endLongPause(world, guard);
    freeze(world, executor.process, lengthMs);
    if (guard === undefined) return;
    freeze(world, guard.process, lengthMs);
    if (guard.elasticsearch) freeze(world, guard.elasticsearch.process, lengthMs);
  });
}

/** The executor is about to stand still, or to go: from now on the guard's own standing still is a pause. */
function endLongPause(world: World, guard: Guard | undefined): void {
  if (guard?.process.frozen !== true) return;
  const grantedMs = grantPauseMs(world, guard.at.machine, 5_000);
  if (grantedMs <= 0) guard.process.thaw();
  else world.after(grantedMs, () => guard.process.thaw());
}

function freezeMachine(world: World, fault: Fault): string | undefined {
  return atAgent(world, fault, ({ machine }) => {
    const lengthMs = grantPauseMs(world, machine, fault.lengthMs);
    if (lengthMs <= 0 || machine.frozen) return;
    machine.freeze(fault.manner < 0.5);
    world.after(lengthMs, () => machine.thaw());
  });
}

function cut(world: World, place: number, others: readonly number[], lengthMs: number): void {
  for (const other of others) world.network.trouble('cut', place, other, world.now + lengthMs);
  if (!others.includes(MASTER)) return;
  world.master.onSchedulerCut(place);
  const agent = world.agents.find(({ machine }) => machine.place === place);
  if (agent === undefined) return;
  agent.process.deliver(() => agent.onUnlinked());
  world.master.onAgentCut(agent);
}

function troubleLink(world: World, { target, manner, lengthMs }: Fault, kind: Trouble): string {
  const { agents, schedulers } = world.settings;
  const places = [
    ...Array.from({ length: agents }, (_, index) => hostPlace(index)),
    ...Array.from({ length: schedulers }, (_, index) => schedulerPlace(index)),
  ];
  const place = places[Math.floor(target * places.length)] ?? SERVICES;
  const other = manner < 0.3 ? MASTER : SERVICES;
  world.network.trouble(kind, place, other, world.now + lengthMs);
  return `place ${place} and ${other === MASTER ? 'master' : 'services'}`;
}

function unregister(world: World, agent: Agent, { lengthMs }: Fault): void {
  if (!agent.process.acts || !agent.linked) return;
  world.master.unregister(agent);
  for (const { frameworkId } of agent.entries.values()) agent.shutdown(frameworkId);
  agent.linked = false;
  const { process } = agent;
  world.after(35_000 + lengthMs, () => {
    process.die();
    agent.restart(true);
  });
}

function swapVolume(world: World, { target, manner }: Fault): string | undefined {
  const idle = world.volumes.all().filter((volume) => {
    const inUse = volume.attachments.size > 0 || world.judge.livesOf(volume.nodeId).size > 0;
    const record = world.ledger.record(volume.nodeId);
    const own = record?.volumes?.[volume.role].driver === volume.driver && record.migration === undefined;
    const onRecord = record?.dataOnRecord === true && own;
    return !inUse && onRecord && volume.displaced === undefined;
  });
  const volume = idle[Math.floor(target * idle.length)];
  if (volume === undefined) return undefined;
  const own = volume.content;
  volume.displaced = own;
  volume.content = emptyContent();
  if (manner > 0.3) {
    volume.content.used = true;
    const foreign = '00000000-0000-4000-8000-000000000000';
    const marker = JSON.parse(own.marker ?? '{}') as Record<string, unknown>;
    volume.content.marker =
      manner > 0.6
        ? JSON.stringify({ ...marker, clusterIdentity: foreign })
        : JSON.stringify({ ...marker, epoch: 1_000_000 });
  }
  return `${volume.role} volume of node ${volume.nodeId}`;
}

function orderSize(world: World, { target }: Fault): string | undefined {
  const { leader } = world.leadership;
  const { model } = leader ?? {};
  if (leader === undefined || model?.framework === undefined) return undefined;
  // As `run/orders.ts` allows it, with the word that the shards are moved.
  const least = Math.max(1, model.framework.record.initialMasterNodes?.length ?? 1);
  const most = world.settings.agents - 1;
  const nodes = least + Math.floor(target * Math.max(1, most - least + 1));
  if (nodes > most || nodes === wantedSize(model)) return undefined;
  leader.order({ kind: 'size-ordered', nodes });
  return `${nodes} nodes`;
}
