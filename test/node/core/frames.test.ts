/** What pages post to a host beside commands, and what they ask it: each with all its fields, and the bounds of each. */
import { describe, it } from "node:test";
import { PageFrameSchema, QuerySchema } from "../../../src/core/protocol.ts";
import { checkShape, count, list, long, nameOf, named, shape, within, type Shape } from "./shapes.ts";

const at = (name: string, value: unknown): Pick<Shape, "bad"> => ({ bad: [[name, value]] });

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

describe("a page's frame", () => {
  for (const one of FRAMES) it(`${nameOf(one)} has its fields and bounds`, () => checkShape(PageFrameSchema, one));
});

describe("a page's question", () => {
  for (const one of QUESTIONS) it(`${nameOf(one)} has its fields and bounds`, () => checkShape(QuerySchema, one));
});
