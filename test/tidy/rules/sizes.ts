import ts from 'typescript';
import {
  isOwnText,
  isScript,
  isTest,
  lineOf,
  nodesOf,
  parse,
  type Offence,
  type Rule,
  type SourceFile,
} from '../source-file.ts';

export const MOST_FILE_LINES = 400;
export const MOST_FUNCTION_LINES = 70;

export const fileSize: Rule = (files) =>
  files
    .filter((file) => isOwnText(file) && (isScript(file) || file.path.endsWith('.sh')))
    .flatMap(({ path, text }) => {
      const lines = text.trimEnd().split('\n').length;
      return lines <= MOST_FILE_LINES
        ? []
        : [{ path, message: `${lines} lines, at most ${MOST_FILE_LINES} are allowed` }];
    });

export const functionSize: Rule = (files) =>
  files.filter((file) => isOwnText(file) && isScript(file)).flatMap(longFunctions);

function longFunctions(file: SourceFile): Offence[] {
  if (file.text.split('\n').length <= MOST_FUNCTION_LINES) return [];
  const tree = parse(file);
  const offences: Offence[] = [];
  for (const node of nodesOf(tree)) {
    if (!ts.isFunctionLike(node) || (isTest(file.path) && isGroupOfTests(node))) continue;
    const first = lineOf(tree, node.getStart(tree));
    const lines = lineOf(tree, node.end) - first + 1;
    if (lines > MOST_FUNCTION_LINES) {
      offences.push({ path: file.path, message: `the function at line ${first} has ${lines} lines` });
    }
  }
  return offences;
}

/** `describe('…', () => {…})` is a chapter heading, not a function. */
function isGroupOfTests(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText());
}
