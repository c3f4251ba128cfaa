/** What may be appended at a dynamic node: what that names, and nothing else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { never, openWorld } from "./kit.ts";
import { dynamic, plans, typesOf, workflow } from "./plans.ts";
import { rowOf, run, task } from "./runs.ts";
import { complete, registerWorkflow, serve, startExecution } from "./things.ts";

describe("a dynamic node", () => {
  it("refuses what isn't allowed, by name and place", async () => {
    const edge = (from: string, to: string): object => ({ from, to });
    const refused: readonly (readonly [graph: unknown, message: RegExp, allow?: object])[] = [
      [{ nodes: [task("a", "1", { capabilities: ["delete"] })] }, /'a' asks for 'delete'/u],
      [{ nodes: [task("a", "1", { compensate: { capabilities: ["delete"] } })] }, /'a' asks for 'delete'/u],
      [{ nodes: [task("a", "1", { limits: [{ limit: "none" }] })] }, /'a' names a limit: .*none/u],
      [{ nodes: [task("a", "1", { priority: "high" })] }, /'a' has the priority 'high'/u],
      [{ nodes: [{ id: "t", type: "timer", for: 1 }] }, /'t' is of the type 'timer'/u],
      [{ nodes: [{ id: "m", type: "map", items: "[1]", task: { capabilities: ["work"] } }] }, /type 'map'/u],
      [{ nodes: [dynamic()] }, /'d' is of the type 'dynamic'/u],
      [{ nodes: [task("a"), { id: "h", type: "errorHandler", action: "retry" }] }, /'h' is of the type/u],
      [
        {
          nodes: [
            { id: "m", type: "map", items: "[1]", body: { nodes: [task("x", "1", { capabilities: ["delete"] })] } },
          ],
        },
        /in 'm': 'x' asks for 'delete'/u,
        { capabilities: ["work"], types: ["map", "task"] },
      ],
      [
        { nodes: [{ id: "s", type: "subworkflow", workflow: "other" }] },
        /'s' runs 'other'/u,
        { capabilities: [], types: ["subworkflow"], workflows: ["inner"] },
      ],
      [{ nodes: [1, 2, 3].map((n) => task(`a${String(n)}`)) }, /3 nodes, where 2 are the most/u],
      [{ nodes: [task("a", "nodes.d.output")] }, /no node 'd'/u],
      [{ nodes: [task("a", "vars.secret")] }, /vars/u],
      [{ nodes: [task("a", "1", { set: { secret: "1" } })] }, /'secret'/u],
      [{ nodes: [task("a"), task("b")], edges: [edge("a", "b"), edge("b", "a")] }, /a cycle/u],
      [{ nodes: [{ id: "x", type: "decision" }] }, /no edge to decide on/u],
      ["none", /Object/u],
      [{ nodes: [task("a")], more: 1 }, /more/u],
      [{ nodes: [task("a", JSON.stringify("x".repeat(300_000)))] }, /more than 262144 characters/u],
    ];
    for (const [graph, message, allow] of refused) {
      const outer = workflow(
        { tries: 1, maxNodes: 2, ...(allow && { allow }) },
        { variables: { secret: { type: "any" } } },
      );
      const ran = await run(
        [{ id: "inner", nodes: [task("a")] }, outer],
        1,
        plans(() => graph),
      );
      assert.equal(ran.row.error?.code, "workflow/invalid", JSON.stringify(graph).slice(0, 100));
      assert.match(JSON.stringify(ran.row.error.detail), message);
      assert.equal(typesOf(ran, "graph.appended").length, 0);
    }
  });

  it("allows what is named: narrower capabilities, maps and loops, and pinned workflows", async () => {
    const allow = { capabilities: ["work"], types: ["task", "map", "subworkflow"], workflows: ["inner"] };
    const nodes = [
      { id: "m", type: "map", items: "[1, 2]", body: { nodes: [task("x", "item * 2")] } },
      { id: "s", type: "subworkflow", workflow: "inner", input: "size(nodes.m.output)" },
    ];
    const inner: WorkflowInput = { id: "inner", nodes: [task("a", "input + 40")] };
    const ran = await run(
      [inner, workflow({ allow })],
      1,
      plans(() => ({ nodes, edges: [{ from: "m", to: "s" }] })),
    );
    assert.deepEqual([ran.row.status, ran.output], ["completed", 42]);
    assert.deepEqual(Object.keys(ran.row.pins ?? {}), ["inner"]);
    assert.ok(rowOf(ran.disk, "e/d/0/m/1")?.version.endsWith("/m"));
    const world = await openWorld(1, { behaviour: never });
    await world.submit(registerWorkflow(workflow({ allow: { ...allow, workflows: ["nowhere"] } })));
    assert.deepEqual(await world.submit(startExecution("e", "w")), ["workflow/unknown"], "said at the start");
    await world.submit(registerWorkflow(workflow({ tries: 1, allow: { capabilities: ["work"], limits: ["api"] } })));
    assert.deepEqual(await world.submit(startExecution("e", "w")), ["limit/unknown"]);
    await world.submit({ type: "limit.set", data: { name: "api", concurrency: 1 } }, ...serve("a"));
    for (const [id, limits] of [
      ["f", []],
      ["g", [{ limit: "api" }]],
    ] as const) {
      await world.submit(startExecution(id, "w", 1));
      await world.submit(complete(`${id}/d/0.plan`, 1, JSON.stringify({ nodes: [task("a", "1", { limits })] })));
    }
    assert.match(rowOf(world.disk, "f")?.error?.message ?? "", /'a' doesn't count against the limit 'api'/u);
    assert.ok(world.engine.state.tasks.tasks.has("g/d/0/a"));
  });
});
