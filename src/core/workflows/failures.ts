/**
 * What becomes of a node that fails: it goes on along its own error edges that are for such a failure; or the first
 * error handler that is for it acts; or only its branch of a parallel node ends, where that one tolerates it; or else
 * its run fails, with the path to it.
 */
import { encodeRefusal, type ErrorData } from "../errors.ts";
import { encodeJson } from "../json.ts";
import { endEarly } from "./compensation.ts";
import { isOpen, leave, othersOf, placeOf, targetsOf, type Place, type WorkflowFact } from "./edges.ts";
import { nodeKey, type At, type WorkflowCommands } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { PlannedEdge, PlannedHandler } from "./graph.ts";
import { delayOf, isForCode } from "./handlers.ts";
import { countItems } from "./items.ts";
import type { Lookups } from "./lookups.ts";
import { openWorkOf } from "./open-work.ts";

interface Failing extends Place {
  readonly lookups: Lookups;
  readonly state: WorkflowsState;
  readonly error: ErrorData;
}

/** Ends a node badly, or begins it anew. */
export function failNode(
  lookups: Lookups,
  state: WorkflowsState,
  { execution, node, error: raw, path = node }: WorkflowCommands["node.fail"],
): WorkflowFact[] {
  const place = placeOf(lookups, state, { execution, node });
  if (place?.reached.status !== "running" && place?.reached.status !== "pending") return [];
  const error: ErrorData = { ...raw, detail: { ...raw.detail, nodePath: path } };
  const failing = { ...place, lookups, state, error };
  try {
    return along(failing) ?? handled(failing) ?? branchLost(failing) ?? unhandled(failing);
  } catch (broken) {
    const flaw = encodeRefusal(broken, "expression/failed");
    const detail = { ...flaw.detail, nodePath: path };
    return unhandled({ ...failing, error: { ...flaw, detail, cause: error } }); // what was to help has failed itself
  }
}

/** The run fails with it, in the same step: nothing of it begins or fails after that. */
function unhandled({ state, run, planned, error }: Failing): WorkflowFact[] {
  const failed: WorkflowFact = { type: "node.failed", data: { execution: run.id, node: planned.node.id, error } };
  return [failed, ...endEarly(state, run.id, { error })];
}

/** Along the error edges that somebody has drawn. */
function along(failing: Failing): WorkflowFact[] | undefined {
  const { lookups, state, run, planned, error } = failing;
  const { id: at } = planned.node;
  const local = { at, failure: { node: at, error } };
  const edges = planned.outs.filter(
    (edge) => !edge.implicit && isForError(edge, error) && isOpen(lookups, state, run, at, edge, local),
  );
  return edges.length > 0 ? goOn(failing, edges) : undefined;
}

function isForError({ codes }: PlannedEdge, { code }: ErrorData): boolean {
  return codes !== undefined && isForCode(codes, code);
}

function goOn({ run, reached, planned, state, error }: Failing, edges: readonly PlannedEdge[]): WorkflowFact[] {
  const taken = targetsOf(edges);
  const dead = othersOf(planned.outs, taken);
  const data = { execution: run.id, node: planned.node.id, error, taken, dead };
  return [{ type: "node.failed", data: { ...data, ...openWorkOf(state, [reached]) } }];
}

/** The first handler that is for it. */
function handled(failing: Failing): WorkflowFact[] | undefined {
  const { graph, planned, reached, error } = failing;
  for (const one of graph.handlers) {
    const { handler, scope } = one;
    if (!isForCode(handler.codes, error.code) || scope?.has(planned.node.id) === false) continue;
    if (handler.action === "rethrow") return unhandled(failing);
    if (handler.action === "replace") return replace(failing, one);
    if (handler.action === "route") {
      const edge = planned.outs.find(({ target, implicit }) => implicit && target[0] === handler.id);
      if (edge) return goOn(failing, [edge]);
    } else if (reached.status === "running" && (reached.round ?? 1) <= (handler.times ?? 1))
      return retry(failing, delayOf(handler, reached.round ?? 1));
  }
  return undefined;
}

function replace(failing: Failing, { output }: PlannedHandler): WorkflowFact[] {
  const { lookups, state, run, reached, planned, error } = failing;
  const { id: node } = planned.node;
  const failure = { node, error };
  const text = output
    ? encodeJson(lookups.scopes.evaluate(state, run, output, { at: node, failure }), "output")
    : "null";
  const way = leave(lookups, state, failing, () => text, failure);
  const data = { execution: run.id, node, output: text, ...way, replaced: error, ...openWorkOf(state, [reached]) };
  return [{ type: "node.completed", data }];
}

function retry({ lookups, state, run, reached, planned, error }: Failing, delay: number | undefined): WorkflowFact[] {
  const { node } = planned;
  const total = node.type === "map" ? { total: countItems(lookups, state, run, planned) } : {};
  const more = { ...total, ...(delay !== undefined && { delay }) };
  const data = { execution: run.id, node: node.id, error, round: (reached.round ?? 1) + 1, ...more };
  return [{ type: "node.retried", data: { ...data, ...openWorkOf(state, [reached]) } }];
}

/** Begins a node whose delay is over; of a paused run when that goes on. */
export function restart(lookups: Lookups, state: WorkflowsState, at: At): WorkflowFact[] {
  const place = placeOf(lookups, state, at);
  if (!place?.reached.delayed || place.run.status === "paused") return [];
  const { run, planned } = place;
  try {
    const total = planned.node.type === "map" ? { total: countItems(lookups, state, run, planned) } : {};
    return [{ type: "node.restarted", data: { ...at, ...total } }];
  } catch (error) {
    return failNode(lookups, state, { ...at, error: encodeRefusal(error, "expression/failed") });
  }
}

/** Its own path ends, if enough branches of the parallel node are left then. */
function branchLost({ state, run, reached, graph, planned, error }: Failing): WorkflowFact[] | undefined {
  const branch = graph.branches.get(planned.node.id);
  const parallel = branch && graph.nodes.get(branch.parallel)?.node;
  if (!branch || parallel?.type !== "parallel") return undefined;
  const { branches = 0, lost = [] } = state.nodes.get(nodeKey(run.id, parallel.id)) ?? {};
  const left = branches - lost.length - (lost.includes(branch.index) ? 0 : 1);
  const needed = typeof parallel.onFailure === "object" ? parallel.onFailure.needed : 1;
  if (left < needed) return undefined;
  const data = { execution: run.id, node: planned.node.id, error, taken: [], dead: targetsOf(planned.outs) };
  const place = { parallel: parallel.id, index: branch.index };
  return [{ type: "node.failed", data: { ...data, ...openWorkOf(state, [reached]), branch: place } }];
}
