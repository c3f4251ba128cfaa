/**
 * What the document claims, of the core alone: the engine over a journal in memory, in Node and in every browser. What
 * pages and storage add is measured in `bench/page/document.ts`.
 */
import type { Requirement } from "../../src/core/tasks/requirement.ts";
import { explainMatch } from "../../src/core/scheduling/why.ts";
import type { CoreCommand } from "../../src/core/runtime.ts";
import { createMailDesk } from "../../src/workers/mail.ts";
import { complete, createTask, registerWorkflow, serve, startExecution } from "../../test/node/core/things.ts";
import { demand, percentile, told, type Benchmark, type Contender, type Figure, type Scale } from "../page/measure.ts";
import { CLAIMS, scalesOf, timesOf } from "./claims.ts";
import { capability, layered, openCore, type Core } from "./core.ts";
import { lookOver } from "./health.ts";

type Ours = Contender["round"];

export function engineDocument({ quick }: Scale): Benchmark[] {
  const times = quick ? 50 : 500;
  const each = (name: keyof typeof CLAIMS, what: string, open: (count: number) => Promise<Ours>): Benchmark[] =>
    scalesOf(name, quick).map((count) => of(timesOf(name, `${what}, the core alone`, count), () => open(count)));
  return [
    ...each("assignment", "assignment", (agents) => assignment(agents, times)),
    ...each("start", "a run's start to its first attempt", (nodes) => start(nodes, quick ? 5 : 40)),
    ...scalesOf("messages", quick).map((offered) => messages(offered, quick ? 0.5 : 2)),
    ...each("discovery", "discovery", (agents) => discovery(agents, times)),
    ...scalesOf("metrics", quick).map((watched) => metrics(watched, times)),
    ...each("health", "a look over everything", (agents) => health(agents, quick ? 20 : 100)),
  ];
}

function of(figures: readonly Figure[], open: () => Promise<Ours>): Benchmark {
  return {
    name: figures[0]?.figure ?? "",
    figures,
    open: async () => [{ name: "ours", role: "ours", round: await open() }],
  };
}

const since = (started: number): number => performance.now() - started;

/** A task is created, and it is in the journal which worker has it. */
async function assignment(agents: number, times: number): Promise<Ours> {
  const core = await openCore({ agents });
  let count = 0;
  return told(times, async () => {
    const id = `t${String(++count)}`;
    const started = performance.now();
    await core.submit(createTask(id, { capabilities: [capability(count)] }));
    const took = since(started);
    demand(core.engine.state.tasks.tasks.get(id)?.status === "assigned", "an agent for the task");
    await core.submit(complete(id, 1));
    return took;
  });
}

/** A run is started, and it is in the journal who has its first node. */
async function start(nodes: number, times: number): Promise<Ours> {
  const core = await openCore();
  await core.submit(...serve("a", { slots: 100_000 }), registerWorkflow(layered("graph", nodes, "work")));
  let count = 0;
  return told(times, async () => {
    const id = `r${String(++count)}`;
    const started = performance.now();
    await core.submit(startExecution(id, "graph"));
    const took = since(started);
    demand(core.engine.state.tasks.tasks.get(`${id}/n0`)?.status === "assigned", "an agent for the first node");
    await core.submit({ type: "execution.cancel", data: { id } });
    return took;
  });
}

/** So many messages a second are handed in as they come; each is delivered and acknowledged, and all that is in the journal. */
function messages(offered: number, seconds: number): Benchmark {
  const { claim, ...rest } = { ...CLAIMS.messages, claim: CLAIMS.messages.value };
  const what = "messages, the core alone";
  const place = (part: string) => ({ line: `${what}, ${part}`, over: rest.over, count: offered });
  const name = `${what}, ${offered.toLocaleString("en")} ${rest.over}`;
  return {
    name,
    figures: [
      { figure: `${name}, passed on`, unit: rest.unit, better: "more", claim, place: place("passed on") },
      { figure: `${name}, from sending to acknowledged, p50`, unit: "ms", better: "less", place: place("p50") },
      { figure: `${name}, from sending to acknowledged, p99`, unit: "ms", better: "less", place: place("p99") },
    ],
    open: async () => {
      const core = await openCore();
      return [{ name: "ours", role: "ours", round: () => pass(core, offered, seconds) }];
    },
  };
}

let boxes = 0;

