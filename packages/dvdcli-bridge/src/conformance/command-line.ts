/** `volume-conformance --driver NAME …`. Pure. */
import { parseArgs } from 'node:util';
import { parseVolumeOptions } from '@mesos-elasticsearch/contract';

export interface ConformanceOptions {
  readonly driver: string;
  readonly path: 'plugin-socket' | 'dvdcli' | 'engine';
  readonly dvdcli: string;
  /** Undefined: Docker's usual one, or for managed plugins the one of DOCKER_HOST. */
  readonly dockerSocket: string | undefined;
  readonly image: string | undefined;
  readonly elsewhere: string | undefined;
  /** Of every volume; `{volume}` stands for its name. */
  readonly options: Readonly<Record<string, string>>;
  /** Of one call to the driver; undefined: the path's own limits. */
  readonly limitMs: number | undefined;
}

export const USAGE = `volume-conformance: does a Docker volume driver keep the promises that a stateful cluster rests on?

  volume-conformance --driver NAME [flags]

  --driver NAME         the driver
  --path PATH           plugin-socket (default), dvdcli or engine
  --options k=v,k=v     for every volume that is made; {volume} stands for its name; may be repeated
  --dvdcli PROGRAM      with --path dvdcli (dvdcli)
  --docker-socket PATH  of the Docker Engine: with --path engine (/var/run/docker.sock), and to be asked for a
                        managed plugin (DOCKER_HOST)
  --image IMAGE         with --path engine: an image with "sleep", for the check with a container
  --elsewhere DIR       plugin directory of the driver's instance of another machine, with the same storage
  --timeout SECONDS     of one call to the driver

Environment: VOLUME_PLUGIN_DIRECTORIES, where plugins are looked for, separated by colons; DOCKER_HOST.
Makes volumes named vc-<random>-<number>, touches no others, and removes them at the end.
Prints TAP. Exit codes: 0 every check passed or was skipped with its reason, 1 not, 64 wrong usage.
`;

export class ConformanceUsageError extends Error {
  override readonly name = 'ConformanceUsageError';
}

/** @throws ConformanceUsageError saying what is wrong */
export function parseCommandLine(argv: readonly string[]): ConformanceOptions | 'help' {
  try {
    return parse(argv);
  } catch (cause) {
    throw new ConformanceUsageError((cause as Error).message, { cause });
  }
}

function parse(argv: readonly string[]): ConformanceOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      driver: text,
      path: { ...text, default: 'plugin-socket' },
      options: { ...text, multiple: true, default: [] },
      dvdcli: { ...text, default: 'dvdcli' },
      'docker-socket': text,
      image: text,
      elsewhere: text,
      timeout: text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return 'help';
  const { driver, path, dvdcli, image, elsewhere } = values;
  if (driver === undefined || driver === '') throw new Error('--driver NAME is missing');
  if (path !== 'plugin-socket' && path !== 'dvdcli' && path !== 'engine')
    throw new Error(`--path ${path}: wanted plugin-socket, dvdcli or engine`);
  return {
    driver,
    path,
    dvdcli,
    image,
    elsewhere,
    dockerSocket: values['docker-socket'],
    options: parseVolumeOptions(values.options.join(',')),
    limitMs: values.timeout === undefined ? undefined : seconds(values.timeout),
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 86_400))
    throw new Error(`--timeout ${text}: wanted seconds, above 0 and at most 86400`);
  // Timers take whole milliseconds only.
  return Math.ceil(value * 1000);
}
