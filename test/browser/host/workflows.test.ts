/** Processes with every kind of node, through the public calls, over real agents: to their end, also across hosts. */
import { expect } from "chai";
import type { Runtime } from "../../../src/client/runtime.ts";
import type { WorkflowInput } from "../../../src/core/index.ts";
import { AGENT, rejection, until } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";

const work = { capabilities: ["work"], retry: { maxAttempts: 1 } };
const task = (id: string, input: string, more: object = {}): WorkflowInput["nodes"][number] => ({
  id,
  type: "task",
  ...work,
  input,
  ...more,
});
const echo = (value: string): string => `{'do': 'echo', 'value': ${value}}`;
const chain = (...ids: readonly string[]): { from: string; to: string }[] =>
  ids.slice(1).map((to, at) => ({ from: ids[at] ?? "", to }));

const PART: WorkflowInput = {
  id: "part",
  nodes: [task("double", echo("input.n * 2"))],
  output: "nodes.double.output",
};

/** Waits for a message and a person in its middle, so that its host can be changed there. */
const WHOLE: WorkflowInput = {
  id: "whole",
  variables: { sum: { type: "number", merge: "sum" }, notes: { type: "list", merge: "append" } },
  nodes: [
    task("list", echo("input.numbers")),
    {
      id: "squares",
      type: "map",
      items: "nodes.list.output",
      key: "'n' + string(item)",
      concurrency: 2,
      body: {
        nodes: [task("square", "{'do': 'square', 'value': input}", { set: { sum: "nodes.square.output" } })],
        output: "nodes.square.output",
      },
    },
    { id: "count", type: "loop", until: "last >= 3", max: 10, task: { ...work, input: echo("index + 1") } },
    { id: "sub", type: "subworkflow", workflow: "part", input: "{'n': vars.sum}" },
    { id: "size", type: "decision" },
    task("small", echo("'small'")),
    { id: "big", type: "parallel", onFailure: { needed: 1 } },
    task("good", echo("'good'"), { set: { notes: "'good'" } }),
    task("bad", "{'do': 'no such thing'}"),
    { id: "join", type: "join" },
    { id: "cool", type: "timer", for: 20 },
    { id: "paid", type: "event", name: "paid", key: "input.order" },
    { id: "ask", type: "approval", message: "Go on?", approvers: ["ann"], timeout: 600_000 },
    task("risky", "{'do': 'no such thing'}"),
    { id: "rescue", type: "errorHandler", scope: ["risky"], action: "replace", output: "'rescued'" },
  ],
  edges: [
    ...chain("list", "squares", "count", "sub", "size"),
    { from: "size", to: "small", when: "vars.sum < 10" },
    { from: "size", to: "big" },
    ...chain("big", "good", "join"),
    ...chain("big", "bad", "join"),
    ...chain("small", "join"),
    ...chain("join", "cool", "paid", "ask", "risky"),
  ],
  output:
    "{'squares': nodes.squares.output, 'turns': nodes.count.output, 'twice': nodes.sub.output, 'notes': vars.notes, " +
    "'paid': nodes.paid.output.payload, 'by': nodes.ask.output.by, 'risky': nodes.risky.output}",
};

