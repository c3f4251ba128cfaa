/** E6: `apply` reads its slice and the event only, edits neither in place, and keeps no alias into the event. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SESSION_LIFE } from "../../../src/core/hosting/hosting.ts";
import type { ArchiveRow } from "../../../src/core/ports.ts";
import type { Fold } from "../../../src/core/kernel.ts";
import {
  applyEvent,
  createState,
  folds,
  saveState,
  type CoreCommand,
  type CoreEvent,
  type CoreState,
} from "../../../src/core/runtime.ts";
import { calendar } from "../../../src/calendar/cron.ts";
import { digestOf } from "../../../src/core/json.ts";
import { ScheduleSetSchema } from "../../../src/core/schedules/schedule.ts";
import * as v from "valibot";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { createChance, seedOf } from "./chance.ts";
import { eventsOf } from "./disk.ts";
import { deepFreeze, frozenKit, openHost, openWorld } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { cancelTask, createTask, registerWorkflow, serve, startExecution } from "./things.ts";

type ApprovalInput = Extract<WorkflowInput["nodes"][number], { type: "approval" }>;

const seed = seedOf(606);

const asking = (message: string): CoreCommand =>
  registerWorkflow({ id: "asks", nodes: [{ id: "ask", type: "approval", message }], edges: [] });
const versionOf = ({ type, data }: CoreCommand): string => (type === "workflow.register" ? digestOf(data.text) : "");

const hourly: CoreCommand = {
  type: "schedule.set",
  data: v.parse(ScheduleSetSchema, { id: "hourly", workflow: "asks", cron: "@hourly" }),
};

/** An approval that is voted on, edited, reminded of and escalated; an approver who is away, and one who signs. */
function deciding(): readonly CoreCommand[] {
  const actor = { id: "ann", roles: ["editor"], level: "session" } as const;
  const key = { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) } as const;
  const policy = {
    approvers: ["editor", "bob"],
    need: "all",
    edit: {},
    remind: 1_000,
    timeout: 2_500,
    group: "g",
  } as const;
  const node: ApprovalInput = {
    id: "ask",
    type: "approval",
    message: "?",
    ...policy,
    approvers: [...policy.approvers],
  };
  return [
    { type: "session.identify", data: { session: "page", actor } },
    { type: "approver.register", data: { key, require: false, actor } },
    { type: "approval.delegate", data: { to: "carl", for: 3_000, actor } },
    registerWorkflow({ id: "policy", nodes: [{ ...node, escalation: [{ approvers: ["boss", { id: "x" }] }] }] }),
    startExecution("decided", "policy"),
    { type: "approval.answer", data: { id: "decided/ask", approved: true, by: "carl", edits: '{"n":[1]}' } },
  ];
}
const mailTo = (id: string, more: object): CoreCommand => ({
  type: "mail.send",
  data: { id, once: true, type: "own", payload: "1", ...more },
});
const takeMail: CoreCommand = { type: "mail.take", data: { recipient: "r", consumer: "c", call: 1, max: 1 } };

/** Each kind of thing that happens to messages in mailboxes. */
const mails: readonly CoreCommand[] = [
  { type: "mail.define", data: { name: "own", schema: '{"type":"number"}' } },
  { type: "mail.subscribe", data: { topic: "t", recipient: "r" } },
  mailTo("m", { topic: "t", maxDeliveries: 2, key: "k" }),
  mailTo("n", { recipient: "r", key: "k", priority: "low" }),
  takeMail,
  { type: "mail.extend", data: { id: "m r", delivery: 1 } },
  { type: "mail.nak", data: { id: "m r", delivery: 1, delay: 50 } },
  { type: "mail.unsubscribe", data: { topic: "t", recipient: "r" } },
];

