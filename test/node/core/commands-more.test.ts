/** What pages may ask of a host about approvals, runs, messages and schedules: each command with all its fields, and the bounds of each. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { PageCommandSchema } from "../../../src/core/protocol.ts";
import { id, inData } from "./command-parts.ts";
import { checkShape, DAY, LATEST, nameOf, named, shape, within, type Shape } from "./shapes.ts";

const COMMANDS: readonly Shape[] = [
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

describe("a page's command", () => {
  for (const one of COMMANDS) it(`${nameOf(one)} has its fields and bounds`, () => checkShape(PageCommandSchema, one));

  it("gets what it leaves out", () => {
    const parsed = (type: string, data: object): unknown => v.parse(PageCommandSchema, { type, data }).data;
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
