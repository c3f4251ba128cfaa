import type { Expression, ExpressionAst } from "../expressions/index.ts";

/** What an expression says of nodes. */
export interface Naming {
  /** The nodes it names, as `nodes.a` or `nodes['a']`. */
  readonly names: readonly string[];
  /** True when it uses `nodes` in another way, so that nobody can tell which ones it reads. */
  readonly isVague: boolean;
}

const known = new WeakMap<Expression, Naming>();

export function namingOf(expression: Expression): Naming {
  let naming = known.get(expression);
  if (!naming) {
    const names = new Set<string>();
    const isVague = visit(expression.ast, names);
    naming = { names: [...names], isVague };
    known.set(expression, naming);
  }
  return naming;
}

const SELECTING: ReadonlySet<string> = new Set([".", "[", "has"]);

/** Gathers the named nodes; true when `nodes` stands somewhere without a name behind it. */
function visit({ op, args, value }: ExpressionAst, names: Set<string>): boolean {
  if (op === "name") return value === "nodes";
  const [holder, key] = args;
  if (SELECTING.has(op) && holder?.op === "name" && holder.value === "nodes" && key?.op === "literal") {
    names.add(String(key.value));
    return false;
  }
  return args.map((part) => visit(part, names)).includes(true);
}
