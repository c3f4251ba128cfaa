import type { Expression } from "../expressions/index.ts";

const NAMED = /\bnodes(?:\.([A-Za-z_]\w*)|\[\s*(['"])([A-Za-z_]\w*)\2\s*\])/gu;
const named = new WeakMap<Expression, readonly string[]>();

/** The nodes that an expression names; more than it reads does no harm. */
export function namedNodes(expression: Expression): readonly string[] {
  let found = named.get(expression);
  if (!found) {
    const matches = [...expression.source.matchAll(NAMED)];
    found = [...new Set(matches.map(([, dotted, , quoted]) => dotted ?? quoted ?? ""))];
    named.set(expression, found);
  }
  return found;
}
