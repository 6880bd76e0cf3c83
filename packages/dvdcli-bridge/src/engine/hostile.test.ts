import { join } from 'node:path';
import { ENGINE_VERBS, startHostileEngine } from '../testing/hostile-engine.ts';
import { MISBEHAVIOURS } from '../testing/hostile-plugin.ts';
import { hostileSuite } from '../testing/hostile-suite.ts';
import { engineVolumes } from './volumes.ts';

/** So short that a busy machine may miss it with a good Engine too; what is unknown is then retried, as by any caller. */
const LIMIT_MS = 40;

hostileSuite('Docker Engine', {
  start: startHostileEngine,
  open: (directory) =>
    engineVolumes({
      socketPath: join(directory, 'engine.sock'),
      limitMs: LIMIT_MS,
      mountTable: () => [],
      otherMountTables: () => [],
    }),
  mountId: '',
  longestMs: 2_000,
  faults: ENGINE_VERBS.flatMap((verb) => MISBEHAVIOURS.map((how) => ({ verb, how }))),
  drivers: ['does not'],
  rounds: 1,
  invisible: () => false,
});
