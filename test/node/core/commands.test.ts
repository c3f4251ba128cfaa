/** What pages may say to a host: each command, frame and question with all its fields, and the bounds of each. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { PageCommandSchema, PageFrameSchema, QuerySchema } from "../../../src/core/protocol.ts";
import { checkShape, long, type Shape } from "./shapes.ts";

const YEAR = 365 * 86_400_000;
const DAY = 86_400_000;
const LATEST = 8.64e15;
const list = (length: number, one: unknown = "a"): unknown[] => Array.from({ length }, () => one);

const within = (path: string, least: number, most: number): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, least, most]],
  bad: [[path, least - 1, most + 1, least + 0.5]],
});
const named = (path: string, most: number, least = 1): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, long(least), long(most)]],
  bad: [[path, long(most + 1), ...(least > 0 ? [""] : [])]],
});
/** One shape of several bounds. */
function shape(
  whole: object,
  optional: readonly string[],
  bounds: readonly Pick<Shape, "good" | "bad">[],
  free: readonly string[] = [],
): Shape {
  return {
    whole,
    optional,
    free,
    good: bounds.flatMap(({ good = [] }) => good),
    bad: bounds.flatMap(({ bad = [] }) => bad),
  };
}

const inData = (...names: readonly string[]): string[] => names.map((name) => `data.${name}`);
const id = named("data.id", 200);

const retry = { maxAttempts: 3, base: 10, factor: 2, cap: 100, jitter: "none", except: ["x"], also: ["y"] };
const retryFields = Object.keys(retry).map((name) => `retry.${name}`);
const retryBounds = (at: string): Pick<Required<Shape>, "good" | "bad">[] => [
  within(`${at}.maxAttempts`, 1, 100),
  {
    good: [
      [`${at}.base`, 0, 0.5, DAY],
      [`${at}.cap`, 0, DAY],
      [`${at}.factor`, 1, 1.5, 100],
      [`${at}.jitter`, "full"],
      [`${at}.except`, [], list(32, long(200))],
    ],
    bad: [
      [`${at}.base`, -1, DAY + 1],
      [`${at}.cap`, -1, DAY + 1],
      [`${at}.factor`, 0.9, 101],
      [`${at}.jitter`, "half", ""],
      [`${at}.except`, list(33), [long(201)]],
      [`${at}.also`, list(33), [long(201)]],
    ],
  },
];

const agents = {
  exclude: ["a"],
  version: "^1",
  maxLoad: 0.5,
  minSuccessRate: 0.5,
  specialized: true,
  labels: { zone: "eu" },
};
const work = {
  capabilities: ["translate@^2"],
  optional: ["quick"],
  specializations: ["law"],
  agents,
  priority: "high",
  retry,
  timeout: 1_000,
  timeouts: { queue: 1, total: 2, idle: 3 },
  fairness: { key: "k", weight: 2 },
  limits: [{ limit: "l", key: "k" }],
  title: "t",
  description: "d",
};
const workOptional = [
  ...Object.keys(work).filter((name) => name !== "capabilities"),
  ...Object.keys(agents).map((name) => `agents.${name}`),
  ...retryFields,
  ...["timeouts.queue", "timeouts.total", "timeouts.idle", "fairness.weight", "limits.0.key"],
];
const share = (path: string): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, 0, 1, 0.25]],
  bad: [[path, -0.1, 1.1]],
});
const workBounds = [
  ...retryBounds("data.retry"),
  within("data.timeout", 1, YEAR),
  within("data.timeouts.queue", 1, YEAR),
  within("data.timeouts.total", 1, YEAR),
  within("data.timeouts.idle", 1, YEAR),
  named("data.fairness.key", 64),
  named("data.limits.0.limit", 64),
  named("data.limits.0.key", 64),
  named("data.title", 200, 0),
  named("data.description", 2_000, 0),
  named("data.agents.exclude.0", 200),
  share("data.agents.maxLoad"),
  share("data.agents.minSuccessRate"),
  {
    good: [
      ["data.fairness.weight", 0.01, 1_000],
      ["data.limits", [], list(8, { limit: "l" })],
      ["data.capabilities", list(16), [long(128)], ["a.b-c_d"], ["a@*"], ["a@>=1 <3"]],
      ["data.optional", [], list(16)],
      ["data.specializations", [], list(16), [`a${long(63)}`], ["A1.b-c_d"], ["1"]],
      ["data.agents.exclude", [], list(64)],
      ["data.agents.version", "1.x || 2", "*"],
      ["data.agents.labels", {}, { "a.b-c_1": "" }, { a: long(200) }],
      ["data.priority", "critical", "medium", "low"],
    ],
    bad: [
      ["data.fairness.weight", 0, 1_001],
      ["data.limits", list(9, { limit: "l" })],
      ["data.capabilities", [], list(17), [long(129)], [""], ["a@"], ["a@x.y"], ["a@latest"]],
      ["data.optional", list(17)],
      ["data.specializations", list(17), [`a${long(64)}`], ["-a"], ["a b"], [""], ["a\n"], [" a"]],
      ["data.agents.exclude", list(65)],
      ["data.agents.version", "", "latest", long(65), "*".padEnd(65)],
      ["data.agents.labels", { "-a": "" }, { a: long(201) }, { "": "" }, { [long(65)]: "" }],
      ["data.priority", "huge", ""],
    ],
  },
] satisfies Pick<Shape, "good" | "bad">[];

