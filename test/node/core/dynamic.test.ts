/** Dynamic nodes: their workers put out graphs, which are checked and run. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { nodesOf } from "../../../src/core/workflows/nodes.ts";
import { progressOf } from "../../../src/core/workflows/progress.ts";
import { validate } from "../../../src/core/workflows/proofs/validate.ts";
import { versionsOf } from "../../../src/core/workflows/versions.ts";
import { completes, fails, never, openWorld, type Behaviour } from "./kit.ts";
import { chain, dynamic, plans, typesOf, workflow, type Node, type Plan } from "./plans.ts";
import { rowOf, run, task } from "./runs.ts";
import { complete, registerWorkflow, serve, startExecution } from "./things.ts";

const noneLeft = (world: Awaited<ReturnType<typeof openWorld>>): void => {
  const left = [...world.engine.state.workflows.versions.values()].map(({ id }) => id).filter((id) => id.includes("#"));
  assert.deepEqual(left, []);
  assert.equal(world.engine.state.workflows.undos.size, 0);
};

describe("a dynamic node", () => {
  it("runs the graph that its worker puts out, and puts out what that does", async () => {
    const ran = await run(
      [workflow({ input: "input.n" })],
      { n: 4 },
      plans(() => chain("input * 10")),
    );
    assert.deepEqual([ran.row.status, ran.output], ["completed", 41]);
    assert.deepEqual(
      ran.disk.archived.map(({ id }) => id),
      ["e/d/0.plan", "e/d/0/a", "e/d/0/b", "e/d/0", "e"],
    );
    const child = rowOf(ran.disk, "e/d/0");
    assert.match(child?.version ?? "", /^\w{32}#d@\w{32}$/u);
    assert.deepEqual(child?.parent, { execution: "e", node: "d", index: 0 });
    const [appended] = typesOf(ran, "graph.appended");
    assert.deepEqual(appended?.data, {
      execution: "e",
      node: "d",
      index: 0,
      version: child.version,
      nodes: ["a", "b"],
    });
    assert.equal(ran.row.nodes?.[0]?.plan, undefined, "its text stands in the row of the task");
    const [step] = progressOf(ran.row).executionPath;
    assert.equal(step?.iterations, 1);
  });

  it("shows the nodes of what was appended, and keeps it no longer than it runs", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a", { slots: 9 }), registerWorkflow(workflow()), startExecution("e", "w", 1));
    const plan = JSON.stringify(chain("input"));
    await world.submit(complete("e/d/0.plan", 1, plan));
    for (const { workflows } of [world.engine.state, world.mirror]) {
      const child = workflows.executions.get("e/d/0");
      assert.ok(child);
      assert.deepEqual(
        nodesOf(workflows, child).map(({ node, status }) => [node, status]),
        [["a", "running"]],
      );
      assert.equal(workflows.versions.get(`w@${child.version}`)?.text, plan);
      assert.equal(versionsOf(workflows, "w").length, 1, "it is no version of the workflow");
    }
    await world.submit(complete("e/d/0/a", 1), complete("e/d/0/b", 1, "7"));
    assert.equal(rowOf(world.disk, "e")?.output, "7");
    noneLeft(world);
  });

  it("may append nothing, and say what its output is then", async () => {
    for (const [plan, output] of [
      [null, null],
      [{ nodes: [] }, null],
      [{ result: { found: 3 } }, { found: 3 }],
    ] as const) {
      const ran = await run(
        [workflow()],
        1,
        plans(() => plan),
      );
      assert.deepEqual([ran.row.status, ran.output], ["completed", output]);
      assert.equal(ran.row.nodes?.[0]?.output, JSON.stringify(output), "what is done again takes it over");
    }
  });

  it("is asked again after each graph, when it has rounds, until it appends nothing", async () => {
    const input = "{'index': index, 'last': last}";
    const seen: unknown[] = [];
    const counting: Plan = (given, index) => {
      seen.push(JSON.parse(given));
      return index < 3 ? { nodes: [task("a", "index == 0 ? 1 : last + input.index")] } : null;
    };
    const ran = await run([workflow({ input, rounds: 3 })], 1, plans(counting));
    assert.deepEqual(seen, [
      { index: 0, last: null },
      { index: 1, last: 1 },
      { index: 2, last: 2 },
      { index: 3, last: 4 },
    ]);
    assert.deepEqual([ran.row.status, ran.output], ["completed", 4]);
    const more = await run([workflow({ input, rounds: 2 })], 1, plans(counting));
    assert.deepEqual(
      [more.row.error?.code, more.row.error?.detail?.["max"]],
      ["workflow/loop-exceeded", 2],
      "a third one is too much",
    );
  });

  it("has the run's input at first, and what the last graph put out later, unless it says otherwise", async () => {
    const seen: string[] = [];
    const plan: Plan = (given, index) => {
      seen.push(given);
      return index < 1 ? { nodes: [task("a", "input.n + 1")] } : null;
    };
    await run([workflow({ rounds: 5 })], { n: 4 }, plans(plan));
    assert.deepEqual(seen, ['{"n":4}', "5"]);
  });

  it("tells its worker what is wrong with a graph, and asks again, up to its tries", async () => {
    const input = "{'problems': problems}";
    const seen: string[][] = [];
    const bad = { nodes: [task("a", "nodes.z.output")], edges: [{ from: "a", to: "a" }] };
    const learning: Plan = (given) => {
      const { problems } = JSON.parse(given) as { problems: { code: string }[] };
      seen.push(problems.map(({ code }) => code));
      return seen.length < 3 ? bad : { nodes: [task("a", "size(input.problems)")] };
    };
    const ran = await run([workflow({ input })], 1, plans(learning));
    assert.deepEqual(seen, [[], ["reads-unknown", "cycle"], ["reads-unknown", "cycle"]]);
    assert.deepEqual([ran.row.status, ran.output], ["completed", 0]);
    assert.equal(typesOf(ran, "graph.refused").length, 2);
    assert.deepEqual(
      ran.disk.archived.map(({ id }) => id).filter((id) => id.includes("plan")),
      ["e/d/0.plan", "e/d/0.plan2", "e/d/0.plan3"],
    );
    const failed = await run(
      [workflow({ tries: 2 })],
      1,
      plans(() => bad),
    );
    assert.equal(failed.row.error?.code, "workflow/invalid");
    assert.equal(failed.row.error.detail?.["nodePath"], "d");
    assert.equal((failed.row.error.detail["problems"] as unknown[]).length, 2);
  });

  it("fails with its worker, and with its graph, with the path to what failed", async () => {
    const picky: Behaviour = (one) => (one.task.id.endsWith("/b") ? fails(1, "bad")(one) : completes(1)(one));
    const failed = await run(
      [workflow()],
      1,
      plans(() => chain("1"), picky),
    );
    assert.deepEqual([failed.row.error?.code, failed.row.error?.detail?.["nodePath"]], ["bad", "d/0/b"]);
    const lost = await run([workflow()], 1, fails(1, "lost"));
    assert.deepEqual([lost.row.error?.code, lost.row.error?.detail?.["nodePath"]], ["lost", "d/0"]);
  });

  it("is begun anew by a handler, with graphs of its own", async () => {
    const handler: Node = { id: "h", type: "errorHandler", action: "retry" };
    let count = 0;
    const picky: Behaviour = (one) =>
      one.task.id.endsWith("/b") && ++count === 1 ? fails(1, "bad")(one) : completes(1)(one);
    const definition = { id: "w", nodes: [dynamic(), handler] };
    const ran = await run(
      [definition],
      1,
      plans(() => chain("1"), picky),
    );
    assert.deepEqual([ran.row.status, ran.output], ["completed", 2]);
    assert.ok(rowOf(ran.disk, "e/d.2/0"));
  });

  it("undoes what its graphs have done, after these have ended, the last first", async () => {
    const undoing = (id: string): object =>
      task(id, `'${id}' + string(index)`, { compensate: { capabilities: ["work"], retry: { maxAttempts: 1 } } });
    const undone: string[] = [];
    const behaviour = plans(
      (_given, index) => (index < 2 ? { nodes: [undoing("a"), undoing("b")], edges: [{ from: "a", to: "b" }] } : null),
      (one) => {
        if (one.task.parent?.undo !== undefined) undone.push(one.task.input);
        return one.task.id === "e/z" ? fails(1, "bad")(one) : completes(1)(one);
      },
    );
    const world = await openWorld(1, { behaviour });
    const definition = { id: "w", nodes: [dynamic({ rounds: 2 }), task("z")], edges: [{ from: "d", to: "z" }] };
    await world.submit(...serve("a", { slots: 9 }), registerWorkflow(definition), startExecution("e", "w", 1));
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.status, "compensated");
    assert.deepEqual(undone, ['"b1"', '"a1"', '"b0"', '"a0"']);
    noneLeft(world);
    const again = { ...definition, nodes: [dynamic({ rounds: 2 }), task("y")] };
    await world.submit(registerWorkflow({ ...again, edges: [] }), startExecution("f", "w", 1));
    await world.finish();
    assert.equal(rowOf(world.disk, "f")?.status, "completed");
    noneLeft(world);
  });

  it("stands still while its run is paused, at whatever point", async () => {
    const world = await openWorld(1, { behaviour: never });
    const pause = (type: "execution.pause" | "execution.resume") => ({ type, data: { id: "e" } }) as const;
    await world.submit(...serve("a", { slots: 9 }), registerWorkflow(workflow({ rounds: 1 })));
    await world.submit(startExecution("e", "w", 1), pause("execution.pause"));
    await world.submit(complete("e/d/0.plan", 1, JSON.stringify(chain("1"))));
    const { workflows, tasks } = world.engine.state;
    assert.deepEqual([workflows.executions.size, tasks.tasks.size], [1, 0], "the graph waits");
    await world.submit(pause("execution.resume"));
    assert.ok(tasks.tasks.has("e/d/0/a"));
    await world.submit(pause("execution.pause"));
    assert.equal(workflows.executions.get("e/d/0")?.status, "paused");
    await world.submit(complete("e/d/0/a", 1), pause("execution.resume"), complete("e/d/0/b", 1));
    assert.ok(tasks.tasks.has("e/d/1.plan"), "asked once more");
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    assert.equal(tasks.tasks.size + workflows.executions.size + workflows.nodes.size, 0);
    assert.equal(saveState(world.mirror), saveState(world.engine.state));
    noneLeft(world);
  });

  it("is cancelled with its graph, and its graph's cancelling fails it", async () => {
    for (const [target, status] of [
      ["e", "cancelled"],
      ["e/d/0", "failed"],
    ] as const) {
      const world = await openWorld(1, { behaviour: never });
      await world.submit(...serve("a"), registerWorkflow(workflow()), startExecution("e", "w", 1));
      await world.submit(complete("e/d/0.plan", 1, JSON.stringify(chain("1"))));
      await world.submit({ type: "execution.cancel", data: { id: target } });
      assert.equal(rowOf(world.disk, "e")?.status, status);
      assert.equal(world.engine.state.tasks.tasks.size, 0);
      noneLeft(world);
    }
  });

  it("may stand in a body, and its plans are shared and forgotten", async () => {
    const body = { nodes: [dynamic({ input: "item" })] };
    const nodes: WorkflowInput["nodes"] = [{ id: "m", type: "map", items: "input", body }];
    const ran = await run(
      [{ id: "w", nodes }],
      [1, 2, 3],
      plans(() => chain("input")),
    );
    assert.deepEqual(ran.output, [2, 3, 4]);
    const versions = new Set(["e/m/0/d/0", "e/m/2/d/0"].map((id) => rowOf(ran.disk, id)?.version));
    assert.equal(versions.size, 1);
  });

  it("of many graphs costs the same for each", async () => {
    const rounds = 1_000;
    const plan: Plan = (_given, index) =>
      index < rounds ? { nodes: [task("a", `${String(index)} + 1`)] } : { result: "done" };
    const world = await openWorld(1, { behaviour: plans(plan) });
    await world.submit(
      ...serve("a", { slots: 9 }),
      registerWorkflow(workflow({ rounds })),
      startExecution("e", "w", 1),
    );
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.output, '"done"');
    const sizes = world.disk.history.map(({ text }) => text.length);
    assert.ok(Math.max(...sizes.slice(-50)) < 2 * Math.max(...sizes.slice(5, 50)));
    assert.ok(saveState(world.engine.state).length < 100_000);
  });

  it("goes on with another version, with the graph that runs, and can undo that", async () => {
    const world = await openWorld(1, { behaviour: never });
    const first = { id: "w", nodes: [dynamic({ rounds: 3 }), task("z")], edges: [{ from: "d", to: "z" }] };
    await world.submit(...serve("a", { slots: 9 }), registerWorkflow(first), startExecution("e", "w", 1));
    const graph = { nodes: [task("a", "1", { compensate: { capabilities: ["work"] } })] };
    await world.submit(complete("e/d/0.plan", 1, JSON.stringify(graph)), complete("e/d/0/a", 1));
    await world.submit(complete("e/d/1.plan", 1, JSON.stringify(graph)));
    await world.submit(registerWorkflow({ ...first, nodes: [dynamic({ rounds: 2 }), task("z")] }));
    const version = world.engine.state.workflows.active.get("w")?.version ?? "";
    assert.deepEqual(await world.submit({ type: "execution.migrate", data: { id: "e", version } }), []);
    await world.submit(complete("e/d/1/a", 1), complete("e/d/2.plan", 1, "null"));
    const { workflows, tasks } = world.engine.state;
    assert.equal(workflows.executions.get("e")?.undos, 2);
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    await world.submit(complete("e/d/1/a.undo", 1), complete("e/d/0/a.undo", 1));
    assert.equal(rowOf(world.disk, "e")?.status, "compensated");
    assert.equal(tasks.tasks.size, 0);
    noneLeft(world);
  });

  it("may append tasks that name a secret only where the node allows that one", async () => {
    const graph = JSON.stringify({ nodes: [task("a", "[secrets.key]")] });
    for (const secrets of [[], ["other"], ["key"]]) {
      const world = await openWorld(1, { behaviour: never });
      const allow = { capabilities: ["work"], secrets };
      await world.submit(...serve("a", { secrets: ["key"] }), registerWorkflow(workflow({ allow, tries: 1 })));
      await world.submit(startExecution("e", "w", 1), complete("e/d/0.plan", 1, graph));
      const { error } = rowOf(world.disk, "e") ?? {};
      if (secrets[0] === "key")
        assert.deepEqual(world.engine.state.tasks.tasks.get("e/d/0/a")?.secrets, [{ name: "key", at: [0] }]);
      else {
        assert.equal(error?.code, "workflow/invalid");
        assert.match(error.message, /'a' names the secret 'key', which isn't allowed/u);
      }
    }
  });

  it("is proved as any node is", () => {
    const codes = (more: object): string[] => validate(workflow(more)).map(({ code }) => code);
    assert.deepEqual(codes({}), ["failure-unhandled"]);
    assert.deepEqual(codes({ allow: { capabilities: [], types: ["subworkflow"] } }), [
      "node-invalid",
      "failure-unhandled",
    ]);
    assert.deepEqual(codes({ allow: { capabilities: ["a@1"] } }), ["schema"]);
    assert.deepEqual(codes({ allow: undefined }), ["schema"]);
    assert.deepEqual(codes({ input: "item" }), ["expression-invalid", "failure-unhandled"]);
  });
});