/** A long history with events of nearly every type. */
async function makeHistory(): Promise<readonly CoreEvent[]> {
  const chance = createChance(seed);
  const world = await openWorld(seed, { behaviour: chaotic, chance });
  const live = createLife(chance, "", world.time.now, true);
  for (let step = 0; step < 2_500; step++) await world.advance(live(world));
  await world.submit(...mails);
  await world.advance(60);
  await world.submit(takeMail, { type: "mail.terminate", data: { id: "m r", delivery: 2 } }, takeMail);
  await world.submit(
    { type: "mail.ack", data: { id: "n", delivery: 1 } },
    { type: "mail.replay", data: { id: "m r" } },
  );
  const stuck: WorkflowInput = {
    ...{ id: "stuck", stallAfter: 1 },
    nodes: [{ id: "s", type: "task", capabilities: ["stuck"], priority: "critical" }],
  };
  await world.submit(registerWorkflow(stuck), startExecution("stuck", "stuck"));
  await world.advance(1);
  await world.submit({ type: "limit.remove", data: { name: "*" } }, ...serve("helpful", { capabilities: ["stuck"] }));
  await world.submit(...deciding());
  await world.advance(5_000);
  await world.submit(
    ...serve("extended", { capabilities: ["extended"] }),
    createTask("extended", { capabilities: ["extended"] }),
    { type: "task.extend", data: { by: 5 } },
    createTask("first", { capabilities: ["none"] }),
    createTask("second", { after: { tasks: ["first"], when: "done" }, startAt: world.time.now() + 60_000 }),
    cancelTask("first"),
    asking("?"),
    startExecution("asked", "asks"),
    asking("!"),
    { type: "execution.migrate", data: { id: "asked", version: versionOf(asking("!")) } },
    { type: "workflow.rollback", data: { workflow: "asks", version: versionOf(asking("?")) } },
    { type: "execution.cancel", data: { id: "asked" } },
    { type: "execution.launch", data: { id: "refused", workflow: "none", input: "null" } },
    hourly,
    { type: "execution.start", data: { id: "late", workflow: "asks", input: "null", deadline: 1 } },
    { type: "timer.set", data: { id: "held", for: 5, late: "fire", tolerance: 0, onPause: "hold" } },
    { type: "timer.hold", data: { id: "held" } },
    { type: "timer.release", data: { id: "held" } },
    { type: "timer.set", data: { id: "missed", for: 1, late: "skip", tolerance: 0 } },
    registerWorkflow({ id: "list", nodes: [{ id: "m", type: "map", items: "[1]", task: { capabilities: ["none"] } }] }),
    {
      type: "execution.retry",
      data: {
        ...{ id: "again", of: "before", workflow: "list", input: "{}", downstream: true, onlyFailed: false },
        ...{ failed: ["m"], outputs: { "m/0": "1" } },
      },
    },
  );
  assert.equal(world.stopped(), undefined);
  assert.equal(saveState(world.mirror), saveState(world.engine.state), "the mirror folds to the host's state");
  world.kill();
  world.time.set(world.time.now() + 2 * SESSION_LIFE);
  const next = await openHost({ ...world, calendar: { ...calendar, next: () => assert.fail("no such zone") } }); // finds work interrupted and sessions forgotten
  next.engine.wake();
  await next.settle();
  return eventsOf(world.disk);
}

const history = await makeHistory();

/** Ruins everything that can be reached from a value. */
function ruin(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const part of Object.values(value)) ruin(part);
  if (Array.isArray(value)) value.splice(0, value.length, "ruined");
  else for (const key of Object.keys(value)) Object.assign(value, { [key]: "ruined" });
}

function foldAll(
  events: readonly CoreEvent[],
  after: (event: CoreEvent) => void = () => undefined,
): [CoreState, ArchiveRow[]] {
  const finished: ArchiveRow[] = [];
  const state = createState(frozenKit(finished));
  for (const event of events) {
    applyEvent(state, event);
    after(event);
  }
  return [state, finished];
}

describe(`E6: apply is pure (seed ${String(seed)})`, () => {
  it("sees events of nearly every type in these tests", () => {
    const seen = new Set(history.map(({ type }) => type));
    const all = Object.values(folds).flatMap((fold) => Object.keys((fold as Fold<unknown, object>).apply));
    assert.deepEqual(
      all.filter((type) => !seen.has(type as CoreEvent["type"])),
      [],
    );
  });

  it("edits no event and no record in place", () => {
    const [expected] = foldAll(structuredClone(history));
    const [frozen] = foldAll(deepFreeze(structuredClone(history)));
    assert.equal(saveState(frozen), saveState(expected));
  });

  it("keeps nothing of an event that its sender could still change", () => {
    const [expected, rows] = foldAll(structuredClone(history));
    const finished: ArchiveRow[] = [];
    const kit = frozenKit(finished);
    const state = createState({ ...kit, table: () => new Map() });
    for (const event of structuredClone(history)) {
      applyEvent(state, event);
      ruin(event.data);
    }
    assert.equal(saveState(state), saveState(expected));
    assert.deepEqual(finished, rows);
  });

  it("needs no other slice", () => {
    const [wholeState] = foldAll(structuredClone(history));
    const whole = new Map<string, unknown>(Object.entries(wholeState));
    for (const [name, fold] of Object.entries(folds) as [string, Fold<unknown, Record<string, unknown>>][]) {
      const state = fold.create(frozenKit([]));
      const appliers = new Map(Object.entries(fold.apply));
      for (const { type, data, at } of structuredClone(history)) appliers.get(type)?.(state, data, at);
      assert.equal(JSON.stringify(fold.save(state)), JSON.stringify(fold.save(whole.get(name))), name);
    }
  });

  it("asks neither the clock nor chance", (context) => {
    const [expected] = foldAll(structuredClone(history));
    const refuse = (): never => assert.fail("apply asked the world");
    context.mock.method(Date, "now", refuse);
    context.mock.method(Math, "random", refuse);
    const [state] = foldAll(structuredClone(history));
    context.mock.restoreAll();
    assert.equal(saveState(state), saveState(expected));
  });

  it("lets events pass that it doesn't know, so that an older reader survives a newer journal", () => {
    const [state] = foldAll(structuredClone(history));
    const before = saveState(state);
    for (const type of ["task.dreamt", "__proto__", "constructor", "toString"])
      applyEvent(state, { type, data: { id: "x" }, at: 1 } as unknown as CoreEvent);
    assert.equal(saveState(state), before);
  });
});