const taskMore = {
  id: "t",
  input: "{}",
  secrets: [{ name: "s", at: ["a", 0] }],
  type: "kind",
  startAt: 1,
  deadline: 2,
  onDeadline: "fail",
  after: { tasks: ["u"], when: "any", otherwise: "skip" },
  idempotency: { key: "k", window: 5 },
  requeuedFrom: "v",
};

const manifest = {
  name: "a",
  version: "1.0.0",
  capabilities: ["x"],
  description: "d",
  specializations: ["s"],
  recycleAfter: 1,
  maxConcurrentTasks: 2,
  slots: 3,
  timeout: 4,
  retry,
  url: "./a.js",
  integrity: `sha256-${long(43)}=`,
  trusted: true,
  network: ["https://a.example:8080"],
  secrets: ["key"],
  workers: 2,
  minWorkers: 1,
  priority: "low",
  labels: { zone: "eu" },
  prior: { successRate: 0.5, averageResponseTime: 10, weight: 5 },
  resourceLimits: { maxMemoryMB: 10, maxMemoryGrowthMB: 5, maxCPUPercent: 50 },
  replace: true,
};

const COMMANDS: readonly Shape[] = [
  shape(
    { type: "task.create", data: { ...work, ...taskMore } },
    [
      ...inData(...workOptional, "secrets", "type", "startAt", "deadline", "onDeadline", "after", "idempotency"),
      ...inData("after.when", "after.otherwise", "idempotency.window", "requeuedFrom"),
    ],
    [
      ...workBounds,
      id,
      named("data.type", 64),
      named("data.after.tasks.0", 200),
      named("data.idempotency.key", 200),
      named("data.requeuedFrom", 200),
      within("data.startAt", 0, LATEST),
      within("data.deadline", 0, LATEST),
      within("data.idempotency.window", 1, YEAR),
      {
        good: [
          ["data.secrets", [], list(32, { name: "s", at: [] })],
          ["data.secrets.0.at", list(32), [long(1_000)], [0], []],
          ["data.secrets.0.name", long(64), "a.b-c_1"],
          ["data.onDeadline", "continue", "escalate"],
          ["data.after.when", "all", "done", 1, 5],
          ["data.after.tasks", list(1_000)],
          ["data.after.otherwise", "fail"],
          ["data.agents.labels", { a: "b" }],
        ],
        bad: [
          ["data.secrets", list(33, { name: "s", at: [] })],
          ["data.secrets.0.at", list(33), [long(1_001)], [-1], [0.5], [null]],
          ["data.secrets.0.name", long(65), "", "a b", "a\n"],
          ["data.onDeadline", "stop"],
          ["data.after.when", "none", 0, 1.5],
          ["data.after.tasks", [], list(1_001)],
          ["data.after.otherwise", "wait"],
        ],
      },
    ],
    ["data.agents.labels"],
  ),
  shape({ type: "task.cancel", data: { id: "t", reason: "r" } }, inData("reason"), [
    id,
    named("data.reason", 4_096, 0),
  ]),
  shape(
    { type: "task.reprioritize", data: { id: "t", priority: "high" } },
    [],
    [id, { bad: [["data.priority", "none"]] }],
  ),
  shape(
    { type: "limit.set", data: { name: "l", concurrency: 1, rate: { count: 1, per: 1_000, burst: 2 }, perKey: true } },
    inData("concurrency", "rate", "perKey", "rate.burst"),
    [
      named("data.name", 64),
      within("data.concurrency", 0, 1_000_000),
      within("data.rate.burst", 1, 1_000_000),
      {
        good: [["data.perKey", false]],
        bad: [
          ["data.name", "a\nb"],
          ["data", { name: "l" }, { name: "l", perKey: true }],
        ],
      },
    ],
  ),
  shape({ type: "limit.remove", data: { name: "l" } }, [], [named("data.name", 64)]),
  shape(
    {
      type: "capability.register",
      data: {
        name: "c",
        version: "1.0.0",
        description: "d",
        input: "{}",
        output: "{}",
        defaults: { timeout: 1, retry, priority: "low" },
        replace: true,
      },
    },
    [
      ...inData("version", "description", "input", "output", "defaults", "replace"),
      ...inData("defaults.timeout", "defaults.retry", "defaults.priority"),
      ...retryFields.map((name) => `data.defaults.${name}`),
    ],
    [
      named("data.description", 1_000, 0),
      within("data.defaults.timeout", 1, YEAR),
      ...retryBounds("data.defaults.retry"),
      {
        bad: [
          ["data.name", "", "a b"],
          ["data.version", "1", "1.0"],
          ["data.defaults.priority", "none"],
        ],
      },
    ],
  ),
  shape({ type: "capability.unregister", data: { name: "c", version: "1.0.0" } }, inData("version"), [
    {
      bad: [
        ["data.name", "", "a b"],
        ["data.version", "1", ""],
      ],
    },
  ]),
  shape(
    { type: "agent.register", data: manifest },
    [
      ...inData(...Object.keys(manifest).filter((name) => !["name", "version", "capabilities", "url"].includes(name))),
      ...inData("prior.successRate", "prior.averageResponseTime", "prior.weight", ...retryFields),
      ...Object.keys(manifest.resourceLimits).map((name) => `data.resourceLimits.${name}`),
    ],
    [
      ...retryBounds("data.retry"),
      within("data.recycleAfter", 1, 1_000_000),
      within("data.maxConcurrentTasks", 1, 640_000),
      within("data.slots", 1, 10_000),
      within("data.workers", 1, 64),
      within("data.minWorkers", 0, 64),
      within("data.timeout", 1, YEAR),
      within("data.prior.weight", 0, 1_000),
      named("data.description", 1_000, 0),
      named("data.url", 4_096, 0),
      share("data.prior.successRate"),
      {
        good: [
          ["data.capabilities", list(64)],
          ["data.specializations", [], list(64)],
          ["data.network", [], list(32, "http://a")],
          ["data.secrets", [], list(64)],
          ["data.labels", {}, Object.fromEntries(list(32).map((_none, at) => [`l${String(at)}`, long(200)]))],
          ["data.prior.averageResponseTime", 0, 0.5],
          ["data.resourceLimits.maxMemoryMB", 1],
          ["data.resourceLimits.maxMemoryGrowthMB", 1],
          ["data.resourceLimits.maxCPUPercent", 1, 100],
          ["data.integrity", `sha256-${"+/".repeat(21)}A=`],
        ],
        bad: [
          ["data.name", "", "a b", long(65), "-"],
          ["data.version", "1", "1.0", "v1.0.0", "1.0.0 "],
          ["data.capabilities", [], list(65), ["a b"], [""], ["a@^1"]],
          ["data.specializations", list(65), ["a b"]],
          [
            "data.network",
            list(33, "http://a"),
            ["a.example"],
            ["ftp://a"],
            ["https://a/b"],
            ["https://a:123456"],
            ["https://*"],
          ],
          ["data.secrets", list(65), ["a b"]],
          [
            "data.labels",
            Object.fromEntries(list(33).map((_none, at) => [`l${String(at)}`, ""])),
            { a: long(201) },
            { "-": "" },
          ],
          ["data.prior.averageResponseTime", -1, Infinity],
          ["data.resourceLimits.maxMemoryMB", 0.9, Infinity],
          ["data.resourceLimits.maxMemoryGrowthMB", 0.9, Infinity],
          ["data.resourceLimits.maxCPUPercent", 0.9, 101],
          [
            "data.integrity",
            `sha256-${long(42)}=`,
            long(43),
            `sha512-${long(43)}=`,
            ` sha256-${long(43)}=`,
            `sha256-${long(43)}= `,
          ],
        ],
      },
    ],
    ["data.labels"],
  ),
  shape({ type: "agent.unregister", data: { id: "a", mode: "drain" } }, inData("mode"), [
    id,
    { good: [["data.mode", "requeue", "kill"]], bad: [["data.mode", "", "burn"]] },
  ]),
  shape({ type: "agent.switch", data: { id: "a", offline: true } }, [], [id]),
  shape(
    {
      type: "approval.answer",
      data: { id: "a", approved: true, by: "b", reason: "r", data: "1", edits: "{}", revision: 1 },
    },
    inData("by", "reason", "data", "edits", "revision"),
    [
      named("data.id", 8_192, 0),
      named("data.by", 200),
      named("data.reason", 4_096, 0),
      { good: [["data.revision", 0]], bad: [["data.revision", -1, 0.5]] },
    ],
  ),
  shape({ type: "approval.delegate", data: { from: "a", to: "b", for: 1 } }, inData("from"), [
    named("data.from", 200),
    named("data.to", 200),
    within("data.for", 0, 366 * DAY),
  ]),
  shape({ type: "workflow.register", data: { text: "{}", strict: true } }, inData("strict"), []),
  shape(
    {
      type: "execution.start",
      data: { id: "e", workflow: "w", version: "1", input: "{}", priority: "low", deadline: 1 },
    },
    inData("version", "priority", "deadline"),
    [
      id,
      named("data.workflow", 200),
      named("data.version", 200),
      within("data.deadline", 0, LATEST),
      { bad: [["data.priority", "no"]] },
    ],
  ),
  shape(
    { type: "workflow.rollback", data: { workflow: "w", version: "1" } },
    [],
    [named("data.workflow", 200), named("data.version", 200)],
  ),
  shape({ type: "execution.migrate", data: { id: "e", version: "1" } }, [], [id, named("data.version", 200)]),
  shape(
    { type: "message.publish", data: { name: "m", key: "k", id: "i", payload: "1", ttl: 5 } },
    inData("key", "id", "ttl"),
    [named("data.name", 200), named("data.key", 200, 0), named("data.id", 200), within("data.ttl", 0, 30 * DAY)],
  ),
  shape(
    {
      type: "mail.send",
      data: {
        id: "m",
        once: true,
        type: "kind",
        sender: "s",
        recipient: "r",
        topic: "t",
        key: "k",
        payload: "1",
        priority: "urgent",
        correlation: "c",
        ttl: 1,
        ackWait: 100,
        maxDeliveries: 1,
        backoff: 0,
      },
    },
    inData(
      "once",
      "sender",
      "recipient",
      "topic",
      "key",
      "priority",
      "correlation",
      "ttl",
      "ackWait",
      "maxDeliveries",
      "backoff",
    ),
    [
      ...["id", "type", "sender", "recipient", "topic", "key"].map((name) => named(`data.${name}`, 200)),
      named("data.correlation", 450, 0),
      within("data.ttl", 1, 30 * DAY),
      within("data.ackWait", 100, DAY),
      within("data.maxDeliveries", 1, 1_000),
      within("data.backoff", 0, DAY),
      { good: [["data.priority", "high", "normal", "low"]], bad: [["data.priority", "medium", ""]] },
    ],
  ),
  ...["mail.ack", "mail.extend"].map((type) =>
    shape({ type, data: { id: "m", delivery: 1 } }, [], [named("data.id", 450), within("data.delivery", 1, 1_000)]),
  ),
  shape({ type: "mail.nak", data: { id: "m", delivery: 1, delay: 5 } }, inData("delay"), [
    within("data.delay", 0, 30 * DAY),
  ]),
  shape({ type: "mail.terminate", data: { id: "m", delivery: 1, reason: "r" } }, inData("reason"), [
    named("data.reason", 1_000, 0),
  ]),
  shape({ type: "mail.replay", data: { id: "m" } }, [], [named("data.id", 450)]),
  ...["mail.subscribe", "mail.unsubscribe"].map((type) =>
    shape({ type, data: { topic: "t", recipient: "r" } }, [], [named("data.topic", 200), named("data.recipient", 200)]),
  ),
  shape(
    { type: "mail.define", data: { name: "n", schema: "{}" } },
    [],
    [named("data.name", 200), named("data.schema", 65_536, 0)],
  ),
  shape(
    {
      type: "schedule.set",
      data: {
        id: "s",
        workflow: "w",
        cron: "* * * * *",
        timeZone: "Europe/Berlin",
        input: "{}",
        priority: "low",
        overlap: "skip",
        catchUp: "one",
        window: DAY,
        jitter: 5,
        startAt: 1,
        endAt: 2,
        paused: true,
      },
    },
    inData("timeZone", "input", "priority", "overlap", "catchUp", "window", "jitter", "startAt", "endAt", "paused"),
    [
      named("data.workflow", 200),
      named("data.cron", 200),
      named("data.timeZone", 100),
      within("data.jitter", 0, DAY),
      {
        good: [["data.window", 366 * DAY]],
        bad: [
          ["data.window", 366 * DAY + 1, 0, 0.5],
          ["data.overlap", ""],
          ["data.catchUp", ""],
        ],
      },
    ],
  ),
  shape({ type: "schedule.remove", data: { id: "s" } }, [], [id]),
  shape({ type: "execution.pause", data: { id: "e", interrupt: true } }, inData("interrupt"), [id]),
  shape({ type: "execution.resume", data: { id: "e" } }, [], [id]),
  shape({ type: "execution.cancel", data: { id: "e", reason: "r" } }, inData("reason"), [
    id,
    named("data.reason", 4_096, 0),
  ]),
];

