/** Variables of runs: how they begin, what writes do to them, and that none is lost. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { planWorkflow } from "../../../src/core/workflows/plan.ts";
import { completes, fails, openWorld, type Behaviour } from "./kit.ts";
import { run, rowOf, task, type Ran } from "./runs.ts";
import { registerWorkflow, serve, startExecution } from "./things.ts";

type Node = WorkflowInput["nodes"][number];
type Variables = NonNullable<WorkflowInput["variables"]>;

const start = (
  variables: Variables,
  nodes: Node[],
  more: object = {},
  behaviour?: Behaviour,
  input: unknown = {},
): Promise<Ran> => run([{ id: "w", variables, nodes, ...more }], input, behaviour);

const variablesOf = ({ row }: Ran): unknown => JSON.parse(row.variables ?? "null");

const refused = (definition: object): string => {
  try {
    planWorkflow({ id: "w", ...definition });
    return "accepted";
  } catch (error) {
    return String(error);
  }
};

describe("a variable", () => {
  it("begins as it says, or with nothing; and the run's row tells how it ended", async () => {
    const variables = {
      a: { type: "number", initial: 7 },
      b: { type: "number", merge: "sum" },
      c: { type: "list", merge: "append", initial: [0] },
      d: { type: "any" },
    } as const;
    const ran = await start(variables, [task("t", "[vars.a, vars.b, vars.c, vars.d]")]);
    assert.deepEqual(ran.output, [7, 0, [0], null]);
    assert.deepEqual(variablesOf(ran), { a: 7, b: 0, c: [0], d: null });
  });

  it("takes each write by its rule, and none of branches at the same time is lost", async () => {
    const variables = {
      count: { type: "number", merge: "sum", initial: 100 },
      most: { type: "number", merge: "max" },
      least: { type: "number", merge: "min" },
      all: { type: "list", merge: "append", initial: ["first"] },
      each: { type: "list", merge: "union", initial: [1] },
    } as const;
    const branches = Array.from({ length: 20 }, (_none, at) => `t${String(at)}`);
    const set = (at: number): object => ({
      set: {
        count: "1",
        most: String(at),
        least: `${String(at)} - 5`,
        all: String(at),
        each: `[${String(at % 3)}, 1]`,
      },
    });
    const nodes = branches.map((id, at) => task(id, "null", set(at)));
    const late: Behaviour = (one) => completes(1 + one.chance.below(3))(one);
    const found = variablesOf(await start(variables, nodes, {}, late)) as Record<string, unknown>;
    assert.deepEqual([found["count"], found["most"], found["least"]], [120, 19, -5]);
    const all = found["all"] as unknown[];
    assert.equal(all[0], "first");
    assert.deepEqual(
      [...all.slice(1)].sort((a, b) => Number(a) - Number(b)),
      branches.map((_id, at) => at),
    );
    assert.deepEqual([...(found["each"] as number[])].sort(), [0, 1, 2]);
  });

  it("takes writes by a rule of one's own, an expression that reads it, and loses none of them", async () => {
    const branches = Array.from({ length: 20 }, (_none, at) => `t${String(at)}`);
    const better = (at: number): string => `vars.best == null || vars.best.score < ${String(at)}`;
    const nodes = branches.map((id, at) =>
      task(id, "1", {
        set: {
          best: `${better(at % 13)} ? {'score': ${String(at % 13)}, 'by': '${id}'} : vars.best`,
          twice: "2 * vars.twice",
        },
      }),
    );
    const variables = { best: { type: "map" }, twice: { type: "number", initial: 1 } } as const;
    const ran = await start(variables, nodes, {}, (work) => completes(1 + work.chance.below(9))(work));
    assert.deepEqual(variablesOf(ran), { best: { score: 12, by: "t12" }, twice: 2 ** 20 });
  });

  it("is set with its node's completion, so that conditions behind it see it", async () => {
    const nodes = [task("a", "5", { set: { x: "nodes.a.output * 2", all: "'a'" } }), task("b"), task("c")];
    const edges = [
      { from: "a", to: "b", when: "vars.x == 10 && vars.all == ['a']" },
      { from: "a", to: "c", when: "vars.x == null" },
    ];
    const variables = { x: { type: "number" }, all: { type: "list", merge: "append" } } as const;
    const { row, disk } = await start(variables, nodes, { edges });
    assert.deepEqual(
      row.nodes?.map(({ node, status }) => `${node} ${status}`),
      ["a completed", "b completed", "c skipped"],
    );
    const [set] = disk.events().flatMap(({ type, data }) => (type === "node.completed" && data.set ? [data.set] : []));
    assert.deepEqual(set, [
      { execution: "e", name: "x", value: "10" },
      { execution: "e", name: "all", add: ['"a"'] },
    ]);
  });

  it("of another type than what is written fails the node, and keeps its value", async () => {
    const nodes = [
      task("a", "null", { set: { x: "nodes.a.output == null ? 'text' : 1" } }),
      task("help", "[error.code, vars.x]"),
    ];
    const ran = await start({ x: { type: "number", initial: 1 } }, nodes, {
      edges: [{ from: "a", to: "help", on: "error" }],
    });
    assert.deepEqual(ran.output, { a: null, help: ["workflow/variable-type", 1] });
    const sum = [task("a", "null", { set: { x: "nodes.a.output" } })];
    assert.equal((await start({ x: { type: "number", merge: "sum" } }, sum)).row.error?.code, "workflow/variable-type");
  });

  it("isn't set by a node that fails, and is by one whose failure is replaced", async () => {
    const nodes: Node[] = [
      task("a", "null", { set: { x: "nodes.a.output" } }),
      { id: "h", type: "errorHandler", action: "replace", output: "4" },
    ];
    assert.deepEqual(variablesOf(await start({ x: { type: "number" } }, nodes, {}, fails(1, "bad"))), { x: 4 });
  });

  it("can be written from a map's and a loop's graphs; their own begin anew each time", async () => {
    const body = {
      variables: { own: { type: "number", merge: "sum" } } as const,
      nodes: [
        task("one", "index", { set: { own: "1", total: "item", seen: "vars.own" } }),
        task("two", "index", { set: { own: "1", seen: "vars.own" } }),
      ],
      edges: [{ from: "one", to: "two" }],
      output: "vars.own",
    };
    const variables = { total: { type: "number", merge: "sum" }, seen: { type: "list", merge: "append" } } as const;
    const ran = await start(variables, [{ id: "m", type: "map", items: "input", body }], {}, undefined, [1, 2, 3, 4]);
    assert.deepEqual(ran.output, [2, 2, 2, 2]);
    const { total, seen } = variablesOf(ran) as { total: number; seen: number[] };
    assert.deepEqual([total, seen.sort()], [10, [0, 0, 0, 0, 1, 1, 1, 1]]);
    assert.equal(rowOf(ran.disk, "e/m/2")?.variables, '{"own":2}');
    const loop: Node = {
      ...{ id: "l", type: "loop", until: "vars.total >= 5" },
      body: { nodes: [task("t", "index", { set: { total: "2" } })] },
    };
    assert.deepEqual(variablesOf(await start({ total: variables.total }, [loop])), { total: 6 });
  });

  it("isn't seen by another workflow that its run runs", async () => {
    const inner: WorkflowInput = {
      id: "inner",
      variables: { x: { type: "any" } },
      nodes: [task("t", "vars.x", { set: { x: "2" } })],
    };
    const outer: WorkflowInput = {
      id: "w",
      variables: { x: { type: "any", initial: 1 } },
      nodes: [{ id: "s", type: "subworkflow", workflow: "inner" }],
    };
    const ran = await run([inner, outer], {});
    assert.deepEqual([ran.output, variablesOf(ran)], [null, { x: 1 }]);
  });

  it("is refused when it can't be what it says, and so is a name that there isn't", () => {
    const nodes = [task("a")];
    assert.match(
      refused({ nodes, variables: { x: { type: "number", initial: "1" } } }),
      /'x' is a number, and begins as a string/u,
    );
    assert.match(
      refused({ nodes, variables: { x: { type: "any", merge: "append" } } }),
      /which is for the type "list"/u,
    );
    assert.match(refused({ nodes: [task("a", "vars.y")], variables: { x: { type: "any" } } }), /no variable 'y'/u);
    assert.match(
      refused({ nodes: [task("a", "vars")], variables: { x: { type: "any" } } }),
      /which variable it means/u,
    );
    assert.match(refused({ nodes: [task("a", "null", { set: { y: "1" } })] }), /sets 'y', which is no variable/u);
    assert.match(refused({ nodes: [task("a", "vars.x")] }), /vars/u);
  });

  it("that is a long list costs the same for each element, also over a restart", async () => {
    const world = await openWorld(1, { snapshotEvery: 500 });
    const body = { nodes: [task("t", "null", { set: { all: "'some words of some length'" } })] };
    const workflow: WorkflowInput = {
      id: "w",
      variables: { all: { type: "list", merge: "append" } },
      nodes: [{ id: "m", type: "map", items: "input", concurrency: 10, body }],
      output: "size(vars.all)",
    };
    await world.submit(...serve("a", { slots: 20 }), registerWorkflow(workflow));
    await world.submit(
      startExecution(
        "e",
        "w",
        Array.from({ length: 2_000 }, () => 0),
      ),
    );
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.output, "2000");
    const sizes = world.disk.history.map(({ text }) => text.length).slice(5, -5);
    assert.ok(Math.max(...sizes.slice(-50)) < 2 * Math.max(...sizes.slice(0, 50)));
    assert.equal(world.engine.state.workflows.entries.size + world.engine.state.workflows.variables.size, 0);
  });
});
