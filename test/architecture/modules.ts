/** The sources as a graph: who imports whom, and whether only for types. */
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";

export interface Import {
  readonly from: string;
  /** A file of src/, or the name of a package. */
  readonly to: string;
  readonly line: number;
  readonly typesOnly: boolean;
}

export interface Module {
  readonly file: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

/** Reads all sources, paths relative to the repository. */
export function readModules(root: string): Module[] {
  return globSync("src/**/*.ts", { cwd: root })
    .sort()
    .map((file) => readModule(file, readFileSync(posix.join(root, file), "utf8")));
}

function readModule(file: string, text: string): Module {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      imports.push({ from: file, to: target(file, found.specifier), line, typesOnly: found.typesOnly });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { file, lines: text.trimEnd().split("\n").length, imports };
}

interface Found {
  readonly specifier: string;
  readonly typesOnly: boolean;
}

/** All forms: import and export declarations, `import("…")`, and `import("…").Type`. */
function importOf(node: ts.Node): Found | undefined {
  if (ts.isImportDeclaration(node)) return found(node.moduleSpecifier, bringsTypesOnly(node.importClause));
  if (ts.isExportDeclaration(node)) {
    const named =
      node.exportClause !== undefined && ts.isNamedExports(node.exportClause) ? node.exportClause : undefined;
    return found(node.moduleSpecifier, node.isTypeOnly || areTypes(named?.elements));
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return found(node.arguments[0], false);
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return found(node.argument.literal, true);
  return undefined;
}

function found(specifier: ts.Node | undefined, typesOnly: boolean): Found | undefined {
  return specifier !== undefined && ts.isStringLiteralLike(specifier)
    ? { specifier: specifier.text, typesOnly }
    : undefined;
}

function bringsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // a side effect
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings: named } = clause;
  return clause.name === undefined && named !== undefined && ts.isNamedImports(named) && areTypes(named.elements);
}

function areTypes(elements: readonly { readonly isTypeOnly: boolean }[] | undefined): boolean {
  return elements !== undefined && elements.length > 0 && elements.every(({ isTypeOnly }) => isTypeOnly);
}

function target(from: string, specifier: string): string {
  const path = specifier.replace(/^inline:/u, "");
  if (path.startsWith(".")) return posix.join(posix.dirname(from), path);
  return path
    .split("/")
    .slice(0, path.startsWith("@") ? 2 : 1)
    .join("/");
}
