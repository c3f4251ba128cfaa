/** Secrets in expressions: `secrets.name` stands for a value that can only be passed on whole. */
import type { ExpressionAst } from "../expressions/index.ts";
import type { SecretUse } from "../tasks/secrets.ts";

type Step = SecretUse["at"][number];

/** Where the secrets stand in what the expression makes; undefined when one is used for anything else. */
export function secretsOf(ast: ExpressionAst, at: readonly Step[] = []): readonly SecretUse[] | undefined {
  const { op, args } = ast;
  if (!mentions(ast)) return [];
  const [holder, key] = args;
  if ((op === "." || op === "[") && isSecrets(holder) && typeof key?.value === "string" && key.op === "literal")
    return [{ name: key.value, at: [...at] }];
  const uses: SecretUse[] = [];
  if (op !== "list" && op !== "map") return undefined;
  const step = op === "map" ? 2 : 1;
  for (let place = 0; place < args.length; place += step) {
    const name = op === "map" ? args[place] : undefined;
    const value = args[place + step - 1];
    if (!value || (name && mentions(name))) return undefined;
    const isFixed = !name || (name.op === "literal" && typeof name.value === "string");
    const inner = isFixed ? secretsOf(value, [...at, name ? String(name.value) : place]) : [];
    if (!inner || (!isFixed && mentions(value))) return undefined;
    uses.push(...inner);
  }
  return uses;
}

function isSecrets(ast: ExpressionAst | undefined): boolean {
  return ast?.op === "name" && ast.value === "secrets";
}

function mentions(ast: ExpressionAst): boolean {
  return isSecrets(ast) || ast.args.some(mentions);
}
