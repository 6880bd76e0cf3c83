/** Finds a Java that is new enough. */
import { dirname } from 'node:path';
import { SetupError, type CommandRunner } from '../ports.ts';

export interface JavaPlaces {
  /** From the launch spec: if it is given, it is this one or none. */
  readonly wanted: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Paths of `java` programs found along PATH, links resolved. */
  readonly onPath: readonly string[];
}

interface Candidate {
  readonly home: string;
  readonly from: string;
}

function candidates({ wanted, environment, home, onPath }: JavaPlaces): readonly Candidate[] {
  if (wanted !== undefined) return [{ home: wanted, from: 'javaHome of the launch spec' }];
  const named = ['ES_JAVA_HOME', 'JAVA_HOME'].flatMap((name) => {
    const value = environment[name];
    return value === undefined || value === '' ? [] : [{ home: value, from: name }];
  });
  const bundled = { home: `${home}/jdk`, from: "the distribution's own jdk/" };
  return [...named, bundled, ...onPath.map((java) => ({ home: dirname(dirname(java)), from: 'PATH' }))];
}

/**
 * The first home with a Java of at least `oldest`, asked as Elasticsearch's user.
 * @throws SetupError saying what was found where
 */
export async function findJava(
  commands: CommandRunner,
  places: JavaPlaces,
  wanted: { oldest: number; by: string },
): Promise<string> {
  const tried: string[] = [];
  for (const { home, from } of candidates(places)) {
    const answer = await commands.run([`${home}/bin/java`, '-version'], { as: 'node' });
    const found =
      answer.exitCode === 0 ? javaVersion(`${answer.stderr}\n${answer.stdout.toString()}`) : undefined;
    if (found !== undefined && found >= wanted.oldest) return home;
    tried.push(`${from} (${home}): ${found === undefined ? 'no usable java' : `Java ${String(found)}`}`);
  }
  throw new SetupError(
    `Java missing or too old: ${wanted.by} needs Java ${String(wanted.oldest)} or newer; looked at ${tried.join('; ') || 'nothing'}; ` +
      'install one, or name it with javaHome',
  );
}

/** `17.0.15` → 17, `1.8.0_392` → 8. */
export function javaVersion(text: string): number | undefined {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(text);
  if (!match) return undefined;
  return match[1] === '1' && match[2] !== undefined ? Number(match[2]) : Number(match[1]);
}
