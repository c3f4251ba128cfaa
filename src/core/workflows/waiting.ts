/** What follows when a timer fires or a message comes, or neither does in time. */
import type { Request, Rules } from "../kernel.ts";
import type { MessageEvents } from "../messages/message.ts";
import { decodeJson } from "../json.ts";
import type { TasksState } from "../tasks/fold.ts";
import type { TaskParent } from "../tasks/task.ts";
import { TOLERANCE, type TimerEvents } from "../timers/timer.ts";
import { placeOf } from "./edges.ts";
import type { WorkflowNode } from "./definition.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import { metricsText } from "./monitors.ts";

interface View {
  readonly workflows: WorkflowsState;
  readonly tasks: TasksState;
}

type Reactions = NonNullable<Rules<View, object, object, TimerEvents & MessageEvents>["react"]>;

export function waitReactions(lookups: Lookups): Reactions {
  /** Asks for what the node does next, if it still waits for this. */
  const next = (
    { workflows }: View,
    parent: TaskParent | undefined,
    then: (node: WorkflowNode, at: TaskParent) => Request,
  ): Request[] => {
    const place = parent && placeOf(lookups, workflows, parent);
    if (!place || place.reached.round !== parent.round) return [];
    if (place.reached.delayed)
      return [{ type: "node.restart", data: { execution: parent.execution, node: parent.node } }];
    return [then(place.planned.node, { execution: parent.execution, node: parent.node })];
  };
  const complete = (at: TaskParent, output: string): Request => ({ type: "node.complete", data: { ...at, output } });
  const fail = (at: TaskParent, code: string, message: string, detail: object): Request => {
    const error = { name: "RuntimeError", message, code, detail, retryable: false };
    return { type: "node.fail", data: { ...at, error } };
  };
  return {
    "timer.fired": (view, { id, dueAt, by, parent }) =>
      next(view, parent, (node, at) => {
        if (node.type !== "monitor") return complete(at, JSON.stringify({ dueAt, firedAt: dueAt + by, late: by }));
        const metrics = metricsText(view.tasks, node, dueAt + by);
        if (node.onTimeout === "continue") return complete(at, `{"held":false,"metrics":${metrics}}`);
        const message = `'${node.when}' has not come true in time`;
        return fail(at, "monitor/timeout", message, { timeout: node.timeout, metrics: decodeJson(metrics) as object });
      }).concat({ type: "meter.leave", data: { id } }),
    "timer.missed": (view, { dueAt, by, late, parent }) =>
      next(view, parent, (node, at) => {
        if (late === "skip") return { type: "node.skip", data: at };
        const tolerance = (node.type === "timer" ? node.tolerance : undefined) ?? TOLERANCE;
        const message = `nobody was there when it was due, ${String(by)} ms ago`;
        return fail(at, "timer/expired", message, { dueAt, by, tolerance });
      }),
    "timer.refused": (view, { error, parent }) =>
      next(view, parent, (_node, at) => ({ type: "node.fail", data: { ...at, error } })),
    "wait.met": (view, { payload, publishedAt, parent }) =>
      next(view, parent, (_node, at) =>
        complete(at, `{"received":true,"payload":${payload},"publishedAt":${String(publishedAt)}}`),
      ),
    "wait.expired": (view, { parent }) =>
      next(view, parent, (node, at) => {
        const { name, timeout, onTimeout } = node as Extract<WorkflowNode, { type: "event" }>; // only such a node waits
        if (onTimeout === "continue") return complete(at, '{"received":false,"payload":null,"publishedAt":null}');
        return fail(at, "event/timeout", `no message '${name}' came in time`, { name, timeout });
      }),
  };
}
