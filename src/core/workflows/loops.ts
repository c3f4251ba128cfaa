import { encodeRefusal, RuntimeError } from "../errors.ts";
import type { LimitsState } from "../limits/fold.ts";
import { turnDynamic } from "./dynamic.ts";
import type { At } from "./execution.ts";
import { isTrue, placeOf, type WorkflowFact } from "./edges.ts";
import { failNode } from "./failures.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import { complete } from "./tokens.ts";

/** Begins the next turn of a loop or a dynamic node, or ends it. */
export function turnLoop(
  lookups: Lookups,
  { workflows: state, limits }: { readonly workflows: WorkflowsState; readonly limits: LimitsState },
  at: At,
): WorkflowFact[] {
  const place = placeOf(lookups, state, at);
  if (place?.reached.status !== "running" || place.run.status === "paused") return [];
  const { run, reached, planned } = place;
  const { node } = planned;
  if (node.type === "dynamic") return turnDynamic({ lookups, state, limits }, place, node);
  if (node.type !== "loop") return [];
  const { expressions } = planned;
  const { begun = 0, done = 0, output: last = "null" } = reached;
  if (begun > done) return []; // an iteration runs
  const ask = (field: "while" | "until", index: number): boolean | undefined => {
    const expression = expressions[field];
    if (!expression) return undefined;
    const value = lookups.scopes.evaluate(state, run, expression, { at: node.id, values: { index }, last });
    return isTrue(value, { node: node.id, [field]: expression.source });
  };
  try {
    const goesOn = ask("while", done) ?? (done === 0 || !ask("until", done - 1));
    if (!goesOn) return complete(lookups, state, done === 0 ? { ...at, output: "null" } : at);
    if (done >= node.max) throw new RuntimeError("workflow/loop-exceeded", { node: node.id, max: node.max });
    return [{ type: "loop.turned", data: { ...at, index: done } }];
  } catch (error) {
    return failNode(lookups, state, { ...at, error: encodeRefusal(error, "expression/failed") });
  }
}
