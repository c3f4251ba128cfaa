/** Random walks over all that can befall tasks: what the table allows happens, and nothing else ever does. */
import assert from "node:assert/strict";
import { calendar } from "../../../src/calendar/cron.ts";
import { describe, it } from "node:test";
import { readFileSync } from "node:fs";
import { createStage, type Stage } from "../../../src/core/stage.ts";
import { createScheduler } from "../../../src/core/scheduling/scheduler.ts";
import { createTurn } from "../../../src/core/turn.ts";
import { applyEvent, type CoreCommand, type CoreEvent } from "../../../src/core/runtime.ts";
import type { Fact } from "../../../src/core/kernel.ts";
import { endedIds } from "../../../src/core/tasks/ends.ts";
import { PRIORITIES } from "../../../src/core/tasks/priority.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import { FIRST_STATUSES, isFinal, TRANSITIONS, type TaskStatus } from "../../../src/core/tasks/transitions.ts";
import { createChance, roundsOf, seedOf, type Chance } from "./chance.ts";
import { START } from "./kit.ts";
import { cancelTask, complete, createTask, fail, join, leave, registerAgent, type TaskOptions } from "./things.ts";

const STEPS = roundsOf(120_000);
const seed = seedOf(77_001);
const TIMEOUTS = ["task/timeout", "task/idle-timeout", "task/queue-timeout", "task/total-timeout"];

interface Walk {
  readonly stage: Stage;
  readonly chance: Chance;
  /** Every task that ever was: its status now, and what it asked for. */
  readonly statuses: Map<string, TaskStatus>;
  readonly orders: Map<string, TaskOptions>;
  /** `from → to`, as often as it was seen. */
  readonly seen: Map<string, number>;
  now: number;
  step(): void;
}

function createWalk(chance: Chance): Walk {
  const stage = createStage();
  const scheduler = createScheduler(stage.state);
  const turn = createTurn(stage.state, scheduler);
  let count = 0;
  const walk: Walk = {
    stage,
    chance,
    statuses: new Map(),
    orders: new Map(),
    seen: new Map(),
    now: START,
    step() {
      walk.now += chance.below(60);
      for (const id of stage.due.get("task.wake")?.take(walk.now) ?? []) tell({ type: "task.wake", data: { id } });
      tell(draw());
    },
  };
  const record = (fact: Fact, at: number): void => {
    applyEvent(stage.state, { ...fact, at } as CoreEvent);
    note(walk, fact);
  };
  const tell = (command: CoreCommand): void => {
    const refusal = turn(command, { now: walk.now, random: chance.next, id: () => "x", calendar }, record);
    if (command.type === "task.create" && !refusal) walk.orders.set(command.data.id, command.data);
  };
  tell(registerAgent("a", { slots: 3 }));
  tell(join("l0", "a"));

  const some = (): Task | undefined => {
    const live = [...stage.state.tasks.tasks.values()];
    return live.length > 0 ? chance.pick(live) : undefined;
  };
  const firstLink = (): string => [...stage.state.agents.links.values()][0]?.id ?? "";
  function draw(): CoreCommand {
    const { state } = stage;
    const task = some();
    const id = chance.once(30) ? `t${String(chance.below(count + 1))}` : (task?.id ?? "t0");
    const attempt = (task?.attempt ?? 0) - (chance.once(20) ? 1 : 0);
    const commands: readonly (() => CoreCommand)[] = [
      () => (state.tasks.tasks.size < 25 ? createTask(`t${String(++count)}`, drawOrder(walk)) : cancelTask(id)),
      () => (state.tasks.tasks.size < 25 ? createTask(`t${String(++count)}`, drawOrder(walk)) : complete(id, attempt)),
      () => complete(id, attempt),
      () => fail(id, attempt, chance.pick(["boom", "final", "task/timeout"])),
      () => (chance.once(4) ? cancelTask(id) : { type: "task.start", data: { id, attempt } }),
      () => ({ type: "task.start", data: { id, attempt } }),
      () => ({ type: "task.idle", data: { id, attempt } }),
      () => ({ type: "task.wake", data: { id } }),
      () => ({ type: "task.settle", data: { id } }),
      () => ({ type: "task.assign", data: { id, link: "l0", agent: "a" } }),
      () => ({ type: "task.interrupt", data: { id, attempt, reason: "drawn" } }),
      () => ({ type: "task.reprioritize", data: { id, priority: chance.pick(PRIORITIES) } }),
      () => ({ type: "slot.release", data: { link: firstLink(), task: id, attempt } }),
      () =>
        chance.once(20) ? leave(firstLink(), chance.pick(["crashed", "killed"])) : join(`l${String(walk.now)}`, "a"),
      () => (chance.once(40) ? { type: "host.start", data: { epoch: 2 } } : { type: "task.settle", data: { id } }),
      () => (chance.once(40) ? { type: "task.extend", data: { by: 100 } } : { type: "task.wake", data: { id } }),
    ];
    return chance.pick(commands)();
  }
  return walk;
}

