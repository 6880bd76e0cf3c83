/** One operation on a recorded volume as a process of its own, that kills itself at a step. Argument: a JSON order. */
import { writeSync } from 'node:fs';
import { volumeName } from '@mesos-elasticsearch/contract';
import { openMountLedger } from '../mount-ledger/ledger.ts';
import { recorded } from '../mount-ledger/recorded.ts';
import { recover } from '../mount-ledger/recover.ts';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import type { ConsumerId } from '../volumes.ts';

export interface LedgerOrder {
  readonly operation: 'attach' | 'detach' | 'recover';
  readonly ledger: string;
  readonly plugins: string;
  readonly driver: string;
  readonly volume: string;
  readonly consumer: string;
  /** The step before which it gets SIGKILL; none: it goes through. */
  readonly killBefore?: string;
}

const order = JSON.parse(process.argv[2] ?? '') as LedgerOrder;
const ledger = openMountLedger({
  directory: order.ledger,
  beforeStep: (step) => {
    // Synchronous: what is said is said before the kill.
    writeSync(1, `${step}\n`);
    if (step === order.killBefore) process.kill(process.pid, 'SIGKILL');
  },
});
const inner = pluginSocketVolumes({ directories: [order.plugins] });
const volumes = recorded(inner, ledger);
const volume = { driver: order.driver, name: volumeName(order.volume) };
if (order.operation === 'recover') {
  const report = await recover(ledger, { volumesFor: () => inner, impatient: true, lockLimitMs: 5_000 });
  writeSync(2, JSON.stringify(report));
} else {
  const outcome = await volumes[order.operation](volume, order.consumer as ConsumerId);
  if (outcome.kind !== 'done') throw outcome.error;
}
process.exit(0);
