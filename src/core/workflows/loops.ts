import { encodeRefusal, RuntimeError } from "../errors.ts";
import type { At } from "./execution.ts";
import { isTrue, placeOf, type WorkflowFact } from "./edges.ts";
import { failNode } from "./failures.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import { complete } from "./tokens.ts";

/** Begins the next iteration of a loop, or ends it. */
export function turnLoop(lookups: Lookups, state: WorkflowsState, at: At): WorkflowFact[] {
  const place = placeOf(lookups, state, at);
  const node = place?.planned.node;
  if (place?.reached.status !== "running" || node?.type !== "loop") return [];
  if (place.run.status === "paused") return [];
  const { run, reached, planned } = place;
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
