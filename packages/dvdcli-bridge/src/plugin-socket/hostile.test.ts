import { MISBEHAVIOURS } from '../testing/hostile-plugin.ts';
import { HOSTILE_TASK, HOSTILE_VERBS, hostileSuite } from '../testing/hostile-suite.ts';
import { mountIdOf } from './mount-id.ts';
import { pluginSocketVolumes } from './volumes.ts';

/** So short that a busy machine may miss it with a good driver too; what is unknown is then retried, as by any caller. */
const LIMIT_MS = 20;
/** An operation takes a few calls at most. */
const OPERATION_MS = 600;

hostileSuite('plugin socket', {
  open: (directory, plugin) =>
    pluginSocketVolumes({
      directories: [directory],
      timeLimits: {
        ...{
          reachMs: LIMIT_MS,
          createMs: LIMIT_MS,
          mountMs: LIMIT_MS,
          unmountMs: LIMIT_MS,
          otherMs: LIMIT_MS,
        },
        operationMs: OPERATION_MS,
      },
      mountTable: () => plugin().mountTable(),
      otherMountTables: () => [],
    }),
  mountId: mountIdOf(HOSTILE_TASK),
  longestMs: OPERATION_MS + 1_000,
  faults: HOSTILE_VERBS.flatMap((verb) => MISBEHAVIOURS.map((how) => ({ verb, how }))),
  drivers: ['lists who mounts', 'does not'],
  rounds: 2,
  // A driver that has no way to tell who mounts, and gives a directory, may be one whose volumes are directories. The
  // marker on the volume is what finds it out (docs/safety.md).
  invisible: ({ verb, how, what, listsMounts }) =>
    !listsMounts && verb === 'Mount' && how === 'pretend' && what.startsWith('attach'),
});
