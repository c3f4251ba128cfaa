/** What a run has done is undone when it fails or is cancelled: the last thing first, each once. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { createChance } from "./chance.ts";
import { createDisk, eventsOf, type Disk } from "./disk.ts";
import { completes, createTime, fails, inTurn, never, openHost, openWorld, type Behaviour } from "./kit.ts";
import { rowOf, run, task, work } from "./runs.ts";
import { registerWorkflow, serve, startExecution } from "./things.ts";

type Node = WorkflowInput["nodes"][number];

const step = (id: string, more: object = {}): Node => task(id, `'${id}'`, { compensate: { ...work, ...more } });

const edgesOf = (...ids: readonly string[]): { from: string; to: string }[] =>
  ids.slice(1).map((to, at) => ({ from: ids[at] ?? "", to }));

/** Fails the tasks with these ids, for good. */
const failing =
  (...ids: readonly string[]): Behaviour =>
  (one) =>
    ids.includes(one.task.id) ? fails(1, "bad", false)(one) : completes(1)(one);

/** What was undone, in order, and with which input. */
const undone = ({ disk }: { readonly disk: Disk }): string[] =>
  eventsOf(disk).flatMap(({ type, data }) =>
    type === "task.created" && data.parent?.undo !== undefined ? [`${data.id} ${data.input}`] : [],
  );

