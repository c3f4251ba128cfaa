/**
 * How tokens travel. Every edge is resolved once: taken, or dead. A node that all of its inlets have reached is
 * started if one of them is alive, and otherwise skipped, which makes its own edges dead in turn: so every join
 * learns of every inlet and none waits for a branch that was not taken (dead-path elimination, as in WS-BPEL 2.0).
 * A ready node starts at once; there are no rounds. A node that fails goes on along its error edges that are for such
 * a failure; when there are none, its run fails.
 */
import { encodeRefusal } from "../errors.ts";
import type { At, WorkflowCommands } from "./execution.ts";
import { isTrue, leave, placeOf, targetsOf, type Place, type WorkflowFact } from "./edges.ts";
import { failNode } from "./failures.ts";
import { joinItems, type WorkflowsState } from "./fold.ts";
import { countItems } from "./items.ts";
import type { Lookups } from "./lookups.ts";

/** Starts or skips a node as soon as its inlets say which; of a paused run only when it is `asked` what would become of it. */
export function settle(
  lookups: Lookups,
  state: WorkflowsState,
  { execution, node }: At,
  asked = false,
): WorkflowFact[] {
  const place = placeOf(lookups, state, { execution, node });
  if (place?.reached.status !== "pending") return [];
  const { run, planned } = place;
  if (run.status === "paused" && !asked) return [];
  const at = { execution, node };
  try {
    const ready = readiness(lookups, state, place);
    if (ready === "wait") return [];
    const kind = planned.node.type;
    if (ready === "skip") return [{ type: "node.skipped", data: { ...at, kind, dead: targetsOf(planned.outs) } }];
    if (hasRecorded(state, execution, node)) return [{ type: "node.started", data: { ...at, kind, recalled: true } }];
    const total = kind === "map" ? { total: countItems(lookups, state, run, planned) } : {};
    return [{ type: "node.started", data: { ...at, kind, ...total } }];
  } catch (error) {
    return failNode(lookups, state, { ...at, error: encodeRefusal(error, "expression/failed") });
  }
}

/** Leaves out what follows a node that runs already. */
export function skip(lookups: Lookups, state: WorkflowsState, { execution, node }: At): WorkflowFact[] {
  const place = placeOf(lookups, state, { execution, node });
  if (place?.reached.status !== "running") return [];
  const { node: planned, outs } = place.planned;
  return [{ type: "node.skipped", data: { execution, node, kind: planned.type, dead: targetsOf(outs) } }];
}

/** Its output is taken over from an earlier run. */
function hasRecorded({ recorded }: WorkflowsState, execution: string, node: string): boolean {
  return Object.hasOwn(recorded.get(execution)?.outputs ?? {}, node);
}

/** Whether its inlets say that it begins. */
export function readiness(
  lookups: Lookups,
  state: WorkflowsState,
  { run, reached, planned }: Place,
): "start" | "skip" | "wait" {
  const { node, inlets, expressions } = planned;
  const { live, dead } = reached;
  const mode = node.type === "join" ? node.mode : node.type === "errorHandler" ? "any" : "all";
  if (mode === "all") {
    if (live + dead < inlets) return "wait";
    return live > 0 || inlets === 0 ? "start" : "skip";
  }
  if (typeof mode === "object") {
    const { when } = expressions;
    const local = { at: node.id, values: { inlets: reached.inlets ?? {} } };
    if (when && isTrue(lookups.scopes.evaluate(state, run, when, local), { node: node.id, when: when.source }))
      return "start";
    return live + dead < inlets ? "wait" : "skip";
  }
  const needed = mode === "any" ? 1 : mode;
  if (live >= needed) return "start";
  return inlets - dead < needed ? "skip" : "wait";
}

/** Ends a node well: its conditions say which edges are taken; the others are dead. */
export function complete(
  lookups: Lookups,
  state: WorkflowsState,
  { execution, node, output }: WorkflowCommands["node.complete"],
): WorkflowFact[] {
  const place = placeOf(lookups, state, { execution, node });
  if (place?.reached.status !== "running") return [];
  const { reached } = place;
  const made = (): string | undefined => {
    if (output !== undefined || reached.total === undefined) return output ?? reached.output;
    return joinItems(state.items, execution, node, reached.total);
  };
  try {
    const brought = output === undefined ? {} : { output };
    return [{ type: "node.completed", data: { execution, node, ...brought, ...leave(lookups, state, place, made) } }];
  } catch (error) {
    return failNode(lookups, state, { execution, node, error: encodeRefusal(error, "expression/failed") });
  }
}
