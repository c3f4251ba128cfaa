/** What a page sees: commands that settle, a mirror that tells the truth, and an end that leaves nobody waiting. */
import { expect } from "chai";
import type { Runtime } from "../../../src/client/runtime.ts";
import { AGENT, connectHere, eventsOf, isBegun, rejection, until } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";

describe("the client", () => {
  const suite = ownRuntimes("client");
  const { connect } = suite;

  it("shows a task at once, and the truth when it is durable", async () => {
    const runtime = await connect();
    const id = runtime.createTask({ capabilities: ["nobody"], input: { a: 1 } });
    expect(runtime.tasks.get(id)).to.include({ optimistic: true, status: "queued" });
    await runtime.settled(id);
    expect(runtime.tasks.get(id)).to.include({ status: "queued", attempt: 0 });
    expect(runtime.tasks.get(id)?.optimistic).to.equal(undefined);
    expect(runtime.tasks.get(id)?.input).to.deep.equal({ a: 1 });
  });

  it("takes back what is refused, and tells everybody who waits for it", async () => {
    const runtime = await connect();
    const refused: string[] = [];
    runtime.on("refused", ({ id, error }) => refused.push(`${id} ${error.code}`));
    const run = runtime.startWorkflow("no-such-flow");
    expect(runtime.executions.get(run)?.optimistic).to.equal(true);
    const result = rejection(runtime.result(run));
    expect((await rejection(runtime.settled(run))).code).to.equal("workflow/unknown");
    expect((await result).code).to.equal("workflow/unknown");
    expect((await rejection(runtime.settled(run))).code, "later").to.equal("workflow/unknown");
    expect(runtime.executions.has(run)).to.equal(false);
    expect(refused).to.deep.equal([`${run} workflow/unknown`]);
  });

  it("tells where a run stands, live and ended", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    runtime.registerWorkflow({
      id: "stand",
      variables: { seen: { type: "list", merge: "append" } },
      nodes: [
        {
          id: "first",
          type: "task",
          capabilities: ["work"],
          input: "{'do': 'wait', 'ms': 0}",
          set: { seen: "'first'" },
        },
        { id: "ask", type: "approval", message: "Go on?", timeout: 600_000 },
      ],
      edges: [{ from: "first", to: "ask" }],
    });
    const run = runtime.startWorkflow("stand");
    await until(runtime, ({ approvals }) => approvals.size === 1);
    const live = await runtime.workflows.progress(run, { within: true });
    expect(live).to.deep.include({ id: run, status: "running", currentNode: "ask", activeNodes: ["ask"], errors: [] });
    expect(live.variables).to.deep.equal({ seen: ["first"] });
    runtime.answer([...runtime.approvals.keys()][0] ?? "", { approved: true, by: "suite" });
    await runtime.result(run);
    const ended = await runtime.workflows.progress(run);
    expect(ended).to.deep.include({ status: "completed", activeNodes: [], version: live.version });
    expect(ended.executionPath.map(({ node }) => node)).to.deep.equal(["first", "ask"]);
    expect((await rejection(runtime.workflows.progress("nobody"))).code).to.equal("execution/unknown");
  });

  it("doesn't reject the result of a task when another command about it is refused", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const id = runtime.createTask({ capabilities: ["work"], input: { do: "wait", ms: 300, value: 5 } });
    await runtime.settled(id);
    const result = runtime.result(id);
    runtime.answer(id, { approved: true, by: "suite" }); // nobody asked
    expect((await rejection(runtime.settled(id))).code).to.equal("approval/closed");
    expect(await result).to.equal(5);
  });

  it("takes 12,000 tasks in one tick", async () => {
    const runtime = await connect();
    const ids = Array.from({ length: 12_000 }, (_, at) => runtime.createTask({ capabilities: ["nobody"], input: at }));
    expect(runtime.tasks.size).to.equal(12_000);
    await runtime.settled();
    expect([...runtime.tasks.values()].filter(({ optimistic }) => optimistic)).to.have.length(0);
    expect(ids.every((id) => runtime.tasks.get(id)?.status === "queued")).to.equal(true);
  }).timeout(60_000);

  it("shows the present on a captured handle, and never changes an old picture", async () => {
    const runtime = await connect();
    const { tasks: before } = runtime;
    const picture = runtime.store.getState();
    const id = runtime.createTask({ capabilities: ["nobody"], input: 1 });
    const optimistic = runtime.tasks.get(id);
    await runtime.settled(id);
    expect(before.size).to.equal(0);
    expect([...before.keys()]).to.deep.equal([]);
    expect(picture.tasks.has(id)).to.equal(false);
    expect(optimistic?.optimistic).to.equal(true);
    expect(runtime.tasks.get(id)).to.not.equal(optimistic);
  });

  it("isolates listeners and subscribers that throw", async () => {
    const runtime = await connect();
    const reported: unknown[] = [];
    const { reportError } = globalThis;
    globalThis.reportError = (error) => reported.push(error);
    try {
      const heard: string[] = [];
      runtime.on("task.created", () => {
        throw new Error("a listener's own");
      });
      const unsubscribe = runtime.store.subscribe(() => {
        throw new Error("a subscriber's own");
      });
      runtime.on("task.created", ({ id }) => heard.push(id));
      const id = runtime.createTask({ capabilities: ["nobody"] });
      await runtime.settled(id);
      unsubscribe();
      expect(heard).to.deep.equal([id]);
      expect(reported.map(String)).to.include("Error: a listener's own").and.to.include("Error: a subscriber's own");
    } finally {
      globalThis.reportError = reportError;
    }
  });

  it("settles every promise when it closes, and refuses every call afterwards", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const task = runtime.createTask({ capabilities: ["work"], input: { do: "wait", ms: 60_000 } });
    await runtime.settled(task);
    const waiting = [
      runtime.result(task),
      runtime.settled(runtime.createTask({ capabilities: ["nobody"] })),
      runtime.blobs.read({ blob: "x:y", size: 1 }),
      runtime.archive.list(),
    ].map(rejection);
    const closed = runtime.close();
    for (const error of await Promise.all(waiting)) expect(error.code).to.equal("runtime/closed");
    await closed;
    expect(runtime.store.getState().status).to.equal("stopped");
    for (const call of [
      () => runtime.createTask({ capabilities: ["nobody"] }),
      () => runtime.startWorkflow("x"),
      () => {
        runtime.cancelTask(task);
      },
    ])
      expect(call).to.throw().with.property("code", "runtime/closed");
    for (const call of [
      runtime.result(task),
      runtime.archive.list(),
      runtime.blobs.write("x", new Uint8Array(1)),
      runtime.registerAgent({ url: AGENT }),
    ].map(rejection))
      expect((await call).code).to.equal("runtime/closed");
    expect(document.querySelectorAll("iframe[title='Troupe cell']"), "cells left").to.have.length(0);
    await runtime.close();
  });

  it("begins a mirror in the middle of commits, and it equals the one that saw all", async () => {
    const first = await connect();
    for (let round = 0; round < 8; round++) {
      const making = Array.from({ length: 50 }, (_, at) => first.createTask({ capabilities: ["nobody"], input: at }));
      const joining = connectHere({ name: suite.name });
      await Promise.resolve();
      making.push(...Array.from({ length: 50 }, () => first.createTask({ capabilities: ["nobody"] })));
      for (const id of making.slice(0, 20)) first.cancelTask(id);
      const second = await joining;
      await first.settled();
      await until(second, ({ seq }) => seq === first.store.getState().seq);
      expect(liveTasks(second), `round ${String(round)}`).to.deep.equal(liveTasks(first));
      await second.close();
    }
  }).timeout(60_000);

  it("leaves for the back/forward cache, and comes back under the same session", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const task = runtime.createTask({ capabilities: ["work"], input: { do: "wait", ms: 300, value: "late" } });
    const result = runtime.result(task);
    await until(runtime, ({ tasks }) => isBegun(tasks.get(task)));
    dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
    expect(runtime.store.getState().status).to.equal("connecting");
    expect(document.querySelectorAll("iframe[title='Troupe cell']"), "cells left").to.have.length(0);
    const hidden = runtime.createTask({ capabilities: ["work"], input: { do: "echo", value: "said while hidden" } });
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    expect(await result).to.equal("late");
    expect(await runtime.result(hidden)).to.equal("said while hidden");
    await runtime.close();
    const events = await eventsOf(suite.name);
    expect(events.filter(({ type }) => type === "task.created")).to.have.length(2);
    expect(events.filter(({ type }) => type === "task.completed")).to.have.length(2);
  });
});

/** What both mirrors must agree on; finished ones are shown by those who saw them finish. */
function liveTasks({ tasks }: Runtime): string[] {
  const live = [...tasks.values()].filter(({ status }) => ["queued", "assigned", "running"].includes(status));
  return live.map((view) => JSON.stringify(view)).sort();
}
