/**
 * What the document claims, as a page sees it: `connect`, the host in a SharedWorker, strict commits, a worker of an agent.
 * The core alone comes first (`bench/document/engine.ts`); metrics are measured there only, a page can't tell them apart.
 */
import { advise } from "../../src/advice.ts";
import { createDiscovery, type Discovery } from "../../src/discovery.ts";
import { connect, type Runtime } from "../../src/index.ts";
import { capability, layered } from "../document/core.ts";
import { CLAIMS, scalesOf, timesOf } from "../document/claims.ts";
import { engineDocument } from "../document/engine.ts";
import { lookOver } from "../document/health.ts";
import { openCrowd } from "./crowd.ts";
import { demand, percentile, told, type Benchmark, type Contender, type Scale } from "./measure.ts";
import { openOurs, type Ours } from "./ours.ts";

type Round = Contender["round"];

/** A runtime that knows so many agents; one has a worker. */
interface Place extends Ours {
  readonly discovery: Discovery;
  readonly ids: readonly string[];
}

const ASSETS = "/bench/dist/host/";
const since = (started: number): number => performance.now() - started;

export function document({ quick, rounds }: Scale): Benchmark[] {
  const run = String(Date.now());
  const places = new Map<number, Promise<Place>>();
  const among = (agents: number): Promise<Place> => {
    const place = places.get(agents) ?? openPlace(`document-${run}-${String(agents)}`, agents);
    places.set(agents, place);
    return place;
  };
  const each = (name: keyof typeof CLAIMS, what: string, open: (count: number) => Promise<Round>): Benchmark[] =>
    scalesOf(name, quick).map((count) => {
      const figures = timesOf(name, `${what}, in a page`, count);
      const contenders = async (): Promise<Contender[]> => [{ name: "ours", role: "ours", round: await open(count) }];
      return { name: figures[0]?.figure ?? "", figures, open: contenders };
    });
  const times = quick ? 20 : 200;
  return [
    ...engineDocument({ quick, rounds }),
    ...each("assignment", "assignment", async (agents) => assignment(await among(agents), times)),
    ...each("start", "a run's start to its first attempt", (nodes) => start(`start-${run}`, nodes, quick ? 5 : 30)),
    ...scalesOf("messages", quick).map((offered) => messages(offered, quick ? 0.5 : 2)),
    ...each("discovery", "discovery", async (agents) => discovery(await among(agents), times)),
    ...each("health", "a look over everything", async (agents) => health(await among(agents), quick ? 5 : 50)),
  ];
}

async function openPlace(name: string, agents: number): Promise<Place> {
  const ours = await openOurs(name, true, 1);
  const { runtime } = ours;
  await ours.tasks(10, 1); // its worker is up
  const { ids } = await openCrowd({ name, assets: ASSETS, count: agents - 1, shared: "echo" });
  await until(
    runtime,
    () => runtime.agents.size === agents && ids.every((id) => runtime.agents.get(id)?.status === "idle"),
  );
  return { ...ours, discovery: createDiscovery(runtime), ids };
}

function until({ store }: Runtime, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return;
      stop();
      resolve();
    };
    const stop = store.subscribe(look);
    look();
  });
}

/** From the call to the moment when the page hears that a worker has the task; that it is durable by then goes without saying. */
function assignment({ runtime }: Place, times: number): Round {
  return told(times, async (n) => {
    const started = performance.now();
    const id = runtime.createTask({ capabilities: ["echo"], input: { n } });
    const took = await heard(runtime, (task) => task === id, started);
    demand(((await runtime.result(id)) as { n: number }).n === n, "the task");
    return took;
  });
}

function heard(runtime: Runtime, isIt: (task: string) => boolean, started: number): Promise<number> {
  return new Promise((resolve) => {
    const stop = runtime.on("task.assigned", ({ id }) => {
      if (!isIt(id)) return;
      stop();
      resolve(since(started));
    });
  });
}

let starting: Promise<Ours> | undefined;

