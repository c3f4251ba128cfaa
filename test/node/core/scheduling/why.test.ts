/** What `whyWaiting` says, held against the scheduler: it may never be false. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { matches } from "../../../../src/core/agents/matching.ts";
import type { CoreFact } from "../../../../src/core/runtime.ts";
import { explainMatch, whyWaiting, type Waiting } from "../../../../src/core/scheduling/why.ts";
import type { Task } from "../../../../src/core/tasks/task.ts";
import { createChance, roundsOf, seedOf } from "../chance.ts";
import { registerAgent } from "../things.ts";
import { createLife } from "./life.ts";
import { createModel } from "./model.ts";
import { createYard, freeLinksFor, fullLimit, type Yard } from "./yard.ts";

const STEPS = roundsOf(100_000);
const seed = seedOf(4_242);

/** Starts all that can start now; gives their ids. */
function startAll(yard: Yard, onStart: (task: Task) => void = () => undefined): string[] {
  const ids: string[] = [];
  for (let request = yard.scheduler.next(yard.now); request; request = yard.scheduler.next(yard.now)) {
    const { id, link, agent } = request.data as { id: string; link: string; agent: string };
    const task = yard.state.tasks.tasks.get(id);
    assert.ok(task);
    const { limits } = task;
    const attempt = task.attempt + 1;
    onStart(task);
    yard.tell({
      type: "task.assigned",
      data: { id, attempt, link, agent, dueAt: yard.now + 1, ...(limits && { limits }) },
    });
    ids.push(id);
  }
  return ids;
}

function why({ state, scheduler, now }: Yard, id: string): Waiting | undefined {
  return whyWaiting(state, scheduler.index, id, now);
}

/** The obstacle that was named is taken away in a copy: then the task starts there, or something else is in its way. */
function checkCounterfactual(yard: Yard, task: Task, told: Waiting): void {
  const copy = createYard();
  copy.now = yard.now;
  Object.assign(copy, { state: yard.state });
  copy.restart(); // from a snapshot: the state is its own now
  assert.equal(copy.scheduler.next(copy.now), undefined);
  const before = JSON.stringify(why(copy, task.id));
  assert.equal(before, JSON.stringify(told), "a rebuilt index says the same");
  for (const fact of removal(yard, task, told)) copy.tell(fact);
  const started = startAll(copy);
  if (!started.includes(task.id)) assert.notEqual(JSON.stringify(why(copy, task.id)), before, JSON.stringify(told));
}

function removal(yard: Yard, task: Task, told: Waiting): CoreFact[] {
  const helper = registerAgent("helper", { capabilities: task.capabilities.slice(), slots: 1_000 });
  const registered = { type: "agent.registered", data: helper.data } as CoreFact;
  const joined = (agent: string): CoreFact => ({
    type: "link.joined",
    data: { link: "new", agent, session: "page", slots: 1_000 },
  });
  switch (told.reason) {
    case "capability":
      return [registered];
    case "offline":
      return [joined(told.agents[0] ?? "")];
    case "capacity":
      return [registered, joined("helper@1.0.0")];
    case "limit":
      return [{ type: "limit.removed", data: { name: told.limit } }];
    case "retry":
      return [{ type: "task.queued", data: { id: task.id } }];
    default:
      return assert.fail(`${told.reason}: ${JSON.stringify(yard.state.limits.limits.size)}`);
  }
}

function checkTrue(yard: Yard, task: Task, told: Waiting, limit: string | undefined): void {
  const { agents } = yard.state;
  const able = [...agents.agents.values()].filter((agent) => matches(agent, task)).map(({ id }) => id);
  const links = [...agents.links.values()].filter(({ agent }) => able.includes(agent));
  switch (told.reason) {
    case "running":
      assert.equal(told.agent, task.agent);
      return;
    case "retry":
      assert.ok(task.status === "retrying" && told.at === task.dueAt);
      return;
    case "capability":
      assert.deepEqual(able, []);
      for (const { lacks, agent } of told.nearest)
        for (const lack of lacks) {
          if (lack.kind === "capability") assert.ok(!agents.agents.get(agent)?.capabilities.includes(lack.name));
          else assert.ok(lack.kind === "constraint" && lack.name === "exclude");
        }
      return;
    case "offline":
      assert.ok(links.length === 0 && told.agents.every((one) => able.includes(one)) && able.length > 0);
      return;
    case "limit":
      assert.ok(limit?.startsWith(`${told.limit}|`), `${told.limit} isn't full`);
      return;
    case "capacity":
      assert.deepEqual(freeLinksFor(yard.state, task), []);
      for (const { id, taken, slots } of told.agents) {
        const own = links.filter(({ agent }) => agent === id);
        assert.equal(taken, own.reduce((sum, { held }) => sum + held, 0)); // prettier-ignore
        assert.equal(slots, own.reduce((sum, one) => sum + one.slots, 0)); // prettier-ignore
      }
      return;
    default:
      assert.fail(`${told.reason} can't be here`);
  }
}