function drawOrder({ chance, stage, statuses, now }: Walk): TaskOptions {
  const { tasks, ends } = stage.state.tasks;
  const live = [...tasks.values()].map(({ id }) => id);
  const ended = endedIds(ends).slice(-20);
  const known = chance.shuffle([...live, ...(chance.once(3) ? ended : [])]).slice(0, 1 + chance.below(3));
  const soon = (): number => now + chance.below(3_000);
  return {
    retry: { maxAttempts: 1 + chance.below(3), base: 10, cap: 500, ...(chance.once(4) && { except: ["final"] }) },
    timeout: 1 + chance.below(2_000),
    ...(chance.once(3) && {
      timeouts: {
        ...(chance.once(2) && { queue: 1 + chance.below(1_000) }),
        ...(chance.once(2) && { total: 1 + chance.below(4_000) }),
        ...(chance.once(2) && { idle: 1 + chance.below(1_000) }),
      },
    }),
    ...(chance.once(5) && { startAt: soon() }),
    ...(chance.once(6) && { deadline: soon(), onDeadline: chance.pick(["continue", "fail", "escalate"]) }),
    ...(chance.once(8) && { idempotency: { key: `k${String(chance.below(3))}`, window: 1 + chance.below(2_000) } }),
    ...(chance.once(3) &&
      statuses.size > 0 &&
      known.length > 0 && {
        after: {
          tasks: known,
          when: chance.pick(["all", "any", "done", 1, 2] as const),
          otherwise: chance.pick(["fail", "skip"]),
        },
      }),
  };
}

/** Checks the change of the task that a fact is about, and notes it. */
function note({ stage, statuses, seen }: Walk, { type, data }: Fact): void {
  if (!type.startsWith("task.")) return;
  const { id } = data as { readonly id: string };
  const before = statuses.get(id);
  const after = stage.state.tasks.tasks.get(id)?.status ?? archivedStatus(stage, id);
  const change = `${before ?? "new"} → ${after}`;
  if (before === undefined) assert.ok(FIRST_STATUSES.includes(after), `${type}: ${change}`);
  else if (before !== after) assert.ok(TRANSITIONS[before].includes(after), `${type}: ${change}`);
  else assert.ok(!isFinal(before), `${type} happened to a task that is ${before}`);
  const { cause } = data as { readonly cause?: string };
  if (cause !== undefined) checkHopeless(stage, statuses, id);
  if (before !== after) seen.set(change, (seen.get(change) ?? 0) + 1);
  statuses.set(id, after);
}

/** A task that is given up for what came before it had no hope left. */
function checkHopeless({ finished }: Stage, statuses: Walk["statuses"], id: string): void {
  const { after } = JSON.parse(finished.findLast((row) => row.id === id)?.text ?? "null") as Task;
  const { tasks = [], when = "all" } = after ?? {};
  const lost = tasks.filter((one) => isFinal(statuses.get(one) ?? "queued") && statuses.get(one) !== "completed");
  const needed = when === "all" ? tasks.length : when === "any" ? 1 : Number(when);
  assert.ok(tasks.length - lost.length < needed, `${id} was given up too early`);
}

function archivedStatus({ finished }: Stage, id: string): TaskStatus {
  const text = finished.findLast((row) => row.id === id)?.text;
  assert.ok(text !== undefined, `${id} is neither live nor archived`);
  return (JSON.parse(text) as Task).status;
}

