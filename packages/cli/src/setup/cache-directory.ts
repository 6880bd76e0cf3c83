import { join } from 'node:path';

export interface Place {
  readonly uid: number;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Where downloads are kept between runs. As root: where an unprivileged user can read them too. */
export function cacheDirectory({ uid, home, environment }: Place): string {
  if (uid === 0) return '/var/cache/mesos-elasticsearch';
  const base = environment['XDG_CACHE_HOME'];
  return join(
    base !== undefined && base.startsWith('/') ? base : join(home, '.cache'),
    'mesos-elasticsearch',
  );
}
