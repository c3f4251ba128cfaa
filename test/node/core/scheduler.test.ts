/** The scheduler against a walk over the whole state, at every start. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Agent, Link } from "../../../src/core/agents/agent.ts";
import { applyEvent, createState, type CoreFact, type CoreState } from "../../../src/core/runtime.ts";
import { createScheduler, type Scheduler } from "../../../src/core/scheduling/scheduler.ts";
import { PRIORITIES } from "../../../src/core/tasks/priority.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import { createChance, seedOf, type Chance } from "./chance.ts";
import { frozenKit, openWorld, START } from "./kit.ts";
import { createTask, join, registerAgent } from "./things.ts";

const STEPS = 120_000;
const seed = seedOf(77);

interface Yard {
  readonly state: CoreState;
  readonly scheduler: Scheduler;
  tell(fact: CoreFact): void;
}

function createYard(): Yard {
  const state = createState(frozenKit([]));
  const scheduler = createScheduler(state);
  const follow = scheduler.follow as Readonly<Record<string, ((data: unknown) => void) | undefined>>;
  return {
    state,
    scheduler,
    tell(fact) {
      applyEvent(state, { ...fact, at: START });
      follow[fact.type]?.(fact.data);
    },
  };
}

function isCapable({ capabilities }: Agent, task: Task): boolean {
  return task.capabilities.every((one) => capabilities.includes(one));
}

function freeLinksFor({ agents }: CoreState, task: Task): Link[] {
  return [...agents.links.values()].filter(({ agent: name, held, slots }) => {
    const agent = agents.agents.get(name);
    return agent !== undefined && held < slots && isCapable(agent, task);
  });
}

function startable(state: CoreState): Task[] {
  const rank = ({ priority }: Task): number => PRIORITIES.indexOf(priority);
  return [...state.tasks.tasks.values()]
    .filter((task) => task.status === "queued" && freeLinksFor(state, task).length > 0)
    .sort((a, b) => rank(a) - rank(b) || a.order - b.order);
}

/** Starts what can be started, and checks each start. */
function startAll({ state, scheduler, tell }: Yard): number {
  let started = 0;
  for (let request = scheduler.next(); request; request = scheduler.next()) {
    const { id, link, agent } = request.data as { id: string; link: string; agent: string };
    const [best] = startable(state);
    assert.equal(id, best?.id, "the best startable task starts");
    assert.ok(best && freeLinksFor(state, best).some((one) => one.id === link && one.agent === agent));
    tell({ type: "task.assigned", data: { id, attempt: best.attempt + 1, link, agent, dueAt: START + 1 } });
    started++;
  }
  assert.deepEqual(startable(state), [], "nothing waits while a capable slot is free");
  return started;
}

function checkAgainstRebuilt({ state, scheduler }: Yard): void {
  const rebuilt = createScheduler(state);
  const counted = ({ waiting }: Scheduler): [string, number][] =>
    [...waiting()].filter(([, count]) => count > 0).sort();
  assert.deepEqual(counted(scheduler), counted(rebuilt));
  assert.equal((scheduler.next()?.data as Task | undefined)?.id, (rebuilt.next()?.data as Task | undefined)?.id);
}

const CAPABILITIES = ["a", "b", "c", "d"];

