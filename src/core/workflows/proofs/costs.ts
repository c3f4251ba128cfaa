/** Expressions that may use up their budget of steps, which fails the node that asks. */
import { costOf, DEFAULT_FUEL, type Expression } from "../../expressions/index.ts";
import type { Graph } from "../graph.ts";
import { errorAt, warningAt, type Problem } from "./problem.ts";

/** With lists of so many items an expression has to do; with so many it should. */
const FEW = 10;
const MANY = 1_000;

export function costProblems({ nodes, output }: Graph): Problem[] {
  const problems: Problem[] = [];
  const look = (expression: Expression | undefined, place: string, ...at: readonly string[]): void => {
    const items = expression && [FEW, MANY].find((count) => costOf(expression, count) > DEFAULT_FUEL);
    if (!expression || items === undefined) return;
    const steps = costOf(expression, items);
    const make = items === FEW ? errorAt : warningAt;
    const message = `${place} may take ${String(steps)} steps when lists have ${String(items)} items; it has ${String(DEFAULT_FUEL)}`;
    problems.push(make("expression-cost", message, ...at));
  };
  for (const [id, { expressions, sets, outs }] of nodes) {
    for (const [field, expression] of Object.entries(expressions)) look(expression, `${field} of ${id}`, id);
    for (const [{ name }, value] of sets) look(value, `set.${name} of ${id}`, id);
    for (const { target, when } of outs) look(when, `condition of ${id} → ${target[0]}`, id, target[0]);
  }
  look(output, "output of the workflow");
  return problems;
}
