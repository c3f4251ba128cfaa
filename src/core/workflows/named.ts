import type { Expression, ExpressionAst } from "../expressions/index.ts";

const named = new WeakMap<Expression, readonly string[]>();

/** The nodes that an expression reads. */
export function namedNodes(expression: Expression): readonly string[] {
  const known = named.get(expression);
  if (known) return known;
  const found = new Set<string>();
  walk(expression.ast, (ast) => {
    const [of, field] = ast.args;
    if (isNodes(of) && typeof field?.value === "string") found.add(field.value);
  });
  const names = [...found];
  named.set(expression, names);
  return names;
}

/** True when `nodes` is used otherwise than with a node's name: which nodes it reads can't be told then. */
export function hasUnnamedNodes(expression: Expression): boolean {
  let uses = 0;
  let names = 0;
  walk(expression.ast, (ast) => {
    if (isNodes(ast)) uses++;
    const [of, field] = ast.args;
    if (isNodes(of) && (ast.op === "." || ast.op === "[") && typeof field?.value === "string") names++;
  });
  return uses > names;
}

function isNodes(ast: ExpressionAst | undefined): boolean {
  return ast?.op === "name" && ast.value === "nodes";
}

/** The tree is 32 levels high at most. */
function walk(ast: ExpressionAst, visit: (ast: ExpressionAst) => void): void {
  visit(ast);
  for (const part of ast.args) walk(part, visit);
}
