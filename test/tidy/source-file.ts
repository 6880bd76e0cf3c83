import ts from 'typescript';

/** A file of the repository. `path` is relative to its root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Offence {
  readonly path: string;
  readonly message: string;
}

/** One habit of the project: which files break it, and how. */
export type Rule = (files: readonly SourceFile[]) => Offence[];

export function isScript(file: SourceFile): boolean {
  return /\.(?:ts|tsx|mjs|js)$/.test(file.path);
}

/** Not written by hand, or recorded elsewhere. */
export function isOwnText(file: SourceFile): boolean {
  return !/(?:^|\/)(?:gen|fixtures)\/|^package-lock\.json$/.test(file.path);
}

export function isTest(path: string): boolean {
  return /\.test\.(?:ts|tsx|mjs)$/.test(path) || path.startsWith('test/');
}

/** Doubles and contract suites: shipped to other packages' tests, not to users. */
export function isTesting(path: string): boolean {
  return path.includes('/src/testing/') || /\/testing\//.test(path);
}

/** The folder below packages/ that the file's sources belong to; undefined outside of `packages/<name>/src`. */
export function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\/src\//.exec(path)?.[1];
}

/** Module specifiers of a file: static, type-only and dynamic imports and re-exports. */
export function importsOf(file: SourceFile): string[] {
  return ts.preProcessFile(file.text, true, true).importedFiles.map(({ fileName }) => fileName);
}

export function parse(file: SourceFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true);
}

/** Every node of the tree, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

export function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}