async function start(name: string, nodes: number, times: number): Promise<Round> {
  const { runtime, tasks } = await (starting ??= openOurs(name, true));
  await tasks(10, 1); // its worker is up
  const workflow = `graph-${String(nodes)}`;
  runtime.registerWorkflow(layered(workflow, nodes, "echo"));
  await runtime.settled(workflow);
  return told(times, async () => {
    const started = performance.now();
    const id = runtime.startWorkflow(workflow, { n: 1 });
    const took = await heard(runtime, (task) => task.startsWith(`${id}/`), started);
    runtime.cancelWorkflow(id);
    await runtime.result(id).catch(() => undefined); // it was cancelled
    return took;
  });
}

/** So many messages a second are handed in as they come; each is taken and acknowledged. */
function messages(offered: number, seconds: number): Benchmark {
  const { unit, over, value: claim } = CLAIMS.messages;
  const what = "messages, in a page";
  const name = `${what}, ${offered.toLocaleString("en")} ${over}`;
  const at = (part: string) => ({ line: `${what}, ${part}`, over, count: offered });
  return {
    name,
    figures: [
      { figure: `${name}, passed on`, unit, better: "more", claim, place: at("passed on") },
      { figure: `${name}, from sending to taken, p50`, unit: "ms", better: "less", place: at("p50") },
      { figure: `${name}, from sending to taken, p99`, unit: "ms", better: "less", place: at("p99") },
    ],
    open: async () => {
      const runtime = await connect({ name: `offered-${String(offered)}-${String(Date.now())}`, assets: ASSETS });
      let round = 0;
      return [{ name: "ours", role: "ours", round: () => pass(runtime, `box${String(++round)}`, offered, seconds) }];
    },
  };
}

/** A mailbox holds 10,000: who offers more than is taken waits here, and what it offers meanwhile is not passed on in time. */
const AHEAD = 4_000;

async function pass(runtime: Runtime, box: string, offered: number, seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const began = performance.now();
  let [sent, isOver, ended] = [0, false, began];
  const offer = async (): Promise<void> => {
    while (!isOver) {
      const passed = Math.min(since(began), seconds * 1_000);
      const due = Math.min(Math.round((passed * offered) / 1_000), times.length + AHEAD);
      for (; sent < due; sent++) {
        const payload = { status: "ok", at: performance.now() };
        void runtime.sendMessage({ type: "status_update", recipient: box, payload });
      }
      isOver = passed === seconds * 1_000;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const take = async (): Promise<void> => {
    while (!isOver || times.length < sent) {
      const some = await runtime.messages.take(box, { max: 1_000, wait: 200 });
      for (const { payload } of some) times.push(since((payload as { at: number }).at));
      await Promise.all(some.map((message) => message.ack()));
      if (some.length > 0) ended = performance.now();
    }
  };
  await Promise.all([offer(), take()]);
  demand(times.length === sent && sent > 0, "every message once");
  return [(sent * 1_000) / (ended - began), percentile(times, 0.5), percentile(times, 0.99)];
}

/** All agents that can do what is asked, judged and in order, and the best for a task; one of them has just changed. */
function discovery({ runtime, discovery: page, ids }: Place, times: number): Round {
  return told(times, async (at) => {
    const id = ids[(at >> 1) % ids.length] ?? "";
    runtime.setAgentOffline(id, at % 2 === 0); // and on again
    await runtime.settled(id);
    const wanted = { capabilities: [capability(at)], optional: [capability(at + 1)] };
    const started = performance.now();
    const found = page.findAgentsByCapabilities(wanted.capabilities, wanted.optional);
    const best = page.findBestAgentForTask(wanted);
    const took = since(started);
    demand(best !== undefined, "an agent");
    const able = [...runtime.agents.values()].filter((one) => one.capabilities.includes(capability(at)));
    demand(found.length === able.length, "the same as by looking at everybody");
    return took;
  });
}

/** Every agent, task and run in the mirror, and what host and storage say: advice from the latest 2,000 finished tasks. */
async function health({ runtime, discovery: page, tasks }: Place, times: number): Promise<Round> {
  await tasks(2_000, 500);
  const agents = runtime.agents.size;
  return told(times, async () => {
    const started = performance.now();
    const found = lookOver(runtime.store.getState(), page);
    const advice = await advise(runtime);
    const took = since(started);
    demand(found.agents === agents && advice.length > 0, "everybody looked at");
    return took;
  });
}