/** Draws the next facts of a random life: agents come, change and go, tasks end in every way. */
function createLife(chance: Chance, { state, tell }: Yard): () => void {
  let count = 0;
  const some = (): string[] => chance.shuffle(CAPABILITIES).slice(0, 1 + chance.below(3));
  const agentName = (): string => `agent${String(chance.below(6))}`;
  const agentIdOf = (): string => `${agentName()}@1.0.0`;
  const held = (status: Task["status"]): Task | undefined => {
    const tasks = [...state.tasks.tasks.values()].filter((task) => task.status === status);
    return tasks.length > 0 ? chance.pick(tasks) : undefined;
  };
  const end = ({ id, attempt, link = "" }: Task): CoreFact => {
    const error = { name: "Error", message: "boom", code: "boom" };
    const key = { id, attempt, link };
    switch (chance.below(5)) {
      case 0:
        return { type: "task.failed", data: { ...key, error } };
      case 1:
        return {
          type: "task.failed",
          data: { ...key, error, retryAt: START + 1, ...(chance.once(2) && { held: true }) },
        };
      case 2:
        return { type: "task.interrupted", data: { ...key, reason: "drawn" } };
      case 3:
        return { type: "task.cancelled", data: { id, attempt, reason: "drawn", running: true } };
      default:
        return { type: "task.completed", data: { ...key, output: "1" } };
    }
  };
  const leave = (link: Link): void => {
    const holdings = [...state.agents.holdings.values()].filter((one) => one.link === link.id);
    const cause = chance.pick(["crashed", "page-gone"] as const);
    const pairs = holdings.map(({ task, attempt }) => [task, attempt] as const);
    tell({ type: "link.left", data: { link: link.id, agent: link.agent, cause, holdings: pairs } });
    for (const { task: id, attempt } of holdings) {
      const task = state.tasks.tasks.get(id);
      if (task?.status === "assigned" && task.attempt === attempt) tell(end(task));
    }
  };
  const draws: readonly (readonly [weight: number, act: () => void])[] = [
    [
      30,
      () => {
        const id = `t${String(++count)}`;
        const retry = { maxAttempts: 3, base: 1, factor: 1, cap: 1, jitter: "none" } as const;
        const data = { id, capabilities: some(), priority: chance.pick(PRIORITIES), retry, timeout: 1, input: "1" };
        if (state.tasks.tasks.size < 60) tell({ type: "task.created", data });
      },
    ],
    [
      30,
      () => {
        const task = held("assigned");
        if (task) tell(end(task));
      },
    ],
    [
      6,
      () => {
        const task = held("retrying");
        if (task) tell({ type: "task.queued", data: { id: task.id } });
      },
    ],
    [
      4,
      () => {
        const { id, attempt } = held("queued") ?? {};
        if (id !== undefined && attempt !== undefined)
          tell({ type: "task.cancelled", data: { id, attempt, reason: "drawn", running: false } });
      },
    ],
    [
      8,
      () => {
        const over = [...state.agents.holdings.values()].filter(
          ({ task, attempt }) => state.tasks.tasks.get(task)?.attempt !== attempt || held("assigned")?.id !== task,
        );
        const one = over.find(({ task, attempt }) => {
          const now = state.tasks.tasks.get(task);
          return now?.status !== "assigned" || now.attempt !== attempt;
        });
        if (one) tell({ type: "slot.released", data: { link: one.link, task: one.task, attempt: one.attempt } });
      },
    ],
    [
      5,
      () => {
        const [agent, link] = [agentIdOf(), `link${String(chance.below(12))}`];
        const slots = state.agents.agents.get(agent)?.slots;
        if (slots !== undefined && !state.agents.links.has(link))
          tell({ type: "link.joined", data: { link, agent, session: "page", slots } });
      },
    ],
    [
      4,
      () => {
        const links = [...state.agents.links.values()];
        if (links.length > 0) leave(chance.pick(links));
      },
    ],
    [
      4,
      () => {
        const registered = registerAgent(agentName(), { capabilities: some(), slots: 1 + chance.below(3) });
        tell({ type: "agent.registered", data: registered.data });
      },
    ],
    [
      1,
      () => {
        const id = agentIdOf();
        if (state.agents.agents.has(id)) tell({ type: "agent.unregistered", data: { id, mode: "kill" } });
      },
    ],
    [
      0.05,
      () => {
        const running = [...state.tasks.tasks.values()].filter(({ status }) => status === "assigned");
        tell({ type: "host.started", data: { epoch: 1 } });
        for (const { id, attempt, link = "" } of running)
          tell({ type: "task.interrupted", data: { id, attempt, link, reason: "restart" } });
      },
    ],
  ];
  const whole = draws.reduce((sum, [weight]) => sum + weight, 0);
  return () => {
    let place = chance.next() * whole;
    for (const [weight, act] of draws) {
      place -= weight;
      if (place < 0) {
        act();
        return;
      }
    }
  };
}

describe(`the scheduler (seed ${String(seed)})`, () => {
  it("always starts the best task that can start, never leaves one waiting beside a free capable slot, and never overbooks", () => {
    const chance = createChance(seed);
    const yard = createYard();
    const live = createLife(chance, yard);
    let started = 0;
    for (let step = 0; step < STEPS; step++) {
      live();
      if (step % 50 === 0) checkAgainstRebuilt(yard);
      if (chance.once(3_000)) yard.scheduler.rebuild();
      started += startAll(yard);
      for (const { held, slots } of yard.state.agents.links.values()) assert.ok(held >= 0 && held <= slots);
    }
    assert.ok(started > STEPS / 8, `only ${String(started)} starts: the test has lost its point`);
  });

  it("hands equal work to equal workers in turn", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { slots: 2 }), join("l1", "a"), join("l2", "a"), join("l3", "a"));
    await world.submit(...["t1", "t2", "t3", "t4", "t5", "t6"].map((id) => createTask(id)));
    const links = [...world.mirror.tasks.tasks.values()].map(({ link }) => link);
    assert.deepEqual(links, ["l1", "l2", "l3", "l1", "l2", "l3"]);
  });

  it("starts waiting tasks at once when an agent is registered anew with what they need", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { capabilities: ["other"] }), join("l1", "a"), createTask("t1"));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "queued");
    await world.submit(registerAgent("a", { capabilities: ["other", "work"], replace: true }));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "assigned");
  });

  it("needs all capabilities of a task in one agent", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { capabilities: ["x"] }), join("l1", "a"));
    await world.submit(registerAgent("b", { capabilities: ["y"] }), join("l2", "b"));
    await world.submit(createTask("t1", { capabilities: ["x", "y"] }));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "queued");
    assert.deepEqual([...world.engine.scheduler.waiting()], []);
    await world.submit(registerAgent("c", { capabilities: ["y", "z", "x"] }), join("l3", "c"));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.link, "l3");
  });

  it("is not fooled by a capability whose name holds the end of a line", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { capabilities: ["x", "y"] }), join("l1", "a"));
    await world.submit(createTask("t1", { capabilities: ["x", "y"] }), createTask("t2", { capabilities: ["x\ny"] }));
    await world.submit(join("l2", "a"));
    assert.equal(world.mirror.tasks.tasks.get("t2")?.status, "queued");
  });

  it("stays quick when tasks came with very many different capabilities", () => {
    const { tell, scheduler } = createYard();
    const retry = { maxAttempts: 1, base: 1, factor: 1, cap: 1, jitter: "none" } as const;
    for (let at = 0; at < 20_000; at++) {
      const id = `t${String(at)}`;
      const data = { id, capabilities: [`rare${String(at)}`], retry, timeout: 1, input: "1" };
      tell({ type: "task.created", data: { ...data, priority: "low" } });
      assert.equal(scheduler.next(), undefined);
      tell({ type: "task.cancelled", data: { id, attempt: 0, reason: "gone", running: false } });
    }
  });
});
