/** Which side of the API each recording shows. A recording that is not listed fails the replay. */
export type Side = 'scheduler' | 'executor' | 'volume plugin';

const SCHEDULER = [
  '01-subscribe-offers-decline-revive',
  '02-command-task-lifecycle',
  '03-custom-executor',
  '04-agent-lost-partition-aware',
  '05-agent-lost-not-partition-aware',
  '06-agent-restart-executor-survives',
  '07-framework-failover',
  '08-http-errors',
  '09-json-heartbeats',
  '09-protobuf-stream',
  '10-docker-volume-driver',
  '11-reservations-and-roles',
  '12-zookeeper-leader-election',
  '13-authentication',
  '14-isolators',
  '17-executor-protobuf',
];
const EXECUTOR = [
  '03-executor.1',
  '03-executor.2',
  '03-executor.3',
  '04-executor.1',
  '05-executor.1',
  '06-executor.1',
  '17-executor-protobuf-stream',
];
/** These speak no Mesos; the volume bridge replays them. */
const PLUGIN = ['15-rexray-plugin', '16-rclone-plugin'];
/** Only recorded with Mesos 1.3.2. */
const NOT_IN_1_6_2 = /^(09|12|13|14)-/;

function files(names: string[], side: Side): [string, Side][] {
  const newer = side === 'volume plugin' ? [] : names.filter((name) => !NOT_IN_1_6_2.test(name));
  return [...names, ...newer.map((name) => `1.6.2/${name}`)].map((name) => [`${name}.jsonl`, side]);
}

export const REPLAY_TABLE: ReadonlyMap<string, Side> = new Map([
  ...files(SCHEDULER, 'scheduler'),
  ...files(EXECUTOR, 'executor'),
  ...files(PLUGIN, 'volume plugin'),
]);