const at = (name: string, value: unknown): Pick<Shape, "bad"> => ({ bad: [[name, value]] });
const count = (path: string): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, 0]],
  bad: [[path, -1, 0.5, 2 ** 53]],
});

const FRAMES: readonly Shape[] = [
  shape(
    { kind: "hello", number: 1, protocol: 1, version: "1", session: "s", lock: "l", listening: true },
    ["number", "listening"],
    [count("number"), count("protocol"), named("session", 200), named("lock", 200)],
  ),
  shape({ kind: "listen", on: true }, [], []),
  shape(
    { kind: "commands", first: 1, acknowledged: 0, commands: [] },
    [],
    [count("first"), count("acknowledged"), { good: [["commands", list(10_000)]], bad: [["commands", list(10_001)]] }],
  ),
  shape(
    { kind: "offer", agents: ["a"], cores: 4 },
    ["cores"],
    [
      within("cores", 1, 4_096),
      named("agents.0", 200),
      { good: [["agents", [], list(10_000)]], bad: [["agents", list(10_001)]] },
    ],
  ),
  shape(
    { kind: "left", link: "l", cause: "crashed" },
    [],
    [
      named("link", 200),
      {
        good: [
          ["cause", "killed", "closed"],
          ["error", { name: "n", message: "m", code: "c" }],
        ],
        bad: [
          ["cause", ""],
          ["error", {}, { name: "n", message: "m" }, { name: "n", code: "c" }, { message: "m", code: "c" }],
        ],
      },
    ],
  ),
  shape({ kind: "memory", link: "l", bytes: 1 }, [], [named("link", 200), count("bytes")]),
  shape({ kind: "bye" }, [], []),
];

