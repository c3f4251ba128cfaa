/** What can be known of an expression before it runs: its names, its roots, its path. */
import type { Ast } from "./ast.ts";
import { invalid } from "./faults.ts";
import { isForbidden } from "./values.ts";

/**
 * Checks the names in a tree, and lists those it reads from the scope in the order of their first use.
 * @throws RuntimeError `expression/invalid` for a root that is not among the allowed ones, and for a forbidden name.
 */
export function checkNames(source: string, ast: Ast, allowed?: readonly string[]): string[] {
  const roots = new Set<string>();
  const bound: string[] = [];
  const visitMacro = ([receiver, variable, ...bodies]: readonly Ast[]): void => {
    const name = String(variable?.value);
    if (variable && (isForbidden(name) || allowed?.includes(name)))
      throw invalid({ source }, variable.at, `${name} can't be the name of a variable`);
    if (receiver) visit(receiver, false);
    bound.push(name);
    for (const body of bodies) visit(body, false);
    bound.pop();
  };
  const visit = ({ op, args, value, at }: Ast, isKey: boolean): void => {
    if (isMacro(op)) {
      visitMacro(args);
      return;
    }
    if (isForbidden(value) && (isKey || op === "name"))
      throw invalid({ source }, at, `${String(value)} is a forbidden name`);
    if (op === "name" && !bound.includes(String(value))) {
      const name = String(value);
      if (allowed && !allowed.includes(name)) {
        throw invalid({ source }, at, `there is no ${name}, only ${allowed.join(", ")}`);
      }
      roots.add(name);
    }
    args.forEach((arg, index) => visit(arg, op === "map" ? index % 2 === 0 : SELECTING.has(op) && index === 1));
  };
  visit(ast, false);
  return [...roots];
}

const SELECTING: ReadonlySet<string> = new Set([".", "[", "has"]);

/** True for what asks each item: its first part is evaluated as it stands, the others once for every item. */
export function isMacro(op: string): boolean {
  return op.startsWith("each.");
}

/** The segments when the whole expression is a plain selection such as `a.b['c']`. */
export function pathOf({ op, args, value }: Ast): string[] | undefined {
  if (op === "name") return [String(value)];
  const [holder, key] = args;
  const path = (op === "." || op === "[") && holder ? pathOf(holder) : undefined;
  return path && key?.op === "literal" && typeof key.value === "string" ? [...path, key.value] : undefined;
}
