/** Where the masters are: a list that was given, or whoever ZooKeeper says leads. */
import {
  connectZookeeper,
  followMasters,
  redactZookeeperUrl,
  zookeeperMasterGroup,
} from '@mesos-elasticsearch/coordination';
import type { MesosOptions } from '@mesos-elasticsearch/scheduler';
import type { Logger } from 'pino';
import { listedMasters } from '../config/compile.ts';
import type { Settings } from '../config/fields.ts';

export interface FoundMasters {
  readonly masters: MesosOptions['masters'];
  close(): Promise<void>;
}

export function findMasters(settings: Settings, log: Logger): FoundMasters {
  const { zookeeperMesosUrl: url, zookeeperMesosTimeout: sessionTimeoutMs } = settings;
  if (url === undefined) {
    return { masters: listedMasters(settings) ?? [], close: () => Promise.resolve() };
  }
  log.info({ url: redactZookeeperUrl(url) }, 'ZooKeeper tells which Mesos master leads');
  const zookeeper = connectZookeeper({
    servers: url.servers,
    sessionTimeoutMs,
    ...(url.credentials === undefined ? {} : { credentials: url.credentials }),
    onChange: (message, fields) => log.info({ ...fields, of: 'masters' }, message),
  });
  const detector = followMasters(zookeeperMasterGroup(zookeeper, url.path), log);
  return { masters: detector, close: () => detector.close() };
}
