/** Finds uses of banned globals, by the compiler's own idea of what a name refers to. */
import { posix } from "node:path";
import ts from "typescript";

/** The uses in the files of a project, each as `file:line name`. */
export function findGlobals(root: string, project: string, banned: readonly string[]): string[] {
  const path = posix.join(root, project);
  const config = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, (file) => ts.sys.readFile(file)).config,
    ts.sys,
    root,
  );
  const program = ts.createProgram(config.fileNames, config.options);
  const checker = program.getTypeChecker();
  const names = new Set(banned);
  const uses: string[] = [];
  for (const fileName of config.fileNames) {
    const source = program.getSourceFile(fileName);
    const visit = (node: ts.Node): void => {
      const name = nameOf(node, checker, names);
      if (source !== undefined && name !== undefined && names.has(name)) {
        const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        uses.push(`${posix.relative(root, fileName)}:${line} ${name}`);
      }
      ts.forEachChild(node, visit);
    };
    if (source !== undefined) visit(source);
  }
  return uses;
}

/** The global that a node names: `Date`, or with one property `Math.random`; `Math` alone could hand out the latter. */
function nameOf(node: ts.Node, checker: ts.TypeChecker, names: ReadonlySet<string>): string | undefined {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && isGlobal(node.expression, checker)) {
    return `${node.expression.text}.${node.name.text}`;
  }
  if (!ts.isIdentifier(node) || !isReference(node) || !isGlobal(node, checker)) return undefined;
  const isOwner = ts.isPropertyAccessExpression(node.parent);
  return isOwner || names.has(node.text) ? node.text : [...names].find((name) => name.startsWith(`${node.text}.`));
}

/** Whether the identifier refers to something, rather than naming a member. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  if (ts.isBindingElement(parent)) return parent.propertyName !== node;
  const isNamed = "name" in parent && parent.name === node;
  return !isNamed || ts.isShorthandPropertyAssignment(parent);
}

function isGlobal(node: ts.Identifier, checker: ts.TypeChecker): boolean {
  const symbol = ts.isShorthandPropertyAssignment(node.parent)
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : checker.getSymbolAtLocation(node);
  const declarations = symbol?.declarations ?? [];
  return declarations.every((declaration) => declaration.getSourceFile().isDeclarationFile);
}
