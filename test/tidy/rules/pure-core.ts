import ts from 'typescript';
import {
  importsOf,
  isScript,
  isTest,
  lineOf,
  nodesOf,
  parse,
  type Offence,
  type Rule,
  type SourceFile,
} from '../source-file.ts';

/** Modules of Node that compute only. */
const PURE_MODULES = ['node:path', 'node:path/posix', 'node:util', 'node:crypto'];
const BANNED_GLOBALS = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'process',
  'fetch',
  'console',
  'performance',
];
const BANNED_PROPERTIES = [
  'Date.now',
  'Math.random',
  'crypto.randomUUID',
  'crypto.randomBytes',
  'crypto.getRandomValues',
];
/** What node:crypto gives that is not a function of its input. */
const RANDOM_IMPORTS = ['randomUUID', 'randomBytes', 'randomInt'];

/** Decisions are functions of their inputs: time, randomness and ids come in, acting is elsewhere. */
export const pureCore: Rule = (files) =>
  files
    .filter((file) => isScript(file) && !isTest(file.path) && /\/core\//.test(file.path))
    .flatMap((file) => [...impureImports(file), ...impureUses(file)]);

function impureImports(file: SourceFile): Offence[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('node:') && !PURE_MODULES.includes(specifier))
    .map((specifier) => ({ path: file.path, message: `core must not import ${specifier}` }));
}

function impureUses(file: SourceFile): Offence[] {
  const tree = parse(file);
  const nodes = [...nodesOf(tree)];
  const declared = new Set(nodes.filter(isDeclaration).map((node) => node.name.getText(tree)));
  return nodes.flatMap((node) => {
    const use = impureUse(node, declared);
    if (use === undefined) return [];
    return [
      { path: file.path, message: `line ${lineOf(tree, node.getStart(tree))}: core must not use ${use}` },
    ];
  });
}

function impureUse(node: ts.Node, declared: ReadonlySet<string>): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const text = node.getText();
    return BANNED_PROPERTIES.includes(text) ? text : undefined;
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date') {
    return (node.arguments?.length ?? 0) === 0 ? 'new Date()' : undefined;
  }
  if (ts.isImportSpecifier(node)) {
    return RANDOM_IMPORTS.includes(node.name.text) ? node.name.text : undefined;
  }
  if (!ts.isIdentifier(node) || declared.has(node.text) || isNameOfMember(node)) return undefined;
  return BANNED_GLOBALS.includes(node.text) ? node.text : undefined;
}

function isDeclaration(node: ts.Node): node is ts.Node & { name: ts.Node } {
  return (
    (ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isImportSpecifier(node)) &&
    node.name !== undefined
  );
}

/** `x.process`, `{ process: … }`, `process: string` in a type: a name, not the global. */
function isNameOfMember(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isNamedTupleMember(parent)) &&
    parent.name === node
  );
}
