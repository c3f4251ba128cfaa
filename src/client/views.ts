/** How records look to a page: payloads are values, read when they are first looked at. */
import { capacityOf, type Agent } from "../core/agents/agent.ts";
import { enforcementOf } from "../core/agents/enforcement.ts";
import { agentStatus, loadOf, type Serving } from "../core/agents/status.ts";
import { averageResponseTime, successRate } from "../core/agents/statistics.ts";
import type { Approval } from "../core/approvals/approval.ts";
import { decodeJson, type JsonText } from "../core/json.ts";
import { isSpilled, sizeOf } from "../core/payload/reference.ts";
import { EVERY_TASK, type Limit, type LimitState } from "../core/limits/limit.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Execution, NodeState } from "../core/workflows/execution.ts";
import { canWeigh } from "./can-weigh.ts";
import type { AgentView, ApprovalView, ExecutionView, LimitView, SpilledPayload, TaskView } from "./runtime.ts";

const texts = new WeakMap<object, JsonText>();

function spilled(text: JsonText): SpilledPayload {
  const payload = Object.freeze({ spilled: true, size: sizeOf(text) } as const);
  texts.set(payload, text);
  return payload;
}

/** The text of a payload that a view shows as a reference; undefined of anything else. */
export function spilledText(value: unknown): JsonText | undefined {
  return texts.get(value as object); // no value at all has none
}

/** Defines a property that decodes the text, if there is one, on its first reading. */
function lazy(target: object, name: string, text: JsonText | undefined): void {
  if (text === undefined) return;
  let value: unknown;
  let read = false;
  Object.defineProperty(target, name, {
    enumerable: true,
    get() {
      if (!read) {
        value = isSpilled(text) ? spilled(text) : decodeJson(text, name);
        read = true;
      }
      return value;
    },
  });
}

export function viewTask(record: Task, optimistic = false): TaskView {
  const { input, output, checkpoint: _, effects: __, ...rest } = record;
  const view = { ...rest, ...(optimistic && { optimistic }) };
  lazy(view, "input", input);
  lazy(view, "output", output);
  return view as TaskView;
}

/** `nodes` is asked for only when somebody looks, and once. */
export function viewExecution(record: Execution, nodes: () => readonly NodeState[], optimistic = false): ExecutionView {
  const { input, output, variables, nodes: ended, ...rest } = record;
  const view = { ...rest, ...(optimistic && { optimistic }) };
  lazy(view, "input", input);
  lazy(view, "output", output);
  lazy(view, "variables", variables);
  let reached: readonly NodeState[] | undefined = ended;
  Object.defineProperty(view, "nodes", {
    enumerable: true,
    get: () => (reached ??= nodes()),
  });
  return view as ExecutionView;
}

export function viewApproval({ payload, parent, ...rest }: Approval): ApprovalView {
  const view = { ...rest, ...(parent && { execution: parent.execution, node: parent.node }) };
  lazy(view, "payload", payload);
  return view as unknown as ApprovalView;
}

export function viewAgent(state: Serving, agent: Agent): AgentView {
  const { held, links } = loadOf(state, agent.id);
  return {
    ...agent,
    status: agentStatus(state, agent.id),
    running: held,
    links,
    capacity: capacityOf(agent),
    successRate: successRate(agent),
    averageResponseTime: averageResponseTime(agent),
    enforcement: enforcementOf(agent, canWeigh()),
  };
}

/** `slots`: how many are taken in all. */
export function viewLimit(uses: ReadonlyMap<string, LimitState>, limit: Limit, slots: number): LimitView {
  const own = [...uses.values()].filter((use) => use.limit === limit.id && use.running > 0);
  const running = limit.id === EVERY_TASK ? slots : own.reduce((sum, use) => sum + use.running, 0);
  const byKey = limit.perKey ? Object.fromEntries(own.map((use) => [use.key, use.running])) : {};
  return { ...limit, running, byKey };
}
