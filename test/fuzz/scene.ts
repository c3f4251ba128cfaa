/** What stands on a stand when a door is opened, and what inputs are made of that are about it. */
import type { PageRequest } from "../../src/core/protocol.ts";
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";
import { isBuiltIn } from "../../src/core/mail/types.ts";
import { Finding } from "./door.ts";
import type { Hints } from "./schema.ts";
import type { Stand } from "./stand.ts";
import type { Tape } from "./tape.ts";
import { drawJsonText, TEXTS } from "./values.ts";
import { time } from "./virtual-time.ts";

const work = { capabilities: ["work"], retry: { maxAttempts: 2, base: 10 }, timeout: 5_000 };

export const FLOW: WorkflowInput = {
  id: "flow",
  variables: { seen: { type: "list", merge: "append" } },
  nodes: [
    { id: "first", type: "task", ...work, set: { seen: "nodes.first.output" }, compensate: work },
    { id: "each", type: "map", items: "[1, 2]", task: { ...work, input: "item" } },
    { id: "wait", type: "event", name: "x", timeout: 60_000, onTimeout: "continue" },
    { id: "nap", type: "timer", for: 5_000 },
    { id: "last", type: "task", ...work },
  ],
  edges: [
    { from: "first", to: "each" },
    { from: "first", to: "wait" },
    { from: "first", to: "nap" },
    { from: "each", to: "last" },
  ],
};

export const GATE: WorkflowInput = {
  id: "gate",
  nodes: [
    {
      id: "ask",
      type: "approval",
      message: "Send {{input}}?",
      payload: "{'n': 1, 's': 'text'}",
      approvers: ["ann", { id: "bob", weight: 2 }, { role: "boss", veto: true }],
      need: { weight: 3 },
      revote: true,
      remind: 60_000,
      timeout: 600_000,
      edit: {
        type: "object",
        properties: { n: { type: "integer", minimum: 0 }, s: { type: "string" } },
        additionalProperties: false,
      },
      onReject: "continue",
    },
    { id: "any", type: "approval", message: "ok?", needReason: "rejection", group: "g", onReject: "continue" },
    {
      id: "all",
      type: "approval",
      message: "all?",
      approvers: ["ann", "bob"],
      need: "all",
      group: "g",
      onReject: "continue",
    },
  ],
};

const text = (workflow: WorkflowInput): string => JSON.stringify(workflow);

export const SETUP: readonly PageRequest[] = [
  {
    type: "agent.register",
    data: { name: "a", version: "1.0.0", capabilities: ["work"], url: "/a.js", slots: 3, workers: 2, secrets: ["key"] },
  },
  { type: "workflow.register", data: { text: text(FLOW) } },
  { type: "workflow.register", data: { text: text(GATE) } },
  {
    type: "capability.register",
    data: { name: "typed", version: "1.0.0", input: '{"type":"object","required":["n"]}' },
  },
  { type: "limit.set", data: { name: "lim", concurrency: 1, perKey: true } },
  { type: "mail.subscribe", data: { topic: "news", recipient: "box" } },
  { type: "mail.define", data: { name: "order", schema: '{"type":"object"}' } },
  { type: "schedule.set", data: { id: "sched", workflow: "flow", cron: "@daily" } },
  { type: "execution.start", data: { id: "run1", workflow: "flow", input: "{}" } },
  { type: "execution.start", data: { id: "run2", workflow: "gate", input: '"x"' } },
  { type: "task.create", data: { id: "t1", capabilities: ["work"], input: "1" } },
  { type: "task.create", data: { id: "t2", capabilities: ["nobody"], input: "2", idempotency: { key: "k" } } },
  { type: "mail.send", data: { id: "m1", type: "control", recipient: "box", payload: '{"action":"go"}' } },
];

/** Sets the scene: one agent with a worker, runs, approvals, mail. */
export async function setScene(stand: Stand): Promise<void> {
  const { refused } = await stand.command(...SETUP);
  if (refused.length > 0) throw new Finding("scene", JSON.stringify(refused));
  await stand.post({ kind: "offer", agents: ["a@1.0.0"], cores: 2 });
  await stand.post({ kind: "joined", link: "l1", agent: "a@1.0.0" });
}

const WORKFLOWS: readonly string[] = [
  text(FLOW),
  text(GATE),
  text({ ...FLOW, title: "another" }),
  text({ ...GATE, id: "gate2" }),
  '{"id":"tiny","nodes":[{"id":"n","type":"decision"}]}',
];

