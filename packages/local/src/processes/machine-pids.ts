/** Everything that runs on one embedded "machine". */
import { environmentHas, familyOf, readProcessTable } from './process-table.ts';

/**
 * The processes of the machine whose agent works in `workDir`: the given ones (agent, volume driver…), every
 * executor of that agent, whoever started it, and all their descendants. Never this process itself.
 */
export function machinePids(workDir: string, given: Iterable<number>): Set<number> {
  const table = readProcessTable();
  const marker = `MESOS_DIRECTORY=${workDir}/`;
  const marked = [...table.keys()].filter((pid) => environmentHas(pid, marker));
  const family = familyOf(table, [...given, ...marked]);
  family.delete(process.pid);
  return family;
}
