/** Commands that messages tell an operator to give, with the flags that reached the driver this time. */
import { pathOf, type ReachOptions } from './reach.ts';

export function reachFlags(reach: ReachOptions): string {
  const path = pathOf(reach);
  return [
    `--driver ${reach.driver} --path ${path}`,
    ...(path === 'dvdcli' && reach.dvdcli !== 'dvdcli' ? [`--dvdcli ${reach.dvdcli}`] : []),
    ...(reach.dockerHost === undefined ? [] : [`--docker-host ${reach.dockerHost}`]),
  ].join(' ');
}

export function volumesWords(verb: string, name: string, reach: ReachOptions): string {
  return `mesos-elasticsearch volumes ${verb} ${name} ${reachFlags(reach)}`;
}