const QUESTIONS: readonly Shape[] = [
  shape({ type: "archived", id: "t" }, [], [named("id", 200)]),
  shape(
    { type: "archive", kind: "task", prefix: "p", after: "a", limit: 1 },
    ["kind", "prefix", "after", "limit"],
    [
      named("prefix", 300, 0),
      named("after", 300, 0),
      within("limit", 1, 1_000),
      { good: [["kind", "execution"]], ...at("kind", "agent") },
    ],
  ),
  shape(
    { type: "dead-letters", task: "t", after: "a", limit: 1 },
    ["task", "after", "limit"],
    [named("task", 64, 0), named("after", 300, 0), within("limit", 1, 200)],
  ),
  shape(
    { type: "stream", task: "t", channel: "log", reader: "r", from: 1, attempt: 1 },
    [],
    [
      named("task", 300),
      named("reader", 200),
      count("from"),
      count("attempt"),
      { good: [["channel", "stream"]], ...at("channel", "other") },
    ],
  ),
  shape(
    { type: "identify", id: "i", roles: ["r"], token: "t" },
    ["id", "roles", "token"],
    [
      named("id", 200),
      named("roles.0", 200),
      named("token", 16_384, 0),
      { good: [["roles", [], list(100)]], bad: [["roles", list(101)]] },
    ],
  ),
  shape(
    { type: "approver", id: "i", key: { kty: "EC", crv: "P-256", x: long(43), y: long(43) }, require: true },
    ["id", "require"],
    [
      named("id", 200),
      {
        good: [
          ["key", { kty: "OKP", crv: "Ed25519", x: long(43) }],
          ["key.x", `${long(41)}_-`],
        ],
        bad: [
          ["key.x", long(42), long(44), `${long(42)}+`],
          ["key", { kty: "OKP", crv: "P-256", x: long(43) }, { kty: "EC", crv: "Ed25519", x: long(43) }],
        ],
      },
    ],
  ),
  shape({ type: "decide", answer: { id: "a", approved: true }, signature: "s" }, [], [named("signature", 1_024, 0)]),
  shape({ type: "audit", after: 1, batches: true }, ["after", "batches"], [count("after")]),
  shape(
    { type: "mail.take", recipient: "r", max: 1, wait: 0 },
    [],
    [named("recipient", 200), within("max", 1, 1_000), within("wait", 0, 60_000)],
  ),
  shape(
    { type: "mail.dead", recipient: "r", after: "a", limit: 1 },
    ["recipient", "after", "limit"],
    [named("recipient", 200), named("after", 450, 0), within("limit", 1, 1_000)],
  ),
  shape({ type: "schedules" }, [], []),
  shape({ type: "versions", workflow: "w" }, [], [named("workflow", 200)]),
  shape({ type: "migration", id: "e", version: "1" }, [], [named("id", 200), named("version", 200)]),
  shape({ type: "why", id: "t" }, [], [named("id", 200)]),
  shape({ type: "standing", id: "e", within: true }, ["within"], [named("id", 200)]),
  shape(
    { type: "secret.set", name: "s", value: long(8) },
    [],
    [named("value", 65_536, 8), at("value", long(7)), at("name", "a b")],
  ),
  shape({ type: "secret.delete", name: "s" }, [], [at("name", "")]),
  shape({ type: "secret.list" }, [], []),
  shape(
    { type: "blob.read", blob: "b", offset: 0, size: 1 },
    [],
    [named("blob", 600, 0), count("offset"), count("size")],
  ),
];

