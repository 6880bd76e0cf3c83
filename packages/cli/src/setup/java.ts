/** The Java that Elasticsearch will run on. */
import { join } from 'node:path';
import { execa, ExecaError } from 'execa';
import { SetupError } from './setup-error.ts';

export const LEAST_JAVA = 17;
const INSTALL = 'install Java 17 or newer (Debian and Ubuntu: apt-get install openjdk-17-jre-headless)';

export interface Java {
  readonly home: string;
  readonly version: number;
}

/** Reads what `java -XshowSettings:properties -version` prints; undefined where it is something else. */
export function parseJava(output: string): Java | undefined {
  const home = /^\s*java\.home = (.+)$/m.exec(output)?.[1]?.trim();
  const specification = /^\s*java\.specification\.version = (?:1\.)?(\d+)/m.exec(output)?.[1];
  return home === undefined || specification === undefined
    ? undefined
    : { home, version: Number(specification) };
}

/** `JAVA_HOME` where it is set, else `java` from the path. @throws SetupError when missing or too old. */
export async function findJava(environment: Readonly<Record<string, string | undefined>>): Promise<Java> {
  const wanted = environment['JAVA_HOME'];
  const program = wanted === undefined || wanted === '' ? 'java' : join(wanted, 'bin', 'java');
  const named = program === 'java' ? 'java' : `${program} (from JAVA_HOME)`;
  let output: string;
  try {
    const { stdout, stderr } = await execa(program, ['-XshowSettings:properties', '-version'], {
      env: environment,
      extendEnv: false,
      stdin: 'ignore',
    });
    output = `${stderr}\n${stdout}`;
  } catch (error) {
    const why = error instanceof ExecaError ? error.shortMessage : String(error);
    throw new SetupError(`Java is missing: ${named} cannot be run (${why}): ${INSTALL}`, { cause: error });
  }
  const java = parseJava(output);
  if (java === undefined) throw new SetupError(`${named} does not say which Java it is: ${INSTALL}`);
  if (java.version < LEAST_JAVA) {
    throw new SetupError(`Java is too old: ${named} is version ${java.version}: ${INSTALL}`);
  }
  return java;
}
