/** The items of a map. */
import { RuntimeError } from "../errors.ts";
import { MAX_ITEMS } from "./definition.ts";
import type { Execution } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import type { PlannedNode } from "./graph.ts";

/**
 * The number of a map's items, whose keys are all different.
 * @throws RuntimeError `expression/failed`, `runtime/limit`
 */
export function countItems(
  { scopes }: Lookups,
  state: WorkflowsState,
  run: Execution,
  { node, expressions }: PlannedNode,
): number {
  const { items, key } = expressions;
  const at = node.id;
  const list = items ? scopes.evaluate(state, run, items, { at }) : [];
  if (!Array.isArray(list)) throw new RuntimeError("expression/failed", { node: at, expected: "a list of items" });
  if (list.length > MAX_ITEMS)
    throw new RuntimeError("runtime/limit", { node: at, items: list.length, limit: MAX_ITEMS });
  if (!key) return list.length;
  const indexes = new Map<string, number>();
  for (const [index, item] of (list as unknown[]).entries()) {
    const name = keyOf(scopes.evaluate(state, run, key, { at, values: { item, index } }), at, index);
    const first = indexes.get(name);
    if (first !== undefined)
      throw new RuntimeError("expression/failed", {
        node: at,
        key: name,
        items: [first, index],
        reason: "one key twice",
      });
    indexes.set(name, index);
  }
  return list.length;
}

const MAX_KEY = 200;

/** What an item is known by. @throws RuntimeError `expression/failed` when it is neither a number nor a short text */
export function keyOf(key: unknown, node: string, index: number): string {
  if ((typeof key === "string" && key !== "" && key.length <= MAX_KEY) || typeof key === "number") return String(key);
  const expected = `a key: a number, or 1 to ${String(MAX_KEY)} characters`;
  throw new RuntimeError("expression/failed", { node, index, expected });
}