/** What the plainest reckoning says of the live tasks. */
function check({ stage, statuses, orders, now }: Walk): void {
  const { tasks, gates, dependents } = stage.state.tasks;
  let next = Infinity;
  let [pending, edges] = [0, 0];
  for (const task of tasks.values()) {
    const { createdAt, timeouts, deadline = Infinity, late, dueAt = Infinity, status, after, startAt = 0 } = task;
    next = Math.min(next, dueAt, late ? Infinity : deadline, createdAt + (timeouts?.total ?? Infinity));
    if (status === "waiting") assert.ok(startAt > now - 60);
    if (status === "assigned" || status === "running") assert.ok(startAt <= now);
    if (!after) continue;
    const ends = after.tasks.map((id) => statuses.get(id)).filter((one) => one !== undefined && isFinal(one));
    const good = ends.filter((one) => one === "completed").length;
    const { when = "all" } = orders.get(task.id)?.after ?? {};
    const needed = when === "all" ? after.tasks.length : when === "any" ? 1 : when;
    const passed = needed === "done" ? ends.length === after.tasks.length : good >= needed;
    assert.equal(status !== "pending", passed, `${task.id} is ${status}, ${String(when)}: ${JSON.stringify(ends)}`);
    if (status !== "pending") continue;
    pending++;
    edges += after.tasks.length;
    assert.ok(needed === "done" || good + after.tasks.length - ends.length >= needed, "it would wait for ever");
  }
  assert.equal(stage.due.get("task.wake")?.next(), next === Infinity ? undefined : next);
  assert.equal(gates.size, pending);
  assert.equal(
    [...dependents.values()].reduce((sum, { size }) => sum + size, 0),
    edges,
  );
}

describe(`the table of a task's statuses (seed ${String(seed)})`, () => {
  it("is walked wholly, and never left, by any sequence of commands", (context) => {
    const walk = createWalk(createChance(seed));
    for (let step = 0; step < STEPS; step++) {
      walk.step();
      check(walk);
      const ended = walk.stage.finished.splice(0, Math.max(0, walk.stage.finished.length - 500));
      for (const { text } of ended) checkEnd(JSON.parse(text) as Task);
    }
    const { seen } = walk;
    const all = [
      ...FIRST_STATUSES.map((to) => `new → ${to}`),
      ...Object.entries(TRANSITIONS).flatMap(([from, targets]) => targets.map((to) => `${from} → ${to}`)),
    ];
    const least = Math.min(...all.map((change) => seen.get(change) ?? 0));
    context.diagnostic(`${String(walk.statuses.size)} tasks; the rarest change was seen ${String(least)} times`);
    assert.deepEqual(
      all.filter((change) => STEPS >= 120_000 && !seen.has(change)), // fewer steps needn't come by all
      [],
      "each of the table happens",
    );
    assert.deepEqual(
      [...seen.keys()].filter((change) => !all.includes(change)),
      [],
    );
  });

  it("is the one in the documentation", () => {
    const text = readFileSync(new URL("../../../docs/tasks.md", import.meta.url), "utf8");
    for (const [from, targets] of Object.entries(TRANSITIONS)) {
      const row = new RegExp(`^\\| \`${from}\` +\\|.*\\| ([^|]*?) +\\|$`, "mu").exec(text)?.[1] ?? "no row";
      const named = [...row.matchAll(/`([\w-]+)`/gu)].map(([, status]) => status);
      assert.deepEqual(named.sort(), [...targets].sort(), from);
    }
  });
});

function checkEnd(task: Task): void {
  const { status, error, finishedAt, alias, attempts = [] } = task;
  assert.ok(isFinal(status) && finishedAt !== undefined);
  if (status === "timed-out") assert.ok(TIMEOUTS.includes(error?.code ?? ""));
  if (status === "failed") assert.ok(error && (error.name !== "TimeoutError" || !TIMEOUTS.includes(error.code)));
  if (status === "skipped") assert.ok(alias !== undefined || error?.code === "task/skipped");
  assert.ok(attempts.length <= 20 && attempts.every(({ startedAt = 0, endedAt }) => startedAt <= endedAt));
}
