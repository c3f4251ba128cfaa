/** A node that goes on when a condition over what tasks have done lately holds. */
import { encodeRefusal } from "../errors.ts";
import type { Request } from "../kernel.ts";
import { meterKey, metricsOf, watchersOf, type Measure, type Meters } from "../tasks/meters.ts";
import type { TasksState } from "../tasks/fold.ts";
import type { WorkflowNode } from "./definition.ts";
import { isTrue, leave, placeOf, type WorkflowFact } from "./edges.ts";
import { workKey, type At } from "./execution.ts";
import { failNode } from "./failures.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Graph } from "./graph.ts";
import type { Lookups } from "./lookups.ts";

type Monitor = Extract<WorkflowNode, { type: "monitor" }>;

/** All that a definition wants to be measured. */
export function measuresOf({ nodes, bodies }: Graph): readonly Measure[] {
  const own = [...nodes.values()].flatMap(({ node }) => (node.type === "monitor" ? [node] : []));
  return [...own, ...[...bodies.values()].flatMap(measuresOf)];
}

export function askWatchers(meters: Meters, meter: string): Request[] {
  return watchersOf(meters, meter).map(({ execution, node }) => ({ type: "monitor.ask", data: { execution, node } }));
}

/** The metrics as they are, as JSON. */
export function metricsText({ meters }: TasksState, node: Monitor, now: number): string {
  const meter = meters.meters.get(meterKey(node));
  return meter ? JSON.stringify(metricsOf(meter, now)) : "null";
}

/** Ends the node if its condition holds by now. */
export function askMonitor(
  lookups: Lookups,
  { workflows: state, tasks }: { readonly workflows: WorkflowsState; readonly tasks: TasksState },
  at: At,
  now: number,
): WorkflowFact[] {
  const place = placeOf(lookups, state, at);
  const node = place?.planned.node;
  const meter = node?.type === "monitor" ? tasks.meters.meters.get(meterKey(node)) : undefined;
  if (!place || !meter || place.reached.status !== "running" || place.run.status === "paused") return [];
  const { run, reached, planned } = place;
  try {
    const { when } = planned.expressions;
    const metrics = metricsOf(meter, now);
    const local = { at: at.node, values: { metrics } };
    const held = when && lookups.scopes.evaluate(state, run, when, local);
    if (!isTrue(held, { node: at.node, when: when?.source })) return [];
    const output = JSON.stringify({ held: true, metrics });
    const open = { tasks: [], approvals: [], timers: [workKey(reached)], waits: [workKey(reached)] };
    const way = leave(lookups, state, place, () => output);
    return [{ type: "node.completed", data: { ...at, output, ...way, ...open } }];
  } catch (error) {
    return failNode(lookups, state, { ...at, error: encodeRefusal(error, "expression/failed") });
  }
}
