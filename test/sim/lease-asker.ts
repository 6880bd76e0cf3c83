/** A client of the lease service: through ZooKeeper its questions stay in order, through a directory they do not. */
import type { Process } from './machines.ts';
import { SERVICES, ServiceError, type Answer, type Lane } from './network.ts';
import type { Leases } from './services.ts';
import type { World } from './world.ts';

export interface LeaseAsker {
  readonly world: World;
  readonly process: Process;
  readonly lane: Lane;
}

export function askLeases<T>(
  { world, process, lane }: LeaseAsker,
  limitMs: number,
  ask: (leases: Leases) => T,
  done: (answer: Answer<T>) => void,
): void {
  const ends = { from: process.machine.place, to: SERVICES, limitMs: process.machine.realMs(limitMs) };
  world.network.request(
    world.settings.service === 'zookeeper' ? { ...ends, lane } : ends,
    () => {
      const fate = world.fateOf('leases');
      if (fate === 'fails') throw new ServiceError('the lease service fails');
      const answer = ask(world.leases);
      if (fate === 'silent') throw new ServiceError('the lease service lost its answer');
      return answer;
    },
    (answer) => process.deliver(() => done(answer)),
  );
}
