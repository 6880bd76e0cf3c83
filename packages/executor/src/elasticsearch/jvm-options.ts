/** jvm.options: the distribution's own, with its relative paths made absolute, and ours beside it. Pure. */

/** Loaded after the distribution's own file, in the order of names. */
export const OUR_OPTIONS_FILE = 'jvm.options.d/50-mesos-elasticsearch.options';

/**
 * The distribution writes its garbage collection log, heap dumps and crash files below its home, which is not
 * writable to Elasticsearch's user (the JVM then refuses to start): they go to the log directory.
 */
export function withAbsolutePaths(jvmOptions: string, logDirectory: string): string {
  return jvmOptions
    .split('\n')
    .map((line) => (line.startsWith('#') ? line : redirected(line, logDirectory)))
    .join('\n');
}

function redirected(line: string, logDirectory: string): string {
  return line
    .replace(/(HeapDumpPath=)(?!\/)\S*/, (_, option: string) => `${option}${logDirectory}`)
    .replace(
      /(ErrorFile=|:file=|-Xloggc:)(?!\/)(?:logs\/)?/,
      (_, option: string) => `${option}${logDirectory}/`,
    );
}

/** Heap first, so that a user who knows better can still say so. */
export function ourOptions(heapMb: number, userOptions: readonly string[]): string {
  const heap = String(heapMb);
  return [`-Xms${heap}m`, `-Xmx${heap}m`, ...userOptions, ''].join('\n');
}
