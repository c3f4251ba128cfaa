/** Limits that hold in real workers, and what the host says of a task that waits: it is true, and its end is the end. */
import { expect } from "chai";
import type { Runtime, TaskInput } from "../../../src/client/runtime.ts";
import type { Waiting } from "../../../src/core/index.ts";
import { AGENT, connectHere, deleteJournal, isBegun, newName, rejection, until } from "../../fixtures/host/page.ts";

const METER = "/bundled/test/fixtures/host/meter.agent.ts";
const LONG = 60_000;

interface Span {
  readonly begin: number;
  readonly end: number;
}

/** The most that ran at one moment. A clock of a worker may be coarse: what only touches doesn't count. */
function mostAtOnce(spans: readonly Span[]): number {
  const most = spans.map(({ begin }) => spans.filter((one) => one.begin <= begin && one.end > begin + 2).length);
  return Math.max(...most);
}

describe("limits and waiting", () => {
  let name = "";
  let runtime: Runtime;
  const open: Runtime[] = [];
  const connect = async (): Promise<Runtime> => {
    const page = await connectHere({ name });
    open.push(page);
    return page;
  };
  const meter = (ms: number, more: Partial<TaskInput> = {}): string =>
    runtime.createTask({ capabilities: ["meter"], input: { ms }, ...more });
  /** Runs until it is cancelled, and gives its slot back at once then. */
  const hold = (more: Partial<TaskInput> = {}): string =>
    runtime.createTask({ capabilities: ["work"], input: { do: "wait-aborted" }, ...more });
  const echo = (more: Partial<TaskInput> = {}): string =>
    runtime.createTask({ capabilities: ["work"], input: { do: "echo", value: "done" }, ...more });
  const begun = (id: string): Promise<void> => until(runtime, ({ tasks }) => isBegun(tasks.get(id)));
  const why = async <R extends Waiting["reason"]>(id: string, reason: R): Promise<Waiting & { readonly reason: R }> => {
    await runtime.settled(id);
    const told = await runtime.whyWaiting(id);
    expect(told, told.text).to.include({ reason, task: id });
    return told as Waiting & { readonly reason: R };
  };

  beforeEach(async () => {
    name = newName("limits");
    runtime = await connect();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((page) => page.close()));
    await deleteJournal(name);
  });

  it("never run more at once than a limit of two lets, over two workers with five slots each", async () => {
    await runtime.registerAgent({ url: METER, workers: 2, slots: 5 });
    runtime.setLimit("two", { concurrency: 2 });
    const seen: number[] = [];
    runtime.store.subscribe(({ limits }) => seen.push(limits.get("two")?.running ?? 0));
    const ids = Array.from({ length: 10 }, () => meter(40, { limits: [{ limit: "two" }] }));
    const spans = (await Promise.all(ids.map((id) => runtime.result(id)))) as Span[];
    expect(mostAtOnce(spans)).to.be.at.most(2);
    expect(Math.max(...seen), "in the view").to.equal(2);
    expect(runtime.limits.get("two")).to.deep.include({ id: "two", concurrency: 2, running: 0, byKey: {} });
    runtime.removeLimit("two");
    await until(runtime, ({ limits }) => !limits.has("two"));
    const free = Array.from({ length: 10 }, () => meter(300));
    expect(mostAtOnce((await Promise.all(free.map((id) => runtime.result(id)))) as Span[])).to.be.above(2);
  });

  it("refuse what names a limit that isn't set, and a limit that is none", async () => {
    const unknown = await rejection(runtime.settled(meter(1, { limits: [{ limit: "nobody's" }] })));
    expect(unknown.code).to.equal("limit/unknown");
    expect(unknown.detail).to.include({ limit: "nobody's" });
    runtime.setLimit("empty", {});
    expect((await rejection(runtime.settled("empty"))).code).to.equal("command/invalid");
    runtime.removeLimit("nobody's");
    expect((await rejection(runtime.settled("nobody's"))).code).to.equal("limit/unknown");
    expect(runtime.limits.size).to.equal(0);
  });

  it("let so many start in a time, say when the next may, and are changed and removed at once", async () => {
    await runtime.registerAgent({ url: AGENT, slots: 4 });
    const at = new Map<string, number>();
    runtime.on("task.assigned", ({ id, at: moment }) => at.set(id, moment));
    runtime.setLimit("hourly", { rate: { count: 1, per: 3_600_000 } });
    const limits = [{ limit: "hourly" }];
    await runtime.result(echo({ limits }));
    const [second, third] = [echo({ limits }), echo({ limits })];
    const [first] = at.keys();
    const told = await why(second, "limit");
    expect(told).to.include({ limit: "hourly", key: "", freesAt: (at.get(first ?? "") ?? 0) + 3_600_000 });
    expect(told.text).to.match(/^the limit hourly has no start left; the next comes in 3[56]\d\d(\.\d)? s$/u);
    runtime.setLimit("hourly", { rate: { count: 1, per: 500 } });
    expect(await runtime.result(second)).to.equal("done");
    expect(await runtime.result(third)).to.equal("done");
    expect((at.get(third) ?? 0) - (at.get(second) ?? 0), "ms between them").to.be.at.least(500);
    runtime.setLimit("hourly", { concurrency: 0 });
    const fourth = echo({ limits });
    expect((await why(fourth, "limit")).freesAt).to.equal(undefined);
    runtime.removeLimit("hourly");
    expect(await runtime.result(fourth)).to.equal("done");
  });

  it("give each key the whole limit", async () => {
    await runtime.registerAgent({ url: AGENT, slots: 4 });
    runtime.setLimit("each", { concurrency: 1, perKey: true });
    const of = (key: string): Partial<TaskInput> => ({ limits: [{ limit: "each", key }] });
    const [a, b, second] = [hold(of("a")), hold(of("b")), hold(of("a"))];
    await Promise.all([begun(a), begun(b)]);
    expect(await why(second, "limit")).to.include({ limit: "each", key: "a" });
    expect(runtime.limits.get("each")).to.deep.include({ running: 2, byKey: { a: 1, b: 1 } });
    runtime.cancelTask(b);
    await until(runtime, ({ limits }) => limits.get("each")?.running === 1);
    expect(await why(second, "limit"), "the key of another is free").to.include({ key: "a" });
    runtime.cancelTask(a);
    await begun(second);
    expect(await why(second, "running")).to.include({ agent: "worker@1.0.0" });
  });

  it("name the missing capability, the agent that comes nearest, and the one that is closed or has no worker", async () => {
    const task = echo();
    expect(await why(task, "capability")).to.deep.include({ nearest: [] });
    await runtime.registerAgent({ url: AGENT });
    expect(await runtime.result(task)).to.equal("done");
    const beyond = echo({ capabilities: ["work", "zeta"] });
    const { nearest, text } = await why(beyond, "capability");
    expect(nearest.map(({ agent, lacks }) => [agent, lacks])).to.deep.equal([
      ["worker@1.0.0", [{ kind: "capability", name: "zeta" }]],
    ]);
    expect(text).to.equal("nobody can do it; the nearest, worker@1.0.0, would match if it had zeta");
    runtime.setAgentOffline("worker", true);
    const closed = echo();
    expect(await why(closed, "draining")).to.deep.include({ agents: ["worker@1.0.0"] });
    runtime.setAgentOffline("worker", false);
    expect(await runtime.result(closed)).to.equal("done");
    expect((await rejection(runtime.whyWaiting(closed))).code).to.equal("task/unknown");
  });

  it("name agents that no page serves any more", async () => {
    const other = await connect();
    await other.registerAgent({ url: METER });
    await other.settled();
    await other.close();
    await until(runtime, ({ agents }) => agents.get("meter@1.0.0")?.status === "offline");
    const task = meter(1);
    const told = await why(task, "offline");
    expect(told).to.deep.include({ agents: ["meter@1.0.0"], offered: [] });
    expect(told.text).to.include("no page offers to start one");
    await runtime.registerAgent({ url: METER });
    await runtime.result(task);
  });

  it("name the tasks that come before, and the moment before which it isn't to start", async () => {
    const first = echo({ startAt: Date.now() + LONG });
    const second = echo({ after: { tasks: [first] } });
    const third = echo({ after: { tasks: [second] } });
    const either = echo({ after: { tasks: [first, second], when: "any" } });
    expect((await why(first, "start-at")).at).to.equal(runtime.tasks.get(first)?.startAt);
    expect(await why(third, "dependency")).to.deep.include({
      on: second,
      chain: [second, first],
      needs: 1,
      open: [second],
    });
    expect(await why(either, "dependency")).to.deep.include({ needs: 1, open: [first, second] });
    runtime.cancelTask(first);
    expect((await rejection(runtime.result(third))).code).to.equal("task/dependency-failed");
  });

  it("count the slots that are taken and the tasks ahead, and a raised priority changes both order and answer", async () => {
    await runtime.registerAgent({ url: AGENT });
    const order: string[] = [];
    runtime.on("task.assigned", ({ id }) => order.push(id));
    const holder = hold();
    await begun(holder);
    const [one, two, three] = [echo(), echo(), echo()];
    expect(await why(three, "capacity")).to.deep.include({
      agents: [{ id: "worker@1.0.0", taken: 1, slots: 1 }],
      ahead: 2,
    });
    runtime.reprioritize(three, "high");
    expect((await why(three, "capacity")).ahead).to.equal(0);
    expect((await why(one, "capacity")).ahead).to.equal(1);
    runtime.cancelTask(holder);
    await Promise.all([one, two, three].map((id) => runtime.result(id)));
    expect(order).to.deep.equal([holder, three, one, two]);
  });

  it("say of a failed attempt when the next one comes", async () => {
    await runtime.registerAgent({ url: AGENT });
    const retry = { maxAttempts: 2, base: LONG, cap: LONG, jitter: "none" } as const;
    const task = runtime.createTask({ capabilities: ["work"], input: { do: "throw" }, retry });
    await until(runtime, ({ tasks }) => tasks.get(task)?.status === "retrying");
    expect((await why(task, "retry")).at).to.equal(runtime.tasks.get(task)?.dueAt);
  });

  it("explain the same on every page", async () => {
    const other = await connect();
    await runtime.registerAgent({ url: AGENT, labels: { zone: "eu" } });
    await other.registerAgent({ url: METER });
    await Promise.all(open.map((page) => until(page, ({ agents }) => agents.size === 2)));
    const wanted = { capabilities: ["meter.fine"], optional: ["work"], agents: { labels: { zone: "eu" } } };
    const [own, theirs] = await Promise.all(open.map((page) => page.explain(wanted)));
    expect(own).to.deep.equal(theirs);
    const found = new Map(own?.map((one) => [one.agent, one]));
    expect(found.get("worker@1.0.0")).to.deep.include({
      matches: false,
      optional: ["work"],
      lacks: [{ kind: "capability", name: "meter.fine" }],
      wouldMatchIf: "would match if it had meter.fine",
    });
    expect(found.get("meter@1.0.0")?.lacks).to.deep.equal([
      { kind: "constraint", name: "labels", wanted: { zone: "eu" } },
    ]);
    const [match] = (await other.explain({ capabilities: ["meter.fine"] })).filter(({ matches }) => matches);
    expect(match).to.deep.include({ agent: "meter@1.0.0", lacks: [] });
    const wrong = await rejection(other.explain({ capabilities: [""] }));
    expect(wrong.code).to.equal("command/invalid");
  });
});
