import type { Expression, ExpressionAst } from "../expressions/index.ts";

/** What an expression says of nodes, or of variables. */
export interface Naming {
  /** Those that it names, as `nodes.a` or `nodes['a']`. */
  readonly names: readonly string[];
  /** True when it uses `nodes` in another way, so that nobody can tell which ones it reads. */
  readonly isVague: boolean;
}

/** What is asked for by name. */
export type Named = "nodes" | "vars";

const known = { nodes: new WeakMap<Expression, Naming>(), vars: new WeakMap<Expression, Naming>() };

export function namingOf(expression: Expression, root: Named = "nodes"): Naming {
  let naming = known[root].get(expression);
  if (!naming) {
    const names = new Set<string>();
    const isVague = visit(expression.ast, root, names);
    naming = { names: [...names], isVague };
    known[root].set(expression, naming);
  }
  return naming;
}

const SELECTING: ReadonlySet<string> = new Set([".", "[", "has"]);

/** Gathers the names; true when the root stands somewhere without a name behind it. */
function visit({ op, args, value }: ExpressionAst, root: Named, names: Set<string>): boolean {
  if (op === "name") return value === root;
  const [holder, key] = args;
  if (SELECTING.has(op) && holder?.op === "name" && holder.value === root && key?.op === "literal") {
    names.add(String(key.value));
    return false;
  }
  return args.map((part) => visit(part, root, names)).includes(true);
}
