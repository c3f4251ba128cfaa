/** What an expression may cost, known before it runs. */
import type { Ast } from "./ast.ts";
import { isMacro } from "./check.ts";
import type { Expression } from "./expression.ts";

/** The most steps, and of a list the most items. */
interface Cost {
  readonly steps: number;
  readonly items: number;
}

/**
 * The most steps that an evaluation takes when no list or map of the scope has more than so many items. Long texts
 * come on top, one step for 32 characters, and so do comparisons of data in data.
 */
export function costOf({ ast }: Expression, items: number): number {
  return cost(ast, items).steps;
}

function cost({ op, args }: Ast, most: number): Cost {
  const parts = args.map((part) => cost(part, most));
  const [first] = parts;
  if (isMacro(op) && first) {
    const [, , ...bodies] = parts;
    const each = bodies.reduce((sum, { steps }) => sum + steps + 2, 6);
    return { steps: 1 + first.steps + first.items * each, items: first.items };
  }
  const steps = parts.reduce((sum, part) => sum + part.steps, 1);
  if (op === "list") return { steps, items: parts.length };
  if (op === "map") return { steps, items: parts.length / 2 };
  const held = parts.reduce((sum, part) => sum + part.items, 0);
  if (op === "+") return { steps: steps + (held >>> 2), items: held };
  if (op === "==" || op === "!=" || op === "in" || op === "size") return { steps: steps + 1 + 4 * held, items: 0 };
  if (op === "?") return { steps, items: Math.max(...parts.slice(1).map((part) => part.items)) };
  const holdsList = op === "name" || op === "." || op === "[";
  return { steps, items: holdsList ? most : 0 };
}
