/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment -- what is refused has no type */
/** Nodes that wait, graphs within nodes, and graphs that are appended, as typed calls. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cel, fromJSON, returns, workflow, type Expr } from "../../../src/workflow.ts";

declare module "../../../src/index.ts" {
  interface Capabilities {
    "drawn.score": { input: { claim: string }; output: number };
    "drawn.plan": { input: { goal: string; round: number } };
  }
}

interface Given {
  readonly goal: string;
  readonly claims: { readonly text: string }[];
  readonly wait: number;
}

const start = workflow<Given>("w");
const score = ["drawn.score"] as const;
const plan = ["drawn.plan"] as const;
const allow = { capabilities: ["search"] };

describe("nodes that wait, as typed calls", () => {
  it("are written as data", () => {
    const built = start
      .timer("pause", { for: ({ input }) => input.wait })
      .timer("later", { for: 1_000, late: "skip" })
      .timer("at", { until: "'2030-01-01T00:00:00Z'" })
      .event("paid", { name: "paid", key: ({ input }) => input.goal, timeout: 5, returns: returns<{ sum: number }>() })
      .monitor("calm", {
        capability: "drawn.score",
        when: ({ metrics, input }) => cel<boolean>`${metrics.failureRate} < 0.1 && ${metrics.ended} > ${input.wait}`,
        timeout: 10,
      })
      .output(({ nodes }) => [
        nodes.pause.output.late,
        nodes.paid.output.payload.sum,
        nodes.calm.output.metrics.failed,
        nodes.calm.output.held,
      ])
      .build();
    assert.deepEqual(built.nodes, [
      { id: "pause", type: "timer", for: "input.wait" },
      { id: "later", type: "timer", for: 1_000, late: "skip" },
      { id: "at", type: "timer", until: "'2030-01-01T00:00:00Z'" },
      { id: "paid", type: "event", name: "paid", key: "input.goal", timeout: 5 },
      {
        ...{ id: "calm", type: "monitor", capability: "drawn.score", timeout: 10 },
        when: "metrics.failureRate < 0.1 && metrics.ended > input.wait",
      },
    ]);
    assert.equal(
      built.output,
      "[nodes.pause.output.late, nodes.paid.output.payload.sum, nodes.calm.output.metrics.failed, nodes.calm.output.held]",
    );
    assert.deepEqual(fromJSON(built).build(), built);
  });

  it("have ports that the compiler knows", () => {
    // @ts-expect-error -- a goal is no span
    start.timer("a", { for: ({ input }) => input.goal });
    const paid = start.event("paid", { name: "paid", returns: returns<{ sum: number }>() });
    // @ts-expect-error -- a message has no such field
    paid.output(({ nodes }) => nodes.paid.output.payload.total);
    // @ts-expect-error -- there is no such metric
    start.monitor("m", { capability: "c", when: ({ metrics }) => cel<boolean>`${metrics.speed} > 1` });
    // @ts-expect-error -- a metric is no condition
    start.monitor("m", { capability: "c", when: ({ metrics }) => metrics.ended });
    // @ts-expect-error -- `when` is missing
    assert.throws(() => start.monitor("m", { capability: "c" }).build(), { code: "workflow/invalid" });
  });
});

describe("graphs within nodes, as typed calls", () => {
  it("are drawn by a function, which is given what stands for the item", () => {
    const built = start
      .map("each", {
        items: ({ input }) => input.claims,
        concurrency: 2,
        returns: returns<number>(),
        body: (graph, { item, index }) =>
          graph
            .with({ variables: { seen: { type: "number" } } })
            .task("score", { capabilities: score, input: ({ input }) => ({ claim: input.text }) })
            .task("again", {
              capabilities: score,
              input: () => ({ claim: item.text }),
              set: { seen: () => index },
            })
            .output(({ nodes }) => nodes.again.output),
      })
      .loop("rounds", {
        until: ({ last }) => last.done,
        returns: returns<{ done: boolean }>(),
        body: (graph, { index, last }) =>
          graph.map("inner", {
            items: () => cel<number[]>`[${index}, ${last.done} ? 1 : 2]`,
            body: (inner, { item }) => inner.task("t", { capabilities: ["x"], input: () => ({ of: item }) }),
          }),
      })
      .output(({ nodes }) => ({ scores: nodes.each.output, done: nodes.rounds.output.done }))
      .build();
    assert.deepEqual(built.nodes, [
      {
        ...{ id: "each", type: "map", items: "input.claims", concurrency: 2 },
        body: {
          variables: { seen: { type: "number" } },
          nodes: [
            { id: "score", type: "task", capabilities: ["drawn.score"], input: '{"claim": input.text}' },
            {
              ...{ id: "again", type: "task", capabilities: ["drawn.score"], input: '{"claim": item.text}' },
              set: { seen: "index" },
            },
          ],
          edges: [{ from: "score", to: "again" }],
          output: "nodes.again.output",
        },
      },
      {
        ...{ id: "rounds", type: "loop", until: "last.done" },
        body: {
          nodes: [
            {
              ...{ id: "inner", type: "map", items: "[index, last.done ? 1 : 2]" },
              body: {
                nodes: [{ id: "t", type: "task", capabilities: ["x"], input: '{"of": item}' }],
                edges: [],
              },
            },
          ],
          edges: [],
        },
      },
    ]);
    assert.deepEqual(fromJSON(built).build(), built);
  });

  it("have ports that the compiler knows", () => {
    start.map("each", {
      items: ({ input }) => input.claims,
      // @ts-expect-error -- an item has no title
      body: (graph, { item }) => graph.task("score", { capabilities: score, input: () => ({ claim: item.title }) }),
    });
    // @ts-expect-error -- a body is a graph
    assert.throws(() => start.map("each", { items: "input.claims", body: () => "a" }));
    const each = start.map("each", {
      items: ({ input }) => input.claims,
      returns: returns<number>(),
      body: (graph) => graph.join("j"),
    });
    // @ts-expect-error -- its output is a list of numbers
    each.task("t", { capabilities: score, input: ({ nodes }) => ({ claim: nodes.each.output }) });
  });
});

describe("a graph within a graph that is drawn", () => {
  it("can't take for its own item what is the item of the graph around it", () => {
    const nested = (inner: (outer: Expr<number>) => object): unknown =>
      workflow<{ rows: number[][] }>("w").map("rows", {
        items: ({ input }) => input.rows,
        body: (graph, { index: outer }) => graph.map("cells", { items: "input", ...inner(outer) } as never),
      });
    const work = { capabilities: ["x"] };
    for (const options of [
      (outer: Expr<number>) => ({ task: { ...work, input: () => outer } }),
      (outer: Expr<number>) => ({ task: work, key: () => outer }),
      (outer: Expr<number>) => ({ body: (graph: typeof start) => graph.task("t", { ...work, input: () => outer }) }),
    ])
      assert.throws(() => nested(options), { code: "expression/invalid" });
  });
});

describe("a dynamic node, as a typed call", () => {
  it("is asked for graphs with the port of its capability, and puts out what these do", () => {
    const built = start
      .dynamic("research", {
        capabilities: plan,
        allow,
        rounds: 5,
        input: ({ input, index }) => ({ goal: input.goal, round: index }),
        returns: returns<{ facts: string[] }>(),
      })
      .output(({ nodes }) => nodes.research.output.facts)
      .build();
    assert.deepEqual(built.nodes, [
      {
        ...{ id: "research", type: "dynamic", capabilities: ["drawn.plan"], allow, rounds: 5 },
        input: '{"goal": input.goal, "round": index}',
      },
    ]);
    assert.deepEqual(fromJSON(built).build(), built);
    const told = start.dynamic("d", {
      capabilities: ["x"],
      allow,
      returns: returns<string>(),
      input: ({ problems, last }) => [problems, last],
    });
    assert.equal(told.build().nodes.length, 1);
    // @ts-expect-error -- `round` is missing
    start.dynamic("d", { capabilities: plan, allow, input: ({ input }) => ({ goal: input.goal }) });
    // @ts-expect-error -- it says nowhere what is allowed
    assert.throws(() => start.dynamic("d", { capabilities: plan }).build(), { code: "workflow/invalid" });
    // @ts-expect-error -- nobody is allowed to append those
    start.dynamic("d", { capabilities: plan, allow: { capabilities: [], types: ["dynamic"] } });
  });
});