/** Values for fields, which are about what is there. */
export function hintsOf(stand: Stand): Hints {
  const { state } = stand.engine;
  const among = (...tables: readonly { entries(): Iterable<[string, unknown]> }[]): string[] =>
    tables.flatMap((table) => [...table.entries()].map(([key]) => key)).slice(0, 60);
  const { tasks, workflows, approvals, agents, mail, schedules, limits } = state;
  const live = (): string[] => [
    ...among(tasks.tasks, workflows.executions, approvals.approvals, agents.agents, mail.mails, mail.dead),
    ...among(schedules.schedules, agents.links),
  ];
  const one = (tape: Tape, some: readonly string[], other: readonly string[]): string =>
    tape.pick(some.length > 0 && !tape.once(4) ? some : other);
  const fresh = ["n1", "n2", "n3", "run9", "x"];
  const soon = (tape: Tape): number =>
    time.now() + tape.pick([0, 1, -1, 1_000, 60_000, 3_600_000, -60_000, 86_400_000 * 400]);
  const person = (tape: Tape): string => tape.pick(["ann", "bob", "boss", "eve", "admin"]);
  return {
    id: (tape) => one(tape, live(), fresh),
    of: (tape) => one(tape, live(), fresh),
    task: (tape) => one(tape, among(tasks.tasks), fresh),
    requeuedFrom: (tape) => one(tape, among(tasks.tasks), fresh),
    link: (tape) => one(tape, among(agents.links), ["l1", "l2", "l3"]),
    agent: (tape) => tape.pick(["a@1.0.0", "b@1.0.0", "a@2.0.0", "a"]),
    workflow: (tape) => tape.pick(["flow", "gate", "gate2", "tiny", "none"]),
    version: (tape) =>
      one(
        tape,
        [...workflows.active.values()].map(({ version }) => version),
        ["1.0.0", "2.0.0", "^1", "x"],
      ),
    capabilitie: (tape) => tape.pick(["work", "typed", "nobody", "typed@^1", "work@1.x"]),
    capability: (tape) => tape.pick(["work", "typed"]),
    text: (tape) => tape.pick(WORKFLOWS),
    input: drawJsonText,
    output: drawJsonText,
    payload: (tape) => tape.pick(['{"action":"go"}', '{"n":1}', "null", drawJsonText(tape)]),
    data: (tape) => (tape.once(2) ? drawJsonText(tape) : undefined),
    edits: (tape) => tape.pick(['{"n":2,"s":"x"}', '{"n":-1}', '{"n":1,"s":"text"}', drawJsonText(tape)]),
    value: (tape) => (tape.once(3) ? "a secret value" : drawJsonText(tape)),
    schema: (tape) => tape.pick(['{"type":"object"}', '{"type":"string","maxLength":3}', drawJsonText(tape)]),
    type: (tape) =>
      tape.pick(
        ["control", "order", "error", "heartbeat", "human_approval_response"].filter(
          (type) => isBuiltIn(type) || type === "order",
        ),
      ),
    recipient: (tape) => tape.pick(["box", "page", "agent:a", "task:t1", "box2"]),
    topic: (tape) => tape.pick(["news", "other"]),
    sender: (tape) => tape.pick(["page", "agent:a", "link:l1"]),
    limit: (tape) => tape.pick(["lim", "*", "none"]),
    name: (tape) => one(tape, among(limits.limits), ["lim", "typed", "order", "x", "a", "b", "*"]),
    cron: (tape) =>
      tape.pick([
        "* * * * *",
        "*/5 * * * * *",
        "@daily",
        "0 0 31 2 *",
        "0 0 29 2 *",
        "* * * *",
        "a b c d e",
        "0 0 1 1 * 2999",
        "59 59 23 31 12 7",
      ]),
    timeZone: (tape) => tape.pick(["UTC", "Europe/Berlin", "Pacific/Apia", "No/Where", "+01:00"]),
    url: () => "/b.js",
    by: person,
    from: (tape) => (tape.once(3) ? tape.below(40) : person(tape)),
    to: person,
    startAt: soon,
    deadline: soon,
    endAt: soon,
    delivery: (tape) => 1 + tape.below(3),
    attempt: (tape) => tape.pick([1, 1, 1, 2, 0, 3]),
    call: (tape) => tape.below(50),
    at: (tape) => tape.below(5),
    session: (tape) => tape.pick(["s1", "s2"]),
    after: (tape) => (tape.once(2) ? String(tape.below(30)) : undefined),
    wait: (tape) => tape.pick([0, 10, 60_000]),
    key: (tape) => tape.pick(["k", "", "x", ...TEXTS.slice(0, 8)]),
  };
}

/** What every refusal has to be: one of our codes, and a detail that says what was wrong. */
export function checkRefusal(error: {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
  readonly stack?: string | undefined;
}): void {
  const { code, message, detail, stack } = error;
  if (!/^[a-z]+\/[a-z-]+$/u.test(code))
    throw new Finding(`code ${code} ${placeOf(stack) || message.slice(0, 40)}`, `${message}\n${stack ?? ""}`);
  if (typeof detail !== "object" || detail === null || Object.keys(detail).length === 0)
    throw new Finding(`no detail ${code}`, message);
}

function placeOf(stack = ""): string {
  return /\/(src\/[^)\s]+:\d+)/u.exec(stack)?.[1] ?? "";
}