async function pass(core: Core, offered: number, seconds: number): Promise<readonly number[]> {
  const desk = createMailDesk(core.engine);
  core.follow((events) => {
    desk.follow(events);
  });
  const recipient = `box${String(++boxes)}`;
  const times: number[] = [];
  const began = performance.now();
  let sent = 0;
  for (let passed = 0; passed < seconds * 1_000 || times.length < sent;) {
    passed = Math.min(since(began), seconds * 1_000);
    const due = Math.min(Math.round((passed * offered) / 1_000), times.length + 1_000);
    const at = performance.now();
    if (due > sent) await core.submit(...Array.from({ length: due - sent }, () => mail(recipient, sent++, at)));
    else await new Promise((resolve) => setTimeout(resolve, 0));
    const found = await desk.take("page:bench", { recipient, max: 1_000, wait: 0 });
    await core.submit(
      ...found.map(({ id, delivery }): CoreCommand => ({
        type: "mail.ack",
        data: { id, delivery, consumer: "page:bench" },
      })),
    );
    for (const { payload } of found) times.push(since((JSON.parse(payload) as { at: number }).at));
  }
  const rate = (sent * 1_000) / since(began);
  demand(!core.engine.state.mail.boxes.has(recipient), "every message answered");
  return [rate, percentile(times, 0.5), percentile(times, 0.99)];
}

function mail(recipient: string, n: number, at: number): CoreCommand {
  const payload = JSON.stringify({ status: "ok", at });
  const about = { id: `${recipient}-${String(n)}`, type: "status_update", sender: "bench" };
  return { type: "mail.send", data: { ...about, recipient, payload } };
}

/** All agents that can do what is asked, judged and in order, and the best for a task; one of them has just changed. */
async function discovery(agents: number, times: number): Promise<Ours> {
  const core = await openCore({ agents, mirrored: true });
  const { engine, discovery: page } = core;
  return told(times, async (at) => {
    const id = `agent${String((at >> 1) % agents)}@1.0.0`;
    await core.submit({ type: "agent.switch", data: { id, offline: at % 2 === 0 } });
    const wanted: Requirement = { capabilities: [capability(at)], optional: [capability(at + 1)] };
    const started = performance.now();
    const found = page.findAgentsByCapabilities(wanted.capabilities, wanted.optional);
    const best = page.findBestAgentForTask(wanted);
    const took = since(started);
    demand(best !== undefined && found[0] !== undefined, "agents");
    if (at > 3) return took;
    const able = explainMatch(engine.state, { capabilities: wanted.capabilities });
    const matching = able.filter(({ lacks }) => lacks.every(({ kind }) => kind === "closed")).length;
    demand(found.length === matching, "the same as by looking at everybody");
    return took;
  });
}

/**
 * All that the core does for a task from its creation to its end, its agent's statistics and the metrics that are watched
 * included: what the metrics cost is a part of it. Beside it the same when nobody watches any.
 */
function metrics(watched: number, times: number): Benchmark {
  const figures = timesOf("metrics", "a task with its metrics, the core alone", watched);
  return {
    name: figures[0]?.figure ?? "",
    figures,
    open: async () => {
      const [measured, plain] = [await openCore(), await openCore()];
      for (const core of [measured, plain]) await core.submit(...serve("a", { slots: 10 }));
      for (let at = 0; at < watched; at++) await measured.submit(...watch(`w${String(at)}`, 60_000 + at));
      const { meters } = measured.engine.state.tasks.meters;
      demand(meters.size === watched, "so many metrics");
      return [
        { name: "ours", role: "ours", round: await tasksOf(measured, times) },
        { name: "the same task, without metrics", role: "limit", round: await tasksOf(plain, times) },
      ];
    },
  };
}

function tasksOf(core: Core, times: number): Promise<Ours> {
  let count = 0;
  const seen = (): number => core.engine.state.agents.agents.get("a@1.0.0")?.statistics.completed ?? 0;
  return Promise.resolve(
    told(times, async () => {
      const id = `t${String(++count)}`;
      const started = performance.now();
      await core.submit(createTask(id));
      await core.submit(complete(id, 1));
      const took = since(started);
      demand(seen() === count, "a task that was counted");
      return took;
    }),
  );
}

/** A run that waits for what never comes true, over a window of its own. */
function watch(id: string, window: number): CoreCommand[] {
  const when = "metrics.ended < 0";
  const node = { id: "m", type: "monitor" as const, capability: "work", window, when, every: 60_000 };
  return [registerWorkflow({ id, nodes: [node] }), startExecution(`${id}-run`, id)];
}

async function health(agents: number, times: number): Promise<Ours> {
  const core = await openCore({ agents, mirrored: true });
  return told(times, async (at) => {
    const id = `agent${String((at >> 1) % agents)}@1.0.0`;
    await core.submit({ type: "agent.switch", data: { id, offline: at % 2 === 0 } });
    const started = performance.now();
    const found = lookOver(core.mirror.store.getState(), core.discovery);
    const took = since(started);
    demand(found.agents === agents, "everybody looked at");
    return took;
  });
}