const nameOf = ({ whole }: Shape): string => {
  const { type, kind } = whole as { readonly type?: string; readonly kind?: string };
  return type ?? kind ?? "";
};

describe("a page's command", () => {
  for (const one of COMMANDS) it(`${nameOf(one)} has its fields and bounds`, () => checkShape(PageCommandSchema, one));

  it("gets what it leaves out", () => {
    const parsed = (type: string, data: object): unknown => v.parse(PageCommandSchema, { type, data } as never).data;
    const agent = { name: "a", version: "1.0.0", capabilities: ["x"], url: "u" };
    assert.deepEqual(parsed("agent.register", agent), { ...agent, trusted: false, workers: 1, slots: 1, network: [] });
    const schedule = { id: "s", workflow: "w", cron: "@daily" };
    const more = { timeZone: "UTC", input: "null", priority: "medium", overlap: "skip", catchUp: "one", window: DAY };
    assert.deepEqual(parsed("schedule.set", schedule), { ...schedule, ...more, jitter: 0, paused: false });
  });

  it("that nobody knows is refused", () => {
    for (const type of ["task.start", "host.start", "link.join", "", undefined])
      assert.ok(!v.safeParse(PageCommandSchema, { type, data: { id: "t" } }).success, type);
  });
});

describe("a page's frame", () => {
  for (const one of FRAMES) it(`${nameOf(one)} has its fields and bounds`, () => checkShape(PageFrameSchema, one));
});

describe("a page's question", () => {
  for (const one of QUESTIONS) it(`${nameOf(one)} has its fields and bounds`, () => checkShape(QuerySchema, one));
});
