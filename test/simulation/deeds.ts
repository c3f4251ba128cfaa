/** What pages do, each thing held against what has to come of it. */
import type { Runtime } from "../../src/client/runtime.ts";
import { RuntimeError } from "../../src/core/errors.ts";
import { createChance, type Chance } from "../../src/testing/simulation/chance.ts";
import type { Oracle } from "../../src/testing/simulation/oracle/oracle.ts";
import type { Page } from "../../src/testing/simulation/site.ts";
import { everything } from "../node/core/everything.ts";
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";
import type { Graph } from "./graphs.ts";
import type { Deed } from "./plan.ts";

/** What is known of all pages. */
export interface Stage {
  readonly oracle: Oracle;
  readonly graphs: readonly Graph[];
  /** Promises that pages wait for, and what they are about. */
  readonly open: Map<symbol, { readonly page: Page; readonly about: string }>;
  /** Runs whose output is known beforehand. */
  readonly sure: Map<string, Record<string, number | null>>;
  /** What was acknowledged to a page: it must never be gone. */
  readonly acknowledged: Set<string>;
  /** Tasks and runs that somebody has tried to stop. */
  readonly stopped: Set<string>;
  /** Runs that were paused: by a page that may be gone before it resumes them. */
  readonly paused: Set<string>;
  readonly schedules: Set<string>;
  /** Numbers of deeds that are still to be done. */
  readonly due: Set<number>;
  readonly made: { readonly tasks: string[]; readonly runs: string[] };
  openPage(): void;
  leave(page: Page): void;
}

interface Doing {
  readonly stage: Stage;
  readonly page: Page;
  readonly runtime: Runtime;
  readonly chance: Chance;
  readonly number: number;
}

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

type TaskOptions = Omit<Parameters<Runtime["createTask"]>[0], "capabilities">;

function makeTask(doing: Doing, more: TaskOptions): string {
  const { stage, runtime, chance, number } = doing;
  const id = runtime.createTask({
    capabilities: [chance.pick(["a", "b"])],
    input: { number, salt: chance.below(1_000) },
    priority: chance.pick(["low", "medium", "high", "critical"]),
    retry: { maxAttempts: chance.between(1, 5), base: 50, cap: 500 },
    timeout: chance.between(1_500, 5_000),
    ...(chance.often(0.2) && { timeouts: { idle: 1_200 } }),
    ...(chance.often(0.2) && { timeouts: { total: chance.between(1_000, 20_000) } }),
    ...(chance.often(0.2) && { startAt: Date.now() + chance.below(5_000) }),
    ...(chance.often(0.2) && { limits: [{ limit: "x", key: "k" }] }),
    ...more,
  });
  stage.made.tasks.push(id);
  expectMade(doing, "task", id, "after" in more ? ["task/dependency-unknown"] : []);
  return id;
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
  const name = chance.pick(["a", "b"]);
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

function startRun(doing: Doing, workflow: string, input: unknown): string {
  const id = doing.runtime.startWorkflow(workflow, input);
  doing.stage.made.runs.push(id);
  expectMade(doing, "run", id, []);
  return id;
}

/** What is acknowledged is durable, and stays; what is refused isn't there. Its result is what the journal says. */
function expectMade(doing: Doing, what: "task" | "run", id: string, codes: readonly string[]): void {
  const { stage, runtime, page, number } = doing;
  const { oracle } = stage;
  const isThere = (): boolean => {
    oracle.look();
    return what === "task" ? oracle.tasks.has(id) || oracle.aliases.has(id) : oracle.runs.has(id);
  };
  expect(
    doing,
    `${what} ${id} is durable`,
    codes,
    runtime.settled(id).then(() => {
      oracle.claim(
        isThere(),
        "acknowledged",
        () => `${what} ${id} of deed ${number} is acknowledged, and isn't in the journal`,
      );
      stage.acknowledged.add(id);
    }),
  );
  const token = Symbol(id);
  stage.open.set(token, { page, about: `the result of ${what} ${id}` });
  const over = (how: string, output?: string): void => {
    stage.open.delete(token);
    oracle.look();
    const real = oracle.aliases.get(id) ?? id;
    const end = oracle.tasks.get(real) ?? oracle.runs.get(id);
    const isTrue =
      how === "ended"
        ? end === undefined || end.ended !== "completed"
        : end?.ended === "completed" && (output === end.output || end.output === undefined);
    oracle.claim(
      isTrue,
      "results",
      () =>
        `${what} ${id} is told as ${how} with ${output ?? "nothing"}; the journal says ${end?.ended ?? "nothing"}, ${end?.output ?? ""}`,
    );
  };
  runtime.result(id).then(
    (output) => {
      over("completed", JSON.stringify(output));
    },
    (error: unknown) => {
      if (isClosed(error))
        stage.open.delete(token); // its page doesn't wait any more
      else over("ended", String(error));
    },
  );
}

/** The promise has to settle, and may only be rejected with one of the codes. */
function expect(
  { stage, page, number }: Doing,
  about: string,
  codes: readonly string[],
  promise: Promise<unknown>,
): void {
  const token = Symbol(about);
  const over = (): void => void stage.open.delete(token);
  stage.open.set(token, { page, about });
  promise.then(over, (error: unknown) => {
    over();
    const isKnown = isClosed(error) || (error instanceof RuntimeError && codes.includes(error.code));
    stage.oracle.claim(isKnown, "refused", () => `deed ${number}: ${about} was refused: ${String(error)}`);
  });
}

const isClosed = (error: unknown): boolean => error instanceof RuntimeError && error.code === "runtime/closed";

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
  for (const definition of [...stage.graphs.map((graph) => graph.definition), ...everything, votes, later])
    expect(doing, `workflow ${definition.id}`, [], runtime.settled(runtime.registerWorkflow(definition)));
  runtime.setLimit("x", { concurrency: 3 });
  for (const url of ["/a.js", "/b.js"]) void offer(runtime, url);
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

/** An agent is offered for as long as the page is there, whatever befalls its first worker. */
export async function offer(runtime: Runtime, url: string): Promise<void> {
  for (;;)
    try {
      await runtime.registerAgent({ url, trusted: true, workers: 3 });
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