describe(`whyWaiting (seed ${String(seed)})`, () => {
  it("names one true obstacle for every live task; without it the task starts, or meets another one", () => {
    const chance = createChance(seed);
    const yard = createYard();
    const model = createModel(yard);
    const live = createLife(chance, yard, model);
    const counts = new Map<string, number>();
    for (let step = 0; step < STEPS; step++) {
      live();
      yard.now += chance.once(3) ? 1 + chance.below(300) : 1;
      startAll(yard, (task) => {
        model.started(task, task.attempt + 1);
      });
      model.settle();
      if (step % 40 > 0) continue;
      for (const task of yard.state.tasks.tasks.values()) {
        const told = why(yard, task.id);
        assert.ok(told && told.task === task.id && told.text.length > 0);
        checkTrue(yard, task, told, fullLimit(yard, model.ledger, task));
        counts.set(told.reason, (counts.get(told.reason) ?? 0) + 1);
        if (told.reason !== "running" && chance.once(80)) checkCounterfactual(yard, task, told);
      }
      assert.equal(why(yard, "nothing"), undefined);
    }
    for (const reason of ["running", "retry", "capability", "offline", "limit", "capacity"])
      assert.ok((counts.get(reason) ?? 0) > STEPS / 1_000, `${reason}: ${JSON.stringify([...counts])}`);
  });

  it("tells when the bucket has a token again, and the task starts at that moment and not before", () => {
    const yard = createYard();
    const { data } = registerAgent("a", { slots: 10 });
    yard.tell({ type: "agent.registered", data });
    yard.tell({ type: "link.joined", data: { link: "l", agent: "a@1.0.0", session: "page", slots: 10 } });
    yard.tell({ type: "limit.set", data: { name: "api", rate: { count: 3, per: 1_000, burst: 1 }, perKey: true } });
    for (const id of ["t1", "t2"]) yard.tell(created(id, { limits: [{ limit: "api", key: "k" }] }));
    assert.deepEqual(startAll(yard), ["t1"]);
    const told = why(yard, "t2");
    assert.ok(told?.reason === "limit" && told.key === "k" && told.freesAt === yard.now + 334, JSON.stringify(told));
    assert.equal(yard.scheduler.nextDue(), told.freesAt);
    yard.now = told.freesAt - 1;
    assert.deepEqual(startAll(yard), []);
    yard.now++;
    assert.deepEqual(startAll(yard), ["t2"]);
  });

  it("tells of every agent how it fits, or what it lacks", () => {
    const yard = createYard();
    for (const [name, capabilities] of Object.entries({ a: ["x", "y"], b: ["x"], c: [] as string[] })) {
      const registered = registerAgent(name, { capabilities });
      yard.tell({ type: "agent.registered", data: registered.data });
    }
    const found = explainMatch(yard.state, { capabilities: ["x"], optional: ["y"], agents: { exclude: ["b"] } });
    assert.deepEqual(
      found.map(({ agent, matches, tier, optional, lacks, wouldMatchIf }) => [
        agent,
        matches ? [tier, optional] : [lacks, wouldMatchIf],
      ]),
      [
        ["a@1.0.0", [24, ["y"]]],
        ["b@1.0.0", [[{ kind: "constraint", name: "exclude", wanted: ["b"] }], `would match if exclude weren't ["b"]`]],
        ["c@1.0.0", [[{ kind: "capability", name: "x" }], "would match if it had x"]],
      ],
    );
  });
});

function created(id: string, more: object): CoreFact {
  const retry = { maxAttempts: 1, base: 1, factor: 1, cap: 1, jitter: "none" };
  const data = { id, capabilities: ["work"], priority: "medium", retry, timeout: 1, input: "1", ...more };
  return { type: "task.created", data } as CoreFact;
}
