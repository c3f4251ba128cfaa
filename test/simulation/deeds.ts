/** What pages do, each thing held against what has to come of it. */
import type { Runtime } from "../../src/client/runtime.ts";
import { createChance, type Chance } from "../../src/testing/simulation/chance.ts";
import type { Page } from "../../src/testing/simulation/site.ts";
import { everything } from "../node/core/everything.ts";
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";
import { guarded, bulky, listen, makeLong, readAlong, setSecret, useSecret } from "./data.ts";
import { expect, isClosed, makeTask, startRun, expectMade, type Doing, type Stage } from "./expecting.ts";
import type { Deed } from "./plan.ts";

export function perform(stage: Stage, page: Page, { kind, salt, number }: Deed): void {
  const { runtime } = page;
  if (!runtime) return;
  const chance = createChance(salt);
  const doing: Doing = { stage, page, runtime, chance, number };
  const { made, stopped } = stage;
  const [task, run] = [made.tasks.at(-1 - chance.below(4)), made.runs.at(-1 - chance.below(3))];
  switch (kind) {
    case "task":
      makeTask(doing, {});
      return;
    case "chain":
      makeChain(doing);
      return;
    case "burst":
      for (let count = 0; count < 20; count++)
        makeTask(doing, { limits: [{ limit: "x", key: chance.pick(["k", "l"]) }] });
      return;
    case "alias":
      for (let count = 0; count < 2; count++)
        makeTask(doing, { idempotency: { key: `alias ${chance.below(2)}`, window: 3_000 } });
      return;
    case "run":
      startSure(doing);
      return;
    case "everything":
      startRun(doing, "everything", { items: [1, 2, 3].slice(0, chance.between(1, 3)) });
      return;
    case "vote":
      startRun(doing, "vote", { n: number });
      return;
    case "mail":
      sendMail(doing);
      return;
    case "cancel":
      if (task !== undefined && chance.often(0.5)) runtime.cancelTask(task);
      if (run !== undefined) runtime.cancelWorkflow(run);
      for (const one of [task, run]) if (one !== undefined) stopped.add(one);
      return;
    case "pause":
      if (run === undefined) return;
      stage.paused.add(run);
      runtime.pauseWorkflow(run, { interrupt: chance.often(0.5) });
      setTimeout(() => {
        runtime.resumeWorkflow(run);
      }, chance.below(2_000));
      return;
    case "limit":
      runtime.setLimit("x", { concurrency: chance.between(1, 4), perKey: chance.often(0.5) });
      return;
    case "message":
      expect(doing, "publish", [], runtime.publish("x", { n: number }, { ttl: 3_000 }));
      return;
    case "schedule":
      expect(doing, "schedule", [], setSchedule(doing));
      return;
    case "offline":
      runtime.setAgentOffline("a", true);
      setTimeout(() => {
        runtime.setAgentOffline("a", false);
      }, chance.below(3_000));
      return;
    case "unregister":
      unregister(doing);
      return;
    case "requeue":
      if (task !== undefined) doAgain(doing, "task", runtime.requeue(task));
      return;
    case "again":
      if (run !== undefined) doAgain(doing, "run", runtime.retryFrom(run));
      return;
    case "secret":
      useSecret(doing);
      return;
    case "long":
      makeLong(doing);
      return;
    case "along":
      readAlong(doing);
      return;
    case "timer":
      startRun(doing, "later", null);
      return;
    case "page":
      stage.openPage();
      return;
    case "leave":
      stage.leave(page);
  }
}

function makeChain(doing: Doing): void {
  const { chance } = doing;
  const ids: string[] = [];
  for (let count = chance.between(2, 6); count > 0; count--) {
    const before = ids.filter(() => chance.often(0.6));
    const when = chance.pick(["all", "any", "done"] as const);
    const otherwise = chance.pick(["fail", "skip"] as const);
    ids.push(makeTask(doing, before.length === 0 ? {} : { after: { tasks: before, when, otherwise } }));
  }
}

/** The agent goes, and comes back. */
function unregister({ runtime, chance }: Doing): void {
  const name = chance.pick(["a", "b", "c"]);
  runtime.unregisterAgent(`${name}@1.0.0`, chance.pick(["drain", "requeue", "kill"]));
  setTimeout(() => void offer(runtime, `/${name}.js`), chance.below(1_000));
}

/** What has ended is asked for once more; what lives, has succeeded or isn't known is refused. */
function doAgain(doing: Doing, what: "task" | "run", promise: Promise<string>): void {
  const codes = ["task/unknown", "task/finished", "execution/unknown", "execution/finished"];
  const made = promise.then((id) => {
    doing.stage.made[`${what}s`].push(id);
    expectMade(doing, what, id, what === "run" ? ["command/invalid"] : []); // nothing of it has failed
  });
  expect(doing, `${what} again`, codes, made);
}