describe("workflows in a host", () => {
  const suite = ownRuntimes("workflows");
  const connect = async (): Promise<Runtime> => {
    const runtime = await suite.connect();
    await runtime.registerAgent({ url: AGENT, workers: 2 });
    return runtime;
  };

  it("run a process with every kind of node, though the page is closed while it waits", async () => {
    const first = await connect();
    first.registerWorkflow(PART);
    first.registerWorkflow(WHOLE);
    const run = first.startWorkflow("whole", { numbers: [1, 2, 3], order: 7 });
    const waits = (kind: string) => (state: ReturnType<Runtime["store"]["getState"]>) =>
      state.executions.get(run)?.nodes.some((node) => node.kind === kind && node.status === "running") ?? false;
    await until(first, waits("event"));
    await first.close();

    const second = await connect();
    await until(second, waits("event"));
    await second.publish("paid", { sum: 5 }, { key: 7, id: "payment-1" });
    await until(second, ({ approvals }) => approvals.size > 0);
    await second.close();

    const third = await connect();
    await until(third, ({ approvals }) => approvals.size > 0);
    await third.publish("paid", { sum: 6 }, { key: 7, id: "payment-1" }); // the same message again
    const [approval] = third.approvals.values();
    third.answer(approval?.id ?? "", { approved: true, by: "ann" });
    expect(await third.result(run)).to.deep.equal({
      squares: [1, 4, 9],
      turns: 3,
      twice: 28,
      notes: ["good"],
      paid: { sum: 5 },
      by: "ann",
      risky: "rescued",
    });
    const ended = await third.archive.execution(run);
    expect(ended?.variables).to.deep.equal({ sum: 14, notes: ["good"] });
    const within = await third.archive.list({ prefix: `${run}/`, limit: 1_000 });
    const ids = within.rows.flatMap(({ kind, id }) => (kind === "task" ? [id.slice(run.length + 1)] : []));
    expect(ids).to.include.members(["squares/2/square", "count/2", "sub/double", "good", "bad", "risky"]);
    expect(new Set(ids).size, "no task twice").to.equal(ids.length);
  }).timeout(90_000);

  it("are paused, changed to another version, and gone on with; and undone when they are cancelled", async () => {
    const runtime = await connect();
    const undo = { compensate: { ...work, input: echo("'undone'") } };
    const version = (text: string): WorkflowInput => ({
      id: "w",
      nodes: [task("book", echo("'booked'"), undo), { id: "wait", type: "event", name: "go" }, task("end", echo(text))],
      edges: chain("book", "wait", "end"),
      output: "nodes.end.output",
    });
    runtime.registerWorkflow(version("'one'"));
    const run = runtime.startWorkflow("w");
    await until(runtime, ({ executions }) => executions.get(run)?.nodes.some(({ node }) => node === "wait") ?? false);
    runtime.pauseWorkflow(run);
    await runtime.settled(run);
    runtime.registerWorkflow(version("'two'"));
    await runtime.settled("w");
    const [latest] = await runtime.workflows.versions("w");
    const preview = await runtime.workflows.migrate(run, latest?.version ?? "", { dryRun: true });
    expect(preview).to.deep.include({ kept: ["book"], running: ["wait"], blocks: [] });
    await runtime.workflows.migrate(run, latest?.version ?? "");
    runtime.resumeWorkflow(run);
    await runtime.publish("go");
    expect(await runtime.result(run)).to.equal("two");

    const other = runtime.startWorkflow("w");
    await until(runtime, ({ executions }) => executions.get(other)?.nodes.some(({ node }) => node === "wait") ?? false);
    runtime.cancelWorkflow(other, "no longer wanted");
    await rejection(runtime.result(other));
    const row = await runtime.archive.execution(other);
    expect(row?.status).to.equal("compensated");
    expect((await runtime.archive.task(`${other}/book.undo`))?.output).to.equal("undone");
  }).timeout(60_000);

  it("are over at once when they are cancelled, though their agent hangs", async () => {
    const runtime = await connect();
    runtime.registerWorkflow({ id: "hung", nodes: [task("spin", "{'do': 'spin'}")] });
    const run = runtime.startWorkflow("hung");
    await until(runtime, ({ tasks }) => (tasks.get(`${run}/spin`)?.attempt ?? 0) > 0);
    const asked = performance.now();
    runtime.cancelWorkflow(run);
    expect((await rejection(runtime.result(run))).code).to.equal("execution/cancelled");
    console.log(`a hung run was over after ${String(Math.round(performance.now() - asked))} ms`);
    expect((await runtime.archive.execution(run))?.status).to.equal("cancelled");
  }).timeout(60_000);

  it("are done again from what failed, and begun by a schedule", async () => {
    const runtime = await connect();
    const workflow = (last: string): WorkflowInput => ({
      id: "again",
      nodes: [task("a", echo("1")), task("b", last)],
      edges: chain("a", "b"),
      output: "nodes.b.output",
    });
    runtime.registerWorkflow(workflow("{'do': 'no such thing'}"));
    const run = runtime.startWorkflow("again");
    expect((await rejection(runtime.result(run))).detail).to.deep.include({ nodePath: "b" });
    runtime.registerWorkflow(workflow(echo("nodes.a.output")));
    const retried = await runtime.retryFrom(run, { latest: true });
    expect(await runtime.result(retried)).to.equal(1);
    expect(await runtime.archive.task(`${retried}/a`), "it was taken over").to.equal(undefined);

    const fired: string[] = [];
    runtime.on("schedule.fired", ({ execution }) => fired.push(execution));
    await runtime.schedule({ id: "tick", workflow: "again", cron: "* * * * * *" });
    await until(runtime, ({ executions }) => [...executions.keys()].some((id) => id.startsWith("tick@")));
    await runtime.unschedule("tick");
    expect(fired).to.have.length.greaterThan(0);
    expect(await runtime.result(fired[0] ?? "")).to.equal(1);
    expect((await rejection(runtime.schedule({ id: "bad", workflow: "again", cron: "61 * * * *" }))).code).to.equal(
      "schedule/invalid",
    );
  }).timeout(60_000);
});
