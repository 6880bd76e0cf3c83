/** Which process has a TCP connection from this local port on loopback, by /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Of `pids`, the one that calls from `port`; undefined where none of them does. */
export function ownerOfPort(port: number, pids: Iterable<number>): number | undefined {
  const inode = inodeOf(port);
  if (inode === undefined) return undefined;
  const wanted = `socket:[${inode}]`;
  for (const pid of pids) if (linksOf(pid).includes(wanted)) return pid;
  return undefined;
}

/** See proc_net_tcp(5): the local address is the second column, the inode the tenth. */
function inodeOf(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(suffix) === true && columns[9] !== '0') return columns[9];
  }
  return undefined;
}

function linksOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).flatMap((name) => {
      try {
        return [readlinkSync(`${directory}/${name}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