function startSure(doing: Doing): void {
  const { stage, chance } = doing;
  const graph = chance.pick(stage.graphs);
  const x = chance.below(10);
  stage.sure.set(startRun(doing, graph.definition.id, { x }), graph.expected(x));
}

function sendMail(doing: Doing): void {
  const { runtime, chance, number, stage } = doing;
  for (let count = chance.between(1, 6); count > 0; count--) {
    const id = `m${number}.${count}`;
    const sending = runtime.sendMessage({
      id,
      type: "heartbeat",
      recipient: `box ${chance.below(2)}`,
      sender: "page",
      ...(chance.often(0.6) && { key: chance.pick(["k", "l"]) }),
      payload: { number, count },
      priority: chance.pick(["urgent", "high", "normal", "low"]),
      ttl: chance.pick([1_500, 10_000, 60_000]),
      ackWait: chance.between(300, 2_000),
      maxDeliveries: chance.between(1, 5),
      backoff: chance.below(500),
    });
    const acknowledged = sending.then(() => {
      stage.oracle.look();
      stage.oracle.claim(
        stage.oracle.mails.has(id),
        "acknowledged",
        () => `message ${id} is acknowledged, and isn't in the journal`,
      );
    });
    expect(doing, `message ${id}`, [], acknowledged);
  }
}

async function setSchedule({ runtime, chance, number, stage }: Doing): Promise<void> {
  const graph = chance.pick(stage.graphs);
  stage.schedules.add(`s${number}`);
  await runtime.schedule({
    id: `s${number}`,
    workflow: graph.definition.id,
    input: { x: chance.below(10) },
    cron: "*/3 * * * * *",
    overlap: chance.pick(["skip", "queue", "cancel-running", "allow"]),
    catchUp: chance.pick(["all", "one", "none"]),
    endAt: Date.now() + 7_000,
  });
}

/** What every page does from its beginning. */
export function settleIn(stage: Stage, page: Page, chance: Chance): void {
  const { runtime } = page;
  if (!runtime) return;
  const { oracle } = stage;
  const doing: Doing = { stage, page, runtime, chance, number: 0 };
  for (const definition of [
    ...stage.graphs.map((graph) => graph.definition),
    ...everything,
    votes,
    later,
    guarded,
    bulky,
  ])
    expect(doing, `workflow ${definition.id}`, [], runtime.settled(runtime.registerWorkflow(definition)));
  runtime.setLimit("x", { concurrency: 3 });
  for (const url of AGENTS) void offer(runtime, url);
  for (const name of ["s1", "s2"]) setSecret(doing, name);
  listen(doing);
  const ears = oracle.listener(page.process.name);
  if (chance.often(0.7)) {
    runtime.on("status", ears.again);
    runtime.on("event", (event) => {
      ears.hear(event as Parameters<typeof ears.hear>[0]);
    });
  }
  runtime.on("human_approval_request", ({ id }) => {
    for (const by of ["ann", "bob", "ann", "eve"])
      setTimeout(() => {
        runtime.answer(id, { approved: !chance.often(0.1), by });
      }, chance.below(2_500));
  });
  for (const box of ["box 0", "box 1"]) void readMail(runtime, box, chance);
}

/** Two different people have to agree. */
const votes: WorkflowInput = {
  id: "vote",
  nodes: [
    { id: "ask", type: "approval", message: "Go on?", payload: "input", need: 2, timeout: 4_000, onReject: "continue" },
  ],
  output: "nodes.ask.output.approved",
};

/** A timer that outlives hosts. */
const later: WorkflowInput = { id: "later", nodes: [{ id: "nap", type: "timer", for: 6_000 }] };

/** Paths of agents' scripts; the third has the second's capability, and isn't granted its secrets. */
export const AGENTS = ["/a.js", "/b.js", "/c.js"];

/** An agent is offered for as long as the page is there, whatever befalls its first worker. */
export async function offer(runtime: Runtime, url: string): Promise<void> {
  for (;;)
    try {
      await runtime.registerAgent({ url, trusted: true, workers: 3, secrets: url === "/b.js" ? ["s1", "s2"] : [] });
      return;
    } catch (error) {
      if (isClosed(error)) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
}

/** Takes messages and answers them: well, late, not at all, or twice. */
async function readMail(runtime: Runtime, box: string, chance: Chance): Promise<void> {
  for (;;) {
    try {
      for (const message of await runtime.messages.take(box, { max: chance.between(1, 3), wait: 5_000 })) {
        if (chance.often(0.1)) continue;
        await new Promise((resolve) => setTimeout(resolve, chance.below(chance.often(0.2) ? 2_500 : 100)));
        const answers = [message.ack, message.ack, message.ack, message.nak, message.extend, message.terminate];
        await Promise.allSettled([chance.pick(answers)(), ...(chance.often(0.1) ? [message.ack()] : [])]);
      }
    } catch (error) {
      if (isClosed(error)) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
