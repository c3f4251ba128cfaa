/** What pages may ask of a host about tasks, limits, capabilities and agents: each command with all its fields, and the bounds of each. */
import { describe, it } from "node:test";
import { PageCommandSchema } from "../../../src/core/protocol.ts";
import {
  id,
  inData,
  manifest,
  retry,
  retryBounds,
  retryFields,
  taskMore,
  work,
  workBounds,
  workOptional,
} from "./command-parts.ts";
import { checkShape, LATEST, list, long, nameOf, named, shape, share, within, YEAR, type Shape } from "./shapes.ts";

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
];

describe("a page's command", () => {
  for (const one of COMMANDS) it(`${nameOf(one)} has its fields and bounds`, () => checkShape(PageCommandSchema, one));
});
