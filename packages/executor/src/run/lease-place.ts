/** The lease service that a launch spec names. */
import { readFileSync } from 'node:fs';
import type { LaunchSpec, LeasePlace } from '@mesos-elasticsearch/contract';
import { directoryLeases, zookeeperLeases, type LeaseService } from '@mesos-elasticsearch/coordination';
import { SetupError } from '../ports.ts';
import type { Log } from './ports.ts';

type Credentials = NonNullable<Extract<LeasePlace, { kind: 'zookeeper' }>['credentials']>;

/**
 * @param environment loses the variable that holds the credentials: no child, and no program that a volume driver
 *   starts, is to see it
 * @throws SetupError where the credentials are not to be had
 */
export function leasesAt(
  { place, durationMs }: LaunchSpec['lease'],
  environment: NodeJS.ProcessEnv,
  log: Log,
): LeaseService {
  switch (place.kind) {
    case 'directory':
      return directoryLeases(place.directory);
    case 'zookeeper': {
      const { servers, path, sessionTimeoutMs } = place;
      const credentials = place.credentials && credentialsFrom(place.credentials, environment);
      try {
        return zookeeperLeases({
          ...{ servers, path, sessionTimeoutMs, durationMs },
          ...(credentials !== undefined && { credentials }),
          onChange: (message, fields) => log.info(fields, message),
        });
      } catch (cause) {
        if (!(cause instanceof TypeError)) throw cause;
        throw new SetupError(cause.message, { cause });
      }
    }
  }
}

function credentialsFrom(place: Credentials, environment: NodeJS.ProcessEnv): string {
  switch (place.kind) {
    case 'file':
      try {
        return readFileSync(place.path, 'utf8').replace(/\r?\n$/, '');
      } catch (cause) {
        const why = (cause as Error).message;
        throw new SetupError(`the credentials for ZooKeeper cannot be read on this agent: ${why}`, { cause });
      }
    case 'variable': {
      const value = environment[place.name];
      Reflect.deleteProperty(environment, place.name);
      if (value !== undefined && value !== '') return value;
      throw new SetupError(
        `the credentials for ZooKeeper are to be in the variable ${place.name}, which is not set on this agent`,
      );
    }
  }
}
