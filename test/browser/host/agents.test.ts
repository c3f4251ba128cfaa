/** Agents through the host: what they do wrong is a typed failure of one attempt, and harms nobody else. */
import { expect } from "chai";
import type { Runtime, TaskInput } from "../../../src/client/runtime.ts";
import { honest } from "../../fixtures/agents/hostile.ts";
import { AGENT, eventsOf, isBegun, rejection, scriptURL, until, type Told } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";

const ONCE = { retry: { maxAttempts: 1 } };
const QUICK = { retry: { maxAttempts: 3, base: 10, jitter: "none" as const } };

describe("agents of a host", () => {
  const suite = ownRuntimes("agents");
  const { connect } = suite;
  const work = (runtime: Runtime, input: unknown, more: Partial<TaskInput> = {}): string =>
    runtime.createTask({ capabilities: ["work"], input, ...ONCE, ...more });
  /** All is idle again, and the next task is done as if nothing had been. */
  const isUnharmed = async (runtime: Runtime): Promise<void> => {
    expect(await runtime.result(work(runtime, { do: "echo", value: "well" }))).to.equal("well");
    await until(runtime, ({ agents }) => agents.get("worker@1.0.0")?.running === 0);
    expect(runtime.agents.get("worker@1.0.0")?.links).to.equal(1);
  };

  it("kills an endless loop about when its time is over, and goes on with a new worker", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const left: number[] = [];
    let assigned = 0;
    runtime.on("task.assigned", ({ at }) => (assigned ||= at));
    runtime.on("link.left", ({ at, cause }) => {
      expect(cause).to.equal("killed");
      left.push(at - assigned);
    });
    const next = runtime.result(work(runtime, { do: "spin" }, { timeout: 500 }));
    const waits = work(runtime, { do: "echo", value: "it waited" });
    expect((await rejection(next)).code).to.equal("task/timeout");
    expect(await runtime.result(waits)).to.equal("it waited");
    expect(left).to.have.length(1);
    expect(left[0], "ms from its start to its end").to.be.within(1_000, 2_500); // its time and the grace, and a busy machine
    await isUnharmed(runtime);
  });

  it("ends one that takes memory and more memory when its time is over, and one that asks for too much fails", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const hog = await rejection(runtime.result(work(runtime, { do: "hog" }, { timeout: 1_500 })));
    expect(hog.code).to.match(/^(?:task\/timeout|agent\/crashed|agent\/failed)$/u); // a platform may end it earlier
    const beyond = await rejection(runtime.result(work(runtime, { do: "beyond" })));
    expect(beyond).to.include({ name: "RangeError", code: "agent/failed" });
    await isUnharmed(runtime);
  }).timeout(60_000);

  it("replaces a worker that crashes, and tries its task again", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const left: unknown[] = [];
    runtime.on("link.left", ({ cause }) => left.push(cause));
    expect((await rejection(runtime.result(work(runtime, { do: "crash" })))).code).to.equal("agent/crashed");
    expect(await runtime.result(work(runtime, { do: "crash-once", value: "again" }, QUICK))).to.equal("again");
    expect(left).to.deep.equal(["crashed", "crashed"]);
    await isUnharmed(runtime);
  });

  it("carries what was thrown to who waits for the result", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const text = await rejection(runtime.result(work(runtime, { do: "throw-text" })));
    expect(text).to.include({ message: "just text", code: "agent/failed" });
    const error = await rejection(runtime.result(work(runtime, { do: "throw" })));
    expect(error).to.include({ name: "OddError", message: "it is odd", code: "odd/broken" });
    expect(error.stack).to.match(/work|run|@/u);
    expect(error.cause).to.include({ name: "TypeError", message: "the cause" });
    await isUnharmed(runtime);
  });

  for (const [what, code] of [
    ["deep", /^(?:json\/too-deep|agent\/output-invalid|agent\/failed)$/u],
    ["huge", /^(?:json\/too-large|agent\/output-too-large|agent\/output-invalid|agent\/failed)$/u],
  ] as const)
    it(`refuses an output that is too ${what}`, async () => {
      const runtime = await connect();
      await runtime.registerAgent({ url: AGENT });
      expect((await rejection(runtime.result(work(runtime, { do: what })))).code).to.match(code);
      await isUnharmed(runtime);
    }).timeout(60_000);

  it("refuses what is nested too deep where it enters, and the worker goes on", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const left: unknown[] = [];
    runtime.on("link.left", (data) => left.push(data));
    const error = await rejection(runtime.result(work(runtime, { do: "nested" })));
    expect(error.code).to.equal("agent/output-invalid");
    for (const what of ["nest", "nest-stream"])
      expect(await runtime.result(work(runtime, { do: what }))).to.equal("json/too-deep");
    await isUnharmed(runtime);
    expect(left, "the same worker all the time").to.deep.equal([]);
  });

  it("gives a later attempt what an earlier one has recorded and kept", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const task = work(runtime, { do: "once", ms: 60_000 }, { ...QUICK, timeout: 1_000 });
    const output = (await runtime.result(task)) as { chance: number; before: unknown; attempt: number };
    expect(output).to.deep.equal({ ...output, before: { attempt: 1, chance: output.chance }, attempt: 2 });
    await isUnharmed(runtime);
  });

  it("refuses code that can't be loaded, and leaves no agent behind", async () => {
    const runtime = await connect();
    const missing = await rejection(runtime.registerAgent({ url: "/no/such/agent.js" }));
    expect(missing.code).to.equal("agent/load-failed");
    expect(missing.detail).to.include({ status: 404 });
    const broken = await rejection(runtime.registerAgent({ url: scriptURL("throw new Error('at load')") }));
    expect(broken.code).to.equal("agent/load-failed");
    expect(broken.message).to.include("at load");
    expect(runtime.agents.size).to.equal(0);
  });

  it("names the fault when a worker can't be started again, and the task waits for one that can", async () => {
    const runtime = await connect();
    const script = await (await fetch(AGENT)).text();
    const url = scriptURL(script);
    await runtime.registerAgent({ url, trusted: true });
    URL.revokeObjectURL(url); // the file is gone now
    expect((await rejection(runtime.result(work(runtime, { do: "spin" }, { timeout: 200 })))).code).to.equal(
      "task/timeout",
    );
    const waiting = runtime.result(work(runtime, { do: "echo", value: "served at last" }));
    await until(runtime, ({ agents }) => agents.get("worker@1.0.0")?.fault !== undefined);
    expect(runtime.agents.get("worker@1.0.0")?.fault?.code).to.equal("agent/load-failed");
    await runtime.registerAgent({ url: scriptURL(script), trusted: true, replace: true });
    expect(await waiting).to.equal("served at last");
    await until(runtime, ({ agents }) => agents.get("worker@1.0.0")?.fault === undefined);
  }).timeout(150_000); // a browser may keep silent about a worker that can't be loaded: each start takes 30 s then

  const breaches: Readonly<Record<string, { readonly script: string; readonly code: string }>> = {
    garbage: { script: "take = () => host.postMessage('garbage');", code: "agent/message-invalid" },
    "a frame of no kind": {
      script: "take = () => host.postMessage([{ kind: 'own' }]);",
      code: "agent/message-invalid",
    },
    "a flood": {
      script: `take = ({ task, attempt }) => {
        for (let at = 0; at < 30000; at++) host.postMessage([{ kind: "progress", task, attempt, fraction: 0 }]);
      };`,
      code: "agent/flooded",
    },
  };
  for (const [what, { script, code }] of Object.entries(breaches))
    it(`ends a worker that sends ${what}`, async () => {
      const runtime = await connect();
      await runtime.registerAgent({ url: AGENT });
      await runtime.registerAgent({ url: scriptURL(honest(script)) });
      const error = await rejection(runtime.result(runtime.createTask({ capabilities: ["raw"], ...ONCE })));
      expect(error.code).to.equal(code);
      await until(runtime, ({ agents }) => agents.get("raw@1.0.0")?.links === 0);
      await isUnharmed(runtime);
    }).timeout(60_000);

  it("believes no worker about a task of another one, nor about another attempt", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const victim = work(runtime, { do: "wait", ms: 1_500, value: "honest" });
    await until(runtime, ({ tasks }) => isBegun(tasks.get(victim)));
    const forger = honest(`take = ({ kind, input, task, attempt }) => {
      if (kind !== "run") return;
      const victim = JSON.parse(input);
      const forged = (of) => [1, 0, 2].map((attempt) => ({ kind: "done", task: of, attempt, output: '"forged"' }));
      host.postMessage([
        ...forged(victim),
        { kind: "failed", task: victim, attempt: 1, error: { name: "Error", message: "forged", code: "agent/failed" } },
        { kind: "checkpoint", call: 1, task: victim, attempt: 1, value: '"forged"' },
        { kind: "done", task, attempt: attempt + 1, output: '"too early"' },
        { kind: "done", task, attempt, output: '"its own"' },
      ]);
    };`);
    await runtime.registerAgent({ url: scriptURL(forger) });
    const own = runtime.createTask({ capabilities: ["raw"], input: victim, ...ONCE });
    expect(await runtime.result(own)).to.equal("its own");
    expect(await runtime.result(victim)).to.equal("honest");
    await isUnharmed(runtime);
  });

  it("gives an agent no bytes of another run", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    runtime.registerWorkflow({
      id: "read",
      nodes: [{ id: "read", type: "task", capabilities: ["work"], input: `{"do": "read", "value": input}`, ...ONCE }],
      edges: [],
      output: "nodes.read.output",
    });
    const [mine, theirs] = [runtime.createId(), runtime.createId()];
    const ref = await runtime.blobs.write(mine, new Uint8Array([1, 2, 3]));
    expect(await runtime.result(runtime.startWorkflow("read", ref, { id: mine }))).to.equal(3);
    const error = await rejection(runtime.result(runtime.startWorkflow("read", ref, { id: theirs })));
    expect(JSON.stringify([error.code, error.cause, error.detail, error.message])).to.include("blob/unknown");
    await isUnharmed(runtime);
  });

  it("runs a task again elsewhere when the page of its worker closes", async () => {
    const [first, second] = [await connect(), await connect()];
    for (const runtime of [first, second]) await runtime.registerAgent({ url: AGENT });
    const task = work(first, { do: "wait", ms: 1_000, value: "twice begun" });
    await until(second, ({ tasks }) => isBegun(tasks.get(task)));
    await first.close(); // it hosts, and it has the only worker: it was there first
    expect(await second.result(task)).to.equal("twice begun");
    await second.close();
    const events = await eventsOf(suite.name);
    const assigned = ofTask(events, "task.assigned", task);
    expect(assigned).to.have.length(2);
    expect((assigned[1]?.at ?? 0) - leftAt(events, assigned[0]), "ms until it ran again").to.be.below(5_000);
    expect(ofTask(events, "task.completed", task)).to.have.length(1);
  });
});

function ofTask(events: readonly Told[], type: string, id: string): Told[] {
  return events.filter((event) => event.type === type && event.data["id"] === id);
}

function leftAt(events: readonly Told[], assigned: Told | undefined): number {
  const link = assigned?.data["link"];
  const left = events.find(({ type, data }) => type === "link.left" && data["link"] === link);
  const restarted = events.find(({ type, at }) => type === "host.started" && at >= (assigned?.at ?? 0));
  return left?.at ?? restarted?.at ?? 0;
}
