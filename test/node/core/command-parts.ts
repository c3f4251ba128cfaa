/** What tasks and agents are asked for with, whole, and where its bounds are. */
import { DAY, long, list, named, share, within, YEAR, type Shape } from "./shapes.ts";

export const inData = (...names: readonly string[]): string[] => names.map((name) => `data.${name}`);
export const id = named("data.id", 200);

export const retry = { maxAttempts: 3, base: 10, factor: 2, cap: 100, jitter: "none", except: ["x"], also: ["y"] };
export const retryFields = Object.keys(retry).map((name) => `retry.${name}`);
export const retryBounds = (at: string): Pick<Required<Shape>, "good" | "bad">[] => [
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

export const agents = {
  exclude: ["a"],
  version: "^1",
  maxLoad: 0.5,
  minSuccessRate: 0.5,
  specialized: true,
  labels: { zone: "eu" },
};
export const work = {
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
export const workOptional = [
  ...Object.keys(work).filter((name) => name !== "capabilities"),
  ...Object.keys(agents).map((name) => `agents.${name}`),
  ...retryFields,
  ...["timeouts.queue", "timeouts.total", "timeouts.idle", "fairness.weight", "limits.0.key"],
];
export const workBounds = [
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

export const taskMore = {
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

export const manifest = {
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
