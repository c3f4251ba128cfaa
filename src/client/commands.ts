/** The calls that make something: checked here and now, shown at once, decided by the host. */
import * as v from "valibot";
import { RuntimeError } from "../core/errors.ts";
import { encodeJson } from "../core/json.ts";
import { TaskCreateSchema, type Task } from "../core/tasks/task.ts";
import type { Execution } from "../core/workflows/execution.ts";
import { planWorkflow } from "../core/workflows/plan.ts";
import type { Connection } from "./connection.ts";
import type { Mirror } from "./mirror.ts";
import type { Runtime } from "./runtime.ts";

type Calls = Pick<
  Runtime,
  "createTask" | "cancelTask" | "registerWorkflow" | "startWorkflow" | "cancelWorkflow" | "answer"
>;

export interface CommandParts {
  readonly connection: Connection;
  readonly mirror: Mirror;
  readonly createId: () => string;
  /** How to show what the host hasn't accepted yet, by id. */
  readonly expected: Map<string, () => void>;
}

export function createCommands({ connection, mirror, createId, expected }: CommandParts): Calls {
  const show = (record: Task | Execution): void => {
    const again = (): void => {
      mirror.expect(record);
    };
    expected.set(record.id, again);
    again();
  };
  return {
    createTask({ input, ...rest }) {
      const id = createId();
      const data = check({ ...rest, id, input: encodeJson(input, "input") });
      connection.command(id, { type: "task.create", data });
      show(expectedTask(data));
      return id;
    },
    cancelTask(id, reason) {
      connection.command(id, { type: "task.cancel", data: { id, ...(reason !== undefined && { reason }) } });
    },
    registerWorkflow(definition) {
      const text = encodeJson(definition, "workflow");
      const { workflow } = planWorkflow(JSON.parse(text));
      connection.command(workflow.id, { type: "workflow.register", data: { text } });
      return workflow.id;
    },
    startWorkflow(workflow, input, { id = createId(), priority } = {}) {
      const text = encodeJson(input, "input");
      const data = { id, workflow, input: text, ...(priority && { priority }) };
      connection.command(id, { type: "execution.start", data });
      show(expectedExecution(id, workflow, text));
      return id;
    },
    cancelWorkflow(id, reason) {
      connection.command(id, { type: "execution.cancel", data: { id, ...(reason !== undefined && { reason }) } });
    },
    answer(id, { data, ...answer }) {
      const text = data === undefined ? {} : { data: encodeJson(data, "data") };
      connection.command(id, { type: "approval.answer", data: { id, ...answer, ...text } });
    },
  };
}

function check(data: unknown): v.InferOutput<typeof TaskCreateSchema> {
  const parsed = v.safeParse(TaskCreateSchema, data);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new RuntimeError("command/invalid", {
    command: "task.create",
    at: v.getDotPath(issue) ?? "",
    reason: issue.message,
  });
}

function expectedTask(data: v.InferOutput<typeof TaskCreateSchema>): Task {
  return {
    ...data,
    priority: data.priority ?? "medium",
    status: "queued",
    attempt: 0,
    failures: 0,
    interruptions: 0,
    order: Infinity,
    createdAt: Date.now(),
  };
}

function expectedExecution(id: string, workflow: string, input: string): Execution {
  return {
    id,
    workflow,
    version: "",
    input,
    priority: "medium",
    status: "running",
    resolved: 0,
    total: 0,
    startedAt: Date.now(),
  };
}
