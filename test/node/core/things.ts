/** Commands that tests are made of. */
import type { CoreCommand, CoreCommands } from "../../../src/core/runtime.ts";
import { TaskOrderSchema } from "../../../src/core/tasks/order.ts";
import type { TaskCreate } from "../../../src/core/tasks/task.ts";
import type { LeaveCause } from "../../../src/core/agents/agent.ts";
import type { Manifest } from "../../../src/core/agents/manifest.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import * as v from "valibot";

export type TaskOptions = Partial<Omit<v.InferInput<typeof TaskOrderSchema>, "id">>;

export function createTask(id: string, options: TaskOptions = {}): CoreCommand {
  const data: TaskCreate = v.parse(TaskOrderSchema, { id, capabilities: ["work"], input: "{}", ...options });
  return { type: "task.create", data };
}

export function registerAgent(
  name: string,
  options: Partial<CoreCommands["agent.register"]> = {},
): CoreCommand & { type: "agent.register" } {
  const manifest = {
    name,
    version: "1.0.0",
    capabilities: ["work"],
    url: `/${name}.js`,
    trusted: false,
    network: [],
    workers: 1,
    slots: 1,
    ...options,
  };
  return { type: "agent.register", data: manifest };
}

/** A worker of the agent, of version 1.0.0 unless another is named. */
export function join(link: string, agent: string): CoreCommand {
  return { type: "link.join", data: { link, agent: agent.includes("@") ? agent : `${agent}@1.0.0`, session: "page" } };
}

export function leave(link: string, cause: LeaveCause): CoreCommand {
  return { type: "link.leave", data: { link, cause } };
}

/** An agent with its first worker. */
export function serve(name: string, options: Partial<Manifest> = {}): CoreCommand[] {
  return [registerAgent(name, options), join(`${name}-1`, name)];
}

export function complete(id: string, attempt: number, output = "1"): CoreCommand {
  return { type: "task.complete", data: { id, attempt, output } };
}

export function fail(id: string, attempt: number, code = "boom"): CoreCommand {
  return { type: "task.fail", data: { id, attempt, error: { name: "Error", message: code, code } } };
}

export function cancelTask(id: string): CoreCommand {
  return { type: "task.cancel", data: { id } };
}

export function registerWorkflow(workflow: WorkflowInput): CoreCommand {
  return { type: "workflow.register", data: { text: JSON.stringify(workflow) } };
}

export function startExecution(id: string, workflow: string, input: unknown = {}): CoreCommand {
  return { type: "execution.start", data: { id, workflow, input: JSON.stringify(input) } };
}

export function answer(id: string, approved: boolean, by = "ann"): CoreCommand {
  return { type: "approval.answer", data: { id, approved, by } };
}
