/** Everything the schedulers said, in the order it came, with who is told of it. */
import type { ProgressLine } from '@mesos-elasticsearch/cli';

export type NodeLine = Extract<ProgressLine, { nodeId: number | undefined; epoch: number }>;

export class ProgressLog {
  readonly #lines: ProgressLine[] = [];
  readonly #ears = new Set<(line: ProgressLine) => void>();

  take(line: ProgressLine): void {
    this.#lines.push(line);
    for (const ear of [...this.#ears]) ear(line);
  }

  /** A place in the log, for {@link since}. */
  get length(): number {
    return this.#lines.length;
  }

  since(place: number): readonly ProgressLine[] {
    return this.#lines.slice(place);
  }

  listen(ear: (line: ProgressLine) => void): () => void {
    this.#ears.add(ear);
    return () => this.#ears.delete(ear);
  }
}

/** The lines about one node, of one kind. */
export function linesOf<K extends NodeLine['kind']>(
  lines: readonly ProgressLine[],
  kind: K,
  nodeId: number,
): Extract<NodeLine, { kind: K }>[] {
  return lines.filter(
    (line): line is Extract<NodeLine, { kind: K }> =>
      line.kind === kind && 'nodeId' in line && line.nodeId === nodeId,
  );
}
