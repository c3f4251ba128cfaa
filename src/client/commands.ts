/** The calls that make something: checked here and now, shown at once, decided by the host. */
import { RuntimeError } from "../core/errors.ts";
import { encodeJson, MAX_PAYLOAD, MAX_SPILLED } from "../core/json.ts";
import { MAX_INLINE } from "../core/payload/reference.ts";
import type { PageRequest } from "../core/protocol.ts";
import type { TaskRequest } from "../core/tasks/order.ts";
import { DEFAULTS, PRIORITIES } from "../core/tasks/priority.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Execution } from "../core/workflows/execution.ts";
import type { Connection } from "./connection.ts";
import type { Mirror } from "./mirror.ts";
import type { Runtime } from "./runtime.ts";

type Calls = Pick<
  Runtime,
  | "createTask"
  | "cancelTask"
  | "reprioritize"
  | "setLimit"
  | "removeLimit"
  | "registerWorkflow"
  | "startWorkflow"
  | "cancelWorkflow"
  | "pauseWorkflow"
  | "resumeWorkflow"
  | "answer"
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
    createTask({ input, capabilities, after, ...rest }) {
      const id = createId();
      const data = check({
        ...rest,
        ...(after && { after: { ...after, tasks: [...after.tasks] } }),
        capabilities: [...capabilities],
        id,
        input: encodeJson(input, "input", MAX_SPILLED),
      });
      send(connection, { type: "task.create", data }, MAX_INLINE);
      show(expectedTask(data));
      return id;
    },
    cancelTask(id, reason) {
      connection.command(id, { type: "task.cancel", data: { id, ...(reason !== undefined && { reason }) } });
    },
    reprioritize(id, priority) {
      checkPriority("task.reprioritize", priority);
      connection.command(id, { type: "task.reprioritize", data: { id, priority } });
    },
    setLimit(name, settings) {
      connection.command(name, { type: "limit.set", data: { ...settings, name } });
    },
    removeLimit(name) {
      connection.command(name, { type: "limit.remove", data: { name } });
    },
    registerWorkflow(definition, options) {
      const text = encodeJson(definition, "workflow");
      const { id } = definition as { readonly id?: unknown };
      checkId(id);
      connection.command(id, { type: "workflow.register", data: { text, ...options } });
      return id;
    },
    startWorkflow(workflow, input, { id = createId(), priority, deadline } = {}) {
      checkId(id);
      const text = encodeJson(input, "input", MAX_SPILLED);
      const data = {
        id,
        workflow,
        input: text,
        ...(priority && { priority }),
        ...(deadline !== undefined && { deadline: Number(deadline) }),
      };
      send(connection, { type: "execution.start", data }, MAX_PAYLOAD); // expressions look into what is in the records
      show(expectedExecution(id, workflow, text));
      return id;
    },
    ...createSteering(connection),
  };
}

/** What is said to something that is there. */
function createSteering(
  connection: Connection,
): Pick<Calls, "cancelWorkflow" | "pauseWorkflow" | "resumeWorkflow" | "answer"> {
  const tell = (request: Extract<PageRequest, { data: { id: string } }>): void => {
    connection.command(request.data.id, request);
  };
  return {
    cancelWorkflow(id, reason) {
      tell({ type: "execution.cancel", data: { id, ...(reason !== undefined && { reason }) } });
    },
    pauseWorkflow(id, options) {
      tell({ type: "execution.pause", data: { ...options, id } });
    },
    resumeWorkflow(id) {
      tell({ type: "execution.resume", data: { id } });
    },
    answer(id, { data, edits, ...answer }) {
      const texts = {
        ...(data !== undefined && { data: encodeJson(data, "data") }),
        ...(edits !== undefined && { edits: encodeJson(edits, "edits") }),
      };
      tell({ type: "approval.answer", data: { ...answer, ...texts, id } });
    },
  };
}

type WithInput = Extract<PageRequest, { type: "task.create" | "execution.start" }>;

/** Sends a command; an input with a text that is longer than the bound is stored before. */
function send(connection: Connection, command: WithInput, bound: number): void {
  const { id, input } = command.data;
  const store = async (): Promise<PageRequest> => {
    const { storeText } = await import("./payloads.ts"); // few pages need it
    const data = { ...command.data, input: await storeText(connection, id, input) };
    return { ...command, data } as PageRequest; // of the same type
  };
  connection.command(id, command, input.length > bound ? store() : undefined);
}

/** Finds the plain mistakes here and now, where the stack names the caller; the host checks everything. */
function check(data: TaskRequest): TaskRequest {
  const { capabilities, priority, timeout } = data as Readonly<Record<string, unknown>>;
  const named = Array.isArray(capabilities) && capabilities.length > 0;
  if (!named || !capabilities.every((name) => typeof name === "string" && name !== ""))
    throw refusal("capabilities", "a list of at least one name");
  if (priority !== undefined) checkPriority("task.create", priority);
  if (timeout !== undefined && !(Number.isInteger(timeout) && Number(timeout) > 0))
    throw refusal("timeout", "a whole number of milliseconds above 0");
  return data;
}

function checkId(id: unknown): asserts id is string {
  if (typeof id !== "string") throw new RuntimeError("workflow/invalid", { at: "id", expected: "a name" });
}

function checkPriority(command: string, priority: unknown): void {
  if (!PRIORITIES.some((known) => known === priority))
    throw refusal("priority", `one of ${PRIORITIES.join(", ")}`, command);
}

function refusal(at: string, expected: string, command = "task.create"): RuntimeError {
  return new RuntimeError("command/invalid", { command, at, expected });
}

function expectedTask(data: TaskRequest): Task {
  return {
    ...data,
    priority: data.priority ?? DEFAULTS.priority,
    status: data.after ? "pending" : (data.startAt ?? 0) > Date.now() ? "waiting" : "queued",
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
