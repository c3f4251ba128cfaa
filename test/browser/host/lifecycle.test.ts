/** A task's life through a real host and real workers: its times, what comes before it, repetition, and its end. */
import { expect } from "chai";
import type { Runtime, TaskInput } from "../../../src/client/runtime.ts";
import { AGENT, eventsOf, isBegun, rejection, until } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";

const ONCE = { retry: { maxAttempts: 1 } };

describe("a task's life", () => {
  const suite = ownRuntimes("lifecycle");
  const { connect } = suite;
  const connectWithAgent = async (): Promise<Runtime> => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    return runtime;
  };
  const work = (runtime: Runtime, input: unknown, more: Partial<TaskInput> = {}): string =>
    runtime.createTask({ capabilities: ["work"], input, ...ONCE, ...more });
  const echo = (runtime: Runtime, value: unknown, more?: Partial<TaskInput>): string =>
    work(runtime, { do: "echo", value }, more);
  const statusOf = (runtime: Runtime, id: string): string | undefined => runtime.tasks.get(id)?.status;

  it("ends an attempt whose worker is stuck when its idle time is over, long before its timeout", async () => {
    const runtime = await connectWithAgent();
    const stuck = work(runtime, { do: "spin" }, { timeouts: { idle: 500 } });
    const error = await rejection(runtime.result(stuck));
    expect(error.code).to.equal("task/idle-timeout");
    expect(runtime.tasks.get(stuck)).to.include({ status: "timed-out", attempt: 1 });
    expect(await runtime.result(echo(runtime, "unharmed"))).to.equal("unharmed");
  }).timeout(30_000);

  it("lets an attempt that takes longer than its idle time go on while its worker lives", async () => {
    const runtime = await connectWithAgent();
    const long = work(runtime, { do: "wait", ms: 3_000, value: "done" }, { timeouts: { idle: 600 } });
    await until(runtime, () => statusOf(runtime, long) === "running");
    expect(await runtime.result(long)).to.equal("done");
    expect(runtime.tasks.get(long)).to.include({ attempt: 1, failures: 0 });
  }).timeout(30_000);

  it("journals no sign of life of a quick task, and one of a long one", async () => {
    const runtime = await connectWithAgent();
    const quick = echo(runtime, 1);
    await runtime.result(quick);
    const long = work(runtime, { do: "wait", ms: 2_500, value: 2 });
    await runtime.result(long);
    await runtime.close();
    const started = (await eventsOf(suite.name)).filter(({ type }) => type === "task.started");
    expect(started.map(({ data }) => data["id"])).to.deep.equal([long]);
  }).timeout(30_000);

  it("ends a task that no worker takes in time", async () => {
    const runtime = await connect();
    const id = runtime.createTask({ capabilities: ["nobody"], timeouts: { queue: 200 } });
    expect((await rejection(runtime.result(id))).code).to.equal("task/queue-timeout");
    expect(statusOf(runtime, id)).to.equal("timed-out");
  });

  it("starts a task not before its moment", async () => {
    const runtime = await connectWithAgent();
    const startAt = Date.now() + 700;
    const id = echo(runtime, "later", { startAt });
    expect(statusOf(runtime, id)).to.equal("waiting");
    expect(await runtime.result(id)).to.equal("later");
    expect(runtime.tasks.get(id)?.startedAt).to.be.at.least(startAt);
  });

  it("hands a failure on along a chain, with the whole way in the error", async () => {
    const runtime = await connectWithAgent();
    const bad = work(runtime, { do: "throw" });
    const next = echo(runtime, 1, { after: { tasks: [bad] } });
    const last = echo(runtime, 2, { after: { tasks: [next], otherwise: "skip" } });
    const anyway = echo(runtime, "cleaned up", { after: { tasks: [bad, last], when: "done" } });
    expect(statusOf(runtime, next)).to.equal("pending");
    const [failed, skipped] = await Promise.all([rejection(runtime.result(next)), rejection(runtime.result(last))]);
    expect(failed.code).to.equal("task/dependency-failed");
    expect(failed.detail).to.deep.equal({ dependency: bad, outcome: "failed", chain: [bad] });
    expect(skipped.code).to.equal("task/skipped");
    expect(skipped.detail["chain"]).to.deep.equal([next, bad]);
    expect([statusOf(runtime, next), statusOf(runtime, last)]).to.deep.equal(["failed", "skipped"]);
    expect(await runtime.result(anyway)).to.equal("cleaned up");
    const lost = echo(runtime, 3, { after: { tasks: ["nobody"] } });
    expect((await rejection(runtime.settled(lost))).code).to.equal("task/dependency-unknown");
  });

  it("makes one task of what two pages ask for at once with the same key", async () => {
    const [first, second] = [await connectWithAgent(), await connect()];
    const idempotency = { key: "the same" };
    const ids = [first, second, first, second].map((runtime, at) => echo(runtime, at, { idempotency }));
    await Promise.all([first.settled(), second.settled()]);
    const results = await Promise.all(ids.map((id, at) => (at % 2 === 0 ? first : second).result(id)));
    expect(new Set(results).size, JSON.stringify(results)).to.equal(1);
    const views = ids.map((id, at) => (at % 2 === 0 ? first : second).tasks.get(id));
    const original = views.find((view) => view?.alias === undefined)?.id;
    expect(views.filter((view) => view?.alias === original && view?.status === "skipped")).to.have.length(3);
    expect(views.every((view) => view?.optimistic === undefined)).to.equal(true);
    const late = await connect();
    expect(await late.result(ids[3] ?? "")).to.equal(results[0]);
    await suite.closeAll();
    const events = await eventsOf(suite.name);
    expect(events.filter(({ type }) => type === "task.created")).to.have.length(1);
    expect(events.filter(({ type }) => type === "task.assigned")).to.have.length(1);
  });

  it("lists what has failed for good, and makes it again with another input", async () => {
    const runtime = await connectWithAgent();
    const retry = { maxAttempts: 2, base: 1 };
    const bad = work(runtime, { do: "throw" }, { type: "letters", retry });
    const other = work(runtime, { do: "throw" }, { type: "others" });
    const good = echo(runtime, 1, { type: "letters" });
    await rejection(runtime.result(bad));
    await Promise.all([rejection(runtime.result(other)), runtime.result(good)]);
    const { tasks, next } = await runtime.deadLetters({ type: "letters" });
    expect(next).to.equal(undefined);
    expect(tasks.map(({ id }) => id)).to.deep.equal([bad]);
    const [letter] = tasks;
    expect(letter?.attempts?.map(({ attempt, agent, code }) => [attempt, agent, code])).to.deep.equal([
      [1, "worker@1.0.0", "odd/broken"],
      [2, "worker@1.0.0", "odd/broken"],
    ]);
    expect((await runtime.deadLetters()).tasks).to.have.length(2);
    const again = await runtime.requeue(bad, { input: { do: "echo", value: "mended" } });
    expect(runtime.tasks.get(again)).to.include({ requeuedFrom: bad, type: "letters" });
    expect(await runtime.result(again)).to.equal("mended");
    expect((await rejection(runtime.requeue(bad, { input: 1n }))).code).to.equal("json/invalid");
    expect((await rejection(runtime.requeue(again))).code).to.equal("task/finished");
    expect((await rejection(runtime.requeue("nobody"))).code).to.equal("task/unknown");
  });

  it("cancels a task whatever it is doing", async () => {
    const runtime = await connectWithAgent();
    const active = work(runtime, { do: "wait-aborted" });
    await until(runtime, ({ tasks }) => isBegun(tasks.get(active)));
    const queued = echo(runtime, 1);
    const pending = echo(runtime, 2, { after: { tasks: [queued] } });
    const waiting = echo(runtime, 3, { startAt: Date.now() + 60_000 });
    await runtime.settled();
    const ids = [pending, waiting, queued, active];
    expect(ids.map((id) => statusOf(runtime, id))).to.deep.equal([
      "pending",
      "waiting",
      "queued",
      statusOf(runtime, active),
    ]);
    const results = ids.map((id) => rejection(runtime.result(id)));
    for (const id of ids) runtime.cancelTask(id);
    expect((await Promise.all(results)).map(({ code }) => code)).to.deep.equal(ids.map(() => "task/cancelled"));
    expect(await runtime.result(echo(runtime, "next"))).to.equal("next");
  });

  it("takes a task before others when its priority is raised", async () => {
    const runtime = await connectWithAgent();
    const first = work(runtime, { do: "wait", ms: 300, value: 0 });
    await until(runtime, ({ tasks }) => isBegun(tasks.get(first)));
    const [low, raised] = [echo(runtime, 1), echo(runtime, 2)];
    runtime.reprioritize(raised, "critical");
    await Promise.all([runtime.result(low), runtime.result(raised)]);
    const [before, after] = [runtime.tasks.get(raised), runtime.tasks.get(low)];
    expect(before?.priority).to.equal("critical");
    expect(before?.finishedAt).to.be.at.most(after?.startedAt ?? 0);
  });
});