describe("compensation", () => {
  const chain = { id: "w", nodes: [step("a"), step("b"), step("c"), task("d")], edges: edgesOf("a", "b", "c", "d") };

  it("undoes what was done before a failure, the last thing first, and the run says so in the end", async () => {
    const ran = await run([chain], {}, failing("e/d"));
    assert.deepEqual(undone(ran), ['e/c.undo "c"', 'e/b.undo "b"', 'e/a.undo "a"']);
    const titles = eventsOf(ran.disk).flatMap(({ type, data }) =>
      type === "task.created" && data.parent?.undo !== undefined ? (data.title ?? "") : [],
    );
    assert.deepEqual(titles, ["undo c", "undo b", "undo a"]);
    assert.deepEqual([ran.row.status, ran.row.error?.code], ["compensated", "bad"]);
    const types = ran.disk.events().map(({ type }) => type);
    assert.ok(types.indexOf("execution.compensating") < types.indexOf("compensation.started"));
  });

  it("isn't needed when the run ends well, nor when nothing was done", async () => {
    const ran = await run([chain], {});
    assert.deepEqual([ran.row.status, undone(ran)], ["completed", []]);
    const early = await run([chain], {}, failing("e/a"));
    assert.deepEqual([early.row.status, undone(early)], ["failed", []]);
  });

  it("gets what its input says, as it was when the node was done", async () => {
    const nodes = [
      task("a", "{'order': input.n}", {
        compensate: { ...work, input: "nodes.a.output.order + vars.more" },
        set: { more: "5" },
      }),
      task("b"),
    ];
    const definition: WorkflowInput = {
      id: "w",
      variables: { more: { type: "number", initial: 1 } },
      nodes,
      edges: edgesOf("a", "b"),
    };
    assert.deepEqual(undone(await run([definition], { n: 7 }, failing("e/b"))), ["e/a.undo 8"]);
  });

  it("is tried again by its own retry, and a step that can't be undone keeps no other from it", async () => {
    const nodes = [step("a"), step("b", { retry: { maxAttempts: 2, base: 1 } }), task("c")];
    const flaky: Behaviour = (one) => {
      if (one.task.id === "e/b.undo") return inTurn(fails(1, "busy"), completes(1))(one);
      return failing("e/c")(one);
    };
    const definition = { id: "w", nodes, edges: edgesOf("a", "b", "c") };
    const again = await run([definition], {}, flaky);
    assert.equal(again.row.status, "compensated");
    const broken = await run([definition], {}, failing("e/c", "e/b.undo"));
    assert.equal(broken.row.status, "compensation-failed");
    assert.deepEqual(undone(broken), ['e/b.undo "b"', 'e/a.undo "a"']);
    assert.equal(broken.row.error?.code, "bad");
  });

  it("undoes what was done when the run is cancelled, and isn't cancelled itself", async () => {
    const slow: Behaviour = (one) => (one.task.id === "e/d" ? never(one) : completes(5)(one));
    const world = await openWorld(1, { behaviour: slow });
    await world.submit(...serve("a", { slots: 9 }), registerWorkflow(chain), startExecution("e", "w"));
    await world.advance(20);
    const cancel = { type: "execution.cancel", data: { id: "e" } } as const;
    await world.submit(cancel, cancel, { type: "execution.pause", data: { id: "e" } });
    assert.equal(world.mirror.workflows.executions.get("e")?.status, "compensating");
    assert.equal(world.mirror.tasks.tasks.has("e/d"), false, "what ran was stopped");
    await world.submit(cancel);
    await world.finish();
    assert.deepEqual(
      [rowOf(world.disk, "e")?.status, undone(world)],
      ["compensated", ['e/c.undo "c"', 'e/b.undo "b"', 'e/a.undo "a"']],
    );
    const { undos, executions, nodes } = world.engine.state.workflows;
    assert.equal(undos.size + executions.size + nodes.size, 0);
  });

  it("goes on where it was when the host is lost", async () => {
    const slow: Behaviour = (one) =>
      one.task.id === "e/b.undo" && one.attempt === 1 ? never(one) : failing("e/d")(one);
    const world = await openWorld(1, { behaviour: slow });
    await world.submit(...serve("a", { slots: 9 }), registerWorkflow(chain), startExecution("e", "w"));
    await world.advance(100);
    world.kill();
    const next = await openHost({ ...world, behaviour: slow });
    await next.submit(...serve("z", { slots: 9 }));
    await next.finish();
    assert.equal(rowOf(world.disk, "e")?.status, "compensated");
    assert.deepEqual(undone(world), ['e/c.undo "c"', 'e/b.undo "b"', 'e/a.undo "a"'], "each is made once");
  });

  it("ends in the same way at whatever write the host is lost", async () => {
    const body = { nodes: [step("t"), task("u")], edges: edgesOf("t", "u") };
    const nodes: Node[] = [step("a"), { id: "m", type: "map", items: "[1, 2]", concurrency: 1, body }];
    const definition = { id: "w", nodes, edges: edgesOf("a", "m") };
    const runWith = async (at: number, fault: "refuse" | "fail-after"): Promise<[number, ...unknown[]]> => {
      const [disk, time, chance] = [createDisk(), createTime(), createChance(1)];
      let writes = 0;
      const behaviour = failing("e/m/1/u");
      for (let hosts = 0; hosts < 3 && !rowOf(disk, "e"); hosts++) {
        const gate = (): "refuse" | "fail-after" | undefined => (++writes === at ? fault : undefined);
        const host = await openHost({ disk, time, chance, behaviour, gate });
        if (!host.isOver()) host.push(...serve("a", { slots: 9 }), registerWorkflow(definition));
        if (!host.isOver() && !eventsOf(disk).some(({ type }) => type === "execution.started"))
          host.push(startExecution("e", "w"));
        await host.finish();
      }
      const row = rowOf(disk, "e");
      return [writes, row?.status, row?.error?.code, undone({ disk })];
    };
    const [writes, ...plain] = await runWith(0, "refuse");
    assert.deepEqual(plain, ["compensated", "bad", ['e/m/1/t.undo "t"', 'e/m/0/t.undo "t"', 'e/a.undo "a"']]);
    for (let at = 1; at <= writes; at++)
      for (const fault of ["refuse", "fail-after"] as const)
        assert.deepEqual((await runWith(at, fault)).slice(1), plain, `${fault} at ${String(at)} of ${String(writes)}`);
  });

  it("of runs within a run: a failed one undoes its own, a finished one hands up what it has done", async () => {
    const inner: WorkflowInput = { id: "inner", nodes: [step("x"), step("y")], edges: edgesOf("x", "y") };
    const nodes: Node[] = [
      step("a"),
      { id: "s", type: "subworkflow", workflow: "inner" },
      {
        id: "m",
        type: "map",
        items: "[1, 2]",
        concurrency: 1,
        body: { nodes: [step("t"), task("u")], edges: edgesOf("t", "u") },
      },
    ];
    const definition = { id: "w", nodes, edges: edgesOf("a", "s", "m") };
    const ran = await run([inner, definition], {}, failing("e/m/1/u"));
    assert.deepEqual(undone(ran), [
      ...['e/m/1/t.undo "t"', 'e/m/0/t.undo "t"', 'e/s/y.undo "y"', 'e/s/x.undo "x"', 'e/a.undo "a"'],
    ]);
    assert.deepEqual([ran.row.status, rowOf(ran.disk, "e/m/1")?.status], ["compensated", "compensated"]);
    assert.equal(rowOf(ran.disk, "e/s")?.status, "completed");
  });

  it("of runs that are stopped with the one around them is that one's", async () => {
    const body = { nodes: [step("t"), task("u")], edges: edgesOf("t", "u") };
    const nodes: Node[] = [{ id: "m", type: "map", items: "[1, 2, 3]", body }, task("late")];
    const slow: Behaviour = (one) => {
      if (one.task.id.endsWith("/u")) return never(one);
      return one.task.id === "e/late" ? fails(20, "bad")(one) : completes(1)(one);
    };
    const ran = await run([{ id: "w", nodes }], {}, slow);
    assert.equal(ran.row.status, "compensated");
    assert.deepEqual(undone(ran).sort(), ['e/m/0/t.undo "t"', 'e/m/1/t.undo "t"', 'e/m/2/t.undo "t"']);
    assert.equal(rowOf(ran.disk, "e/m/1")?.status, "cancelled");
  });

  it("isn't begun for a failure that is handled", async () => {
    const nodes = [step("a"), task("b"), task("help")];
    const edges = [...edgesOf("a", "b"), { from: "b", to: "help", on: "error" as const }];
    const ran = await run([{ id: "w", nodes, edges }], {}, failing("e/b"));
    assert.deepEqual([ran.row.status, undone(ran)], ["completed", []]);
  });
});
