/** Which distribution, and which version, lies in a home directory: read from the names of its jars. */

export interface ElasticsearchVersion {
  readonly product: 'elasticsearch' | 'opensearch';
  /** As in the jar's name, e.g. `8.19.5` or `7.17.29-SNAPSHOT`. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

/** `libraries`: the file names in `lib/`. Undefined where no server jar is among them. */
export function versionOf(libraries: readonly string[]): ElasticsearchVersion | undefined {
  for (const name of libraries) {
    const match = /^(elasticsearch|opensearch)-((\d+)\.(\d+)\.\d+(?:-[A-Za-z0-9]+)*)\.jar$/.exec(name);
    if (!match) continue;
    const [, product, text, major, minor] = match;
    if (text === undefined) continue;
    return {
      product: product === 'opensearch' ? 'opensearch' : 'elasticsearch',
      text,
      major: Number(major),
      minor: Number(minor),
    };
  }
  return undefined;
}
