/** What can be known of a condition before it is evaluated: that it says the same always, or the same as another. */
import { RuntimeError } from "../../errors.ts";
import { evaluateExpression, type Expression, type ExpressionAst } from "../../expressions/index.ts";

/** What an expression says whatever the run is; undefined when it depends on it. */
export type Constant = { readonly value: unknown } | { readonly fails: string };

const known = new WeakMap<Expression, { readonly constant: Constant | undefined }>();
const CONSTANT_FUEL = 10_000;

export function constantOf(expression: Expression): Constant | undefined {
  let found = known.get(expression);
  if (!found) {
    found = { constant: expression.roots.length === 0 ? reckon(expression) : undefined };
    known.set(expression, found);
  }
  return found.constant;
}

function reckon(expression: Expression): Constant | undefined {
  try {
    return { value: evaluateExpression(expression, {}, { fuel: CONSTANT_FUEL }) };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return error.code === "expression/fuel" ? undefined : { fails: error.message };
  }
}

/** A condition without its negations: equal keys say the same, or the opposite. */
export interface Claim {
  readonly key: string;
  readonly isNegated: boolean;
  /** It says the same wherever it stands, once it can be evaluated at all. */
  readonly isSteady: boolean;
}

const claims = new WeakMap<Expression, Claim>();

export function claimOf(expression: Expression): Claim {
  let claim = claims.get(expression);
  if (!claim) {
    let isNegated = false;
    let ast = expression.ast;
    for (let [inner] = ast.args; ast.op === "!" && inner; [inner] = ast.args) {
      ast = inner;
      isNegated = !isNegated;
    }
    claim = { key: keyOf(ast), isNegated, isSteady: isSteady(ast) };
    claims.set(expression, claim);
  }
  return claim;
}

function keyOf({ op, args, value }: ExpressionAst): string {
  const own = op === "literal" || op === "name" ? `${op} ${JSON.stringify(value)}` : op;
  return args.length === 0 ? own : `${own}(${args.map(keyOf).join()})`;
}

/** The input never changes, and neither does an output that is there; whether it is there does. */
function isSteady({ op, args, value }: ExpressionAst): boolean {
  if (op === "name") return value === "input";
  if (op === "has") return false;
  return isOutput({ op, args }) || args.every(isSteady);
}

function isOutput({ op, args }: Pick<ExpressionAst, "op" | "args">): boolean {
  const [node, field] = args;
  const [nodes] = node?.args ?? [];
  const isSelection = (one: string | undefined): boolean => one === "." || one === "[";
  const isNamed = isSelection(node?.op) && nodes?.op === "name" && nodes.value === "nodes";
  return isSelection(op) && isNamed && field?.value === "output" && node?.args[1]?.op === "literal";
}
