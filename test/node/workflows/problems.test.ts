/** What is found in a definition, with its code, its nodes, and a sentence. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import type { Problem } from "../../../src/core/workflows/proofs/problem.ts";
import { isError, validate, type KnownCapability } from "../../../src/core/workflows/proofs/validate.ts";
import { eventsOf } from "../core/disk.ts";
import { openWorld } from "../core/kit.ts";
import { registerAgent, registerWorkflow } from "../core/things.ts";

type Node = WorkflowInput["nodes"][number];
type Edge = NonNullable<WorkflowInput["edges"]>[number];

const task = (id: string, input = "null", ...capabilities: string[]): Node => ({
  id,
  type: "task",
  capabilities: capabilities.length > 0 ? capabilities : ["x"],
  input,
});
const decision = (id: string): Node => ({ id, type: "decision" });
const join = (id: string, mode: "all" | "any" | number): Node => ({ id, type: "join", mode });
const edge = (path: string, when?: string): Edge => {
  const [from = "", to = ""] = path.split(">");
  return { from, to, ...(when !== undefined && { when }) };
};

interface Given {
  readonly edges?: readonly Edge[];
  readonly output?: string;
  readonly capabilities?: readonly KnownCapability[];
}

/** All that is found but that failures aren't handled, which is true of nearly every definition. */
function find(nodes: readonly Node[], { edges = [], output, capabilities }: Given = {}): string[] {
  const definition = { id: "w", nodes, edges, ...(output !== undefined && { output }) };
  return validate(definition, { capabilities }).flatMap((one) =>
    one.code === "failure-unhandled" ? [] : [`${one.code} ${one.nodes.join()}: ${one.message}`],
  );
}

const fork = [decision("d"), task("a"), task("b")];
const forked = [edge("d>a", "input.ok"), edge("d>b"), edge("a>j"), edge("b>j")];

describe("a join", () => {
  it("that waits for both branches of a decision can never fire", () => {
    const problem = "join-never-fires j,a,b: the join 'j' waits for 2 inlets and can never go on: ";
    assert.deepEqual(find([...fork, join("j", 2)], { edges: forked }), [
      `${problem}at most one of 'a' and 'b' can reach it in the same run`,
    ]);
    for (const mode of ["all", "any", 1] as const)
      assert.deepEqual(find([...fork, join("j", mode)], { edges: forked }), []);
  });

  it("that waits for two of three exclusive branches and an open one can fire", () => {
    const nodes = [task("s"), ...fork, task("c"), join("j", 2)];
    const edges = [edge("s>d"), edge("s>c"), edge("c>j"), ...forked];
    assert.deepEqual(find(nodes, { edges }), []);
    const [three] = find(nodes.with(5, join("j", 3)), { edges });
    assert.match(three ?? "", /^join-never-fires j,c,a,b.*at most 2 of 'c', 'a' and 'b' can reach it/u);
  });

  it("behind a condition and its opposite can never fire, wherever these stand", () => {
    const nodes = [task("s"), task("a"), task("b"), join("j", 2)];
    const edges = [edge("s>a", "input.ok"), edge("s>b", "!(input.ok)"), edge("a>j"), edge("b>j")];
    assert.match(find(nodes, { edges })[0] ?? "", /^join-never-fires j/u);
    const apart = [edge("s>a"), edge("s>b"), edge("a>j", "input.ok"), edge("b>j", "!input.ok")];
    assert.match(find(nodes, { edges: apart })[0] ?? "", /^join-never-fires j/u);
    const other = [edge("s>a", "input.ok"), edge("s>b", "!input.well"), edge("a>j"), edge("b>j")];
    assert.deepEqual(find(nodes, { edges: other }).filter((one) => one.startsWith("join")), []); // prettier-ignore
  });

  it("that too many decisions lead to is told as unproved, not refused", () => {
    const ids = Array.from({ length: 40 }, (_none, at) => String(at));
    const nodes = ids.flatMap((id) => [task(`s${id}`), task(`t${id}`)]);
    const edges = ids.flatMap((id) => [edge(`s${id}>t${id}`, `input.q${id}`), edge(`t${id}>j`)]);
    const found = validate({ id: "w", nodes: [...nodes, join("j", 20)], edges });
    assert.deepEqual(found.filter(isError), []);
    assert.deepEqual(found.find(({ code }) => code === "unproved")?.nodes, ["j"]);
  });
});

describe("a path", () => {
  it("that no run takes is told, and what only it leads to is refused", () => {
    const nodes = [decision("d"), task("a"), task("b"), task("c")];
    const edges = [edge("d>a", "1 > 2"), edge("d>b"), edge("a>c")];
    assert.deepEqual(find(nodes, { edges }), [
      "unreachable a: no run reaches 'a': the edge from 'd' is never taken, whatever comes",
      "unreachable c: nor does any lead to what is behind: 'c'",
    ]);
    assert.deepEqual(find(nodes.slice(0, 3), { edges: [edge("d>a", "true"), edge("d>b"), edge("a>b")] }), [
      "edge-never-taken d,b: the edge d → b is never taken, whatever comes",
    ]);
  });

  it("behind the same question with another answer is never taken", () => {
    const nodes = [decision("d"), task("a"), task("b"), decision("e"), task("f"), task("g")];
    const edges = [edge("d>a", "input.ok"), edge("d>b"), edge("a>e"), edge("e>f", "input.ok"), edge("e>g")];
    assert.match(find(nodes, { edges })[0] ?? "", /^unreachable g: /u);
  });

  it("may end where every edge has a condition, unless one of them holds surely", () => {
    const nodes = [task("s"), task("a"), task("b")];
    const open = find(nodes, { edges: [edge("s>a", "input.x > 1"), edge("s>b", "input.x < 1")] });
    assert.deepEqual(open, [
      "path-may-end s: a path may end at 's', when none of its conditions holds: add an edge for that case",
    ]);
    assert.deepEqual(find(nodes, { edges: [edge("s>a", "input.x"), edge("s>b", "!input.x")] }), []);
    assert.match(find([{ id: "p", type: "parallel" }])[0] ?? "", /^path-ends p: /u);
  });

  it("may wait for ever at an approval or an event without a timeout", () => {
    const waiting: Node[] = [
      { id: "q", type: "approval", message: "?" },
      { id: "q", type: "event", name: "paid", onTimeout: "continue", timeout: 1 },
    ];
    for (const { timeout: _, onTimeout: __, ...open } of waiting as (Node & { timeout?: number; onTimeout?: string })[])
      assert.match(find([open])[0] ?? "", /^endless-wait q: 'q' has no timeout/u);
    for (const ask of waiting) assert.deepEqual(find([{ ...ask, timeout: 1 } as Node]), []);
  });

  it("on which a failure ends the run is told once for all of them", () => {
    const found = validate({ id: "w", nodes: ["a", "b", "c", "d", "e", "f"].map((id) => task(id)) });
    assert.deepEqual(found, [
      {
        code: "failure-unhandled",
        severity: "warning",
        nodes: ["a", "b", "c", "d", "e", "f"],
        message: "no error edge handles a failure of 'a', 'b', 'c', 'd', 'e' and 1 more: it fails the run",
      },
    ]);
  });
});

describe("an expression", () => {
  it("that fails whenever it is evaluated is refused with its place", () => {
    const found = validate({ id: "w", nodes: [task("a"), task("b")], edges: [edge("a>b", "1 / 0 > 1")] });
    assert.deepEqual([found[0]?.code, found[0]?.edge], ["expression-fails", ["a", "b"]]);
    assert.match(find([task("a"), task("b")], { edges: [edge("a>b", "'yes'")] })[0] ?? "", /it is "yes", not true/u);
  });

  it("that reads what comes later, or what never has an output, is refused", () => {
    const nodes = [task("a", "nodes.b.output"), task("b")];
    assert.match(find(nodes, { edges: [edge("a>b")] })[0] ?? "", /^reads-later a,b: input of a: 'b' comes later/u);
    assert.match(find([task("a", "nodes.a.output")])[0] ?? "", /^reads-later a: .*before it has ended/u);
    const d = [decision("d"), task("a", "nodes.d.output")];
    assert.match(
      find(d, { edges: [edge("d>a")] })[0] ?? "",
      /^reads-nothing a,d: .*decision node, which has no output/u,
    );
  });

  it("that reads what may not be there is told, unless it asks first", () => {
    assert.match(find([task("a"), task("b", "nodes.a.output")])[0] ?? "", /^reads-unordered b,a: /u);
    const nodes = [...fork, task("j", "nodes.a.output")];
    assert.match(find(nodes, { edges: forked })[0] ?? "", /^reads-skipped j,a: .*ask has\(nodes\.a\.output\) first/u);
    const guarded = "has(nodes.a.output) ? nodes.a.output : nodes.b.output";
    assert.deepEqual(find([...fork, task("j", guarded)], { edges: forked }), []);
    assert.match(
      find(fork, { edges: forked.slice(0, 2), output: "nodes.a.output" })[0] ?? "",
      /^reads-skipped a: output/u,
    );
  });

  it("behind all branches of a fork may read every one of them", () => {
    const nodes: Node[] = [
      { id: "p", type: "parallel" },
      task("a"),
      task("b"),
      join("j", "all"),
      task("z", "[nodes.a.output, nodes.b.output]"),
    ];
    assert.deepEqual(find(nodes, { edges: [edge("p>a"), edge("p>b"), edge("a>j"), edge("b>j"), edge("j>z")] }), []);
    const any = nodes.with(3, join("j", "any"));
    const found = find(any, { edges: [edge("p>a"), edge("p>b"), edge("a>j"), edge("b>j"), edge("j>z")] });
    assert.deepEqual(found.map((one) => one.slice(0, 19)), ["reads-unordered z,a", "reads-unordered z,b"]); // prettier-ignore
  });
});

describe("the cost of an expression", () => {
  const costs = (input: string): string[] =>
    find([task("a", input)]).filter((one) => one.startsWith("expression-cost"));

  it("is bounded before it runs: refused where few items are too many, told where many are", () => {
    assert.deepEqual(costs("input.l.filter(x, x.n > input.least).map(x, x.n)"), []);
    const [told] = costs("input.l.map(x, input.l.filter(y, y.n > x.n))");
    assert.match(
      told ?? "",
      /^expression-cost a: input of a may take \d+ steps when lists have 1000 items; it has 100000/u,
    );
    const deep =
      "input.l.all(a, input.l.all(b, input.l.all(c, input.l.all(d, input.l.all(e, a + b + c + d + e > 1)))))";
    assert.match(costs(deep)[0] ?? "", /when lists have 10 items/u);
    assert.equal(validate({ id: "w", nodes: [task("a", deep)] }).filter(isError).length, 1);
  });
});

describe("what is passed on", () => {
  const capabilities: KnownCapability[] = [
    {
      name: "count",
      output: { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false },
    },
    {
      name: "say",
      input: {
        type: "object",
        properties: { text: { type: "string" }, to: { enum: ["ann", "bob"] } },
        required: ["text"],
        additionalProperties: false,
      },
    },
    { name: "list", output: { type: "array", items: { type: "string" } } },
  ];
  const pass = (input: string): string[] =>
    find([task("a", "null", "count"), task("l", "null", "list"), task("b", input, "say")], {
      edges: [edge("a>b"), edge("l>b")],
      capabilities,
    });

  it("and surely isn't what is taken is refused", () => {
    for (const [input, why] of [
      ["nodes.a.output", /it\.text is missing/u],
      ["nodes.a.output.m", /nodes\.a\.output has no 'm', only n/u],
      ["{'text': nodes.a.output.n}", /it\.text is a number, and a text is taken/u],
      ["{'text': 'x', 'more': 1}", /it\.more is not taken/u],
      ["{'text': 'x', 'to': 'eve'}", /it\.to is "eve", and one of \["ann","bob"\] is taken/u],
      ["'x'", /it is a text, and an object is taken/u],
      ["nodes.l.output", /it is a list, and an object is taken/u],
      ["{'text': nodes.l.output[0] + 1}", /'\+' doesn't take a text and a number/u],
      ["{'text': string(nodes.a.output.n - 'x')}", /'-' doesn't take a text/u],
    ] as const) {
      const [first] = pass(input);
      assert.match(first ?? "", why, input);
      assert.match(first ?? "", /^port-type b: input of b/u);
    }
  });

  it("and may be what is taken passes", () => {
    for (const input of [
      "{'text': string(nodes.a.output.n)}",
      "{'text': nodes.l.output[0], 'to': 'ann'}",
      "input",
      "{'text': input.x ? 'a' : string(1)}",
      "{input.key: 1}",
      "input.x ? {'text': 'a'} : {'text': 'b'}",
    ])
      assert.deepEqual(pass(input), [], input);
  });

  it("as the items of a map, as a condition, as the output of the run", () => {
    const map = (items: string): Node => ({ id: "m", type: "map", items, task: { capabilities: ["say"] } });
    const mapped = (items: string): string[] =>
      find([task("l", "null", "list"), map(items)], { edges: [edge("l>m")], capabilities });
    assert.match(
      mapped("nodes.l.output")[0] ?? "",
      /^port-type m: input of m, for 'say': it is a text, and an object/u,
    );
    assert.match(mapped("'x'")[0] ?? "", /^port-type m: items of m: it gives a text, and a list is needed/u);
    const nodes = [task("a", "null", "count"), task("l", "null", "list")];
    const edges = [edge("a>l", "nodes.a.output.n"), edge("a>l2", "nodes.a.output.n > 1")];
    const found = find([...nodes, task("l2", "null", "list")], { edges, capabilities });
    assert.match(found[0] ?? "", /^port-type a,l: condition of a → l: it gives a number, and true or false is needed/u);
    assert.match(
      find(nodes, { output: "nodes.l.output.x", edges: [edge("a>l")], capabilities })[0] ?? "",
      /^port-type : output of the workflow/u,
    );
    const ask: Node = { id: "q", type: "approval", message: "?", timeout: 1, onReject: "continue" };
    assert.match(
      find([ask, task("a")], { edges: [edge("q>a", "nodes.q.output.aproved")] })[0] ?? "",
      /has no 'aproved', only approved/u,
    );
  });

  it("to work that nobody does is told", () => {
    const found = find(
      [
        task("a", "null", "count@^2"),
        task("b", "null", "list.sort"),
        task("c", "null", "nothing"),
        task("d", "null", "nothing"),
      ],
      { capabilities },
    );
    assert.deepEqual(found.map((one) => one.split(":")[0]), ["capability-unknown a", "capability-unknown c,d"]); // prettier-ignore
  });
});

describe("a registration", () => {
  const workflow: WorkflowInput = {
    id: "w",
    nodes: [task("a", "{'text': 1}", "say"), task("b", "null", "nothing")],
    edges: [edge("a>b")],
  };
  const schema = { name: "say", input: JSON.stringify({ type: "object", properties: { text: { type: "string" } } }) };

  it("refuses errors by what the host knows, and tells warnings with the version", async () => {
    const world = await openWorld(1);
    const agent = registerAgent("a", { capabilities: ["say"] });
    assert.deepEqual(await world.submit({ type: "capability.register", data: schema }, agent), []);
    const [refusal] = world.push(registerWorkflow(workflow));
    assert.equal(refusal?.[1].message, "input of a, for 'say': it.text is a number, and a text is taken");
    assert.deepEqual((refusal[1].detail?.["problems"] as Problem[])[0]?.code, "port-type");
    const fine = { ...workflow, nodes: [task("a", "{'text': 'x'}", "say"), task("b", "null", "nothing")] };
    assert.deepEqual(await world.submit(registerWorkflow(fine)), []);
    const event = eventsOf(world.disk).find((one) => one.type === "workflow.registered");
    assert.ok(event?.type === "workflow.registered");
    const { version, warnings } = event.data;
    const told = warnings?.map(({ code, nodes }) => [code, nodes]);
    assert.deepEqual(told, [["capability-unknown", ["b"]], ["failure-unhandled", ["a", "b"]]]); // prettier-ignore
    assert.deepEqual(world.engine.state.workflows.versions.get(`w@${version}`)?.warnings, warnings);
  });

  it("refuses warnings too when it is strict", async () => {
    const world = await openWorld(1);
    const strict = {
      type: "workflow.register",
      data: { text: JSON.stringify({ id: "w", nodes: [task("a")] }), strict: true },
    } as const;
    assert.deepEqual(await world.submit(strict), ["workflow/invalid"]);
    assert.deepEqual(await world.submit({ ...strict, data: { text: strict.data.text } }), []);
    assert.deepEqual(await world.submit(strict), ["workflow/invalid"]);
  });
});

describe("bodies, error edges and variables", () => {
  const graph = (nodes: readonly unknown[], more: object = {}): string[] =>
    validate({ id: "w", nodes, ...more }).map(
      (one) => `${one.severity} ${one.code} ${one.nodes.join()}: ${one.message}`,
    );

  it("are looked into: a body's nodes are named by their path", () => {
    const inner = { nodes: [...fork, join("j", 2)], edges: forked };
    const found = graph([{ id: "m", type: "map", items: "input", body: inner }]);
    assert.match(found[0] ?? "", /^error join-never-fires m\/j,m\/a,m\/b: in 'm': the join 'j' waits for 2/u);
    const loop = {
      id: "l",
      type: "loop",
      until: "last.done",
      body: { nodes: [{ ...inner.nodes[1], input: "nodes.z.output" }] },
    };
    assert.match(graph([loop])[0] ?? "", /^error reads-unknown l\/a: in 'l': input of a: there is no node 'z'/u);
  });

  it("make a failure handled when an edge or a handler is for every one", () => {
    const unhandled = (nodes: readonly unknown[], edges: readonly unknown[] = []): string[] =>
      graph(nodes, { edges }).filter((one) => one.includes("failure-unhandled"));
    const [a, b] = [task("a"), { id: "b", type: "parallel" }];
    assert.equal(unhandled([a, b], [{ from: "a", to: "b", on: "error", codes: ["x"] }]).length, 1);
    assert.deepEqual(unhandled([a, b], [{ from: "a", to: "b", on: "error" }]), []);
    assert.deepEqual(unhandled([a, { id: "h", type: "errorHandler" }]), []);
    assert.deepEqual(unhandled([a, { id: "h", type: "errorHandler", action: "replace", output: "null" }]), []);
    assert.equal(unhandled([a, { id: "h", type: "errorHandler", action: "retry" }]).length, 1);
  });

  it("let no join wait for a node's success and its failure", () => {
    const nodes = [task("a"), task("b"), task("c"), join("j", 2)];
    const edges = [edge("a>b"), { ...edge("a>c"), on: "error" }, edge("b>j"), edge("c>j")];
    assert.match(graph(nodes, { edges })[0] ?? "", /^error join-never-fires j,b,c: /u);
    const read = graph([task("a"), task("c", "nodes.a.output")], { edges: [{ ...edge("a>c"), on: "error" }] });
    assert.match(read[0] ?? "", /^warning reads-skipped c,a: .*or have failed/u);
  });

  it("are held against their types: what is set, what is asked", () => {
    const variables = { n: { type: "number", merge: "sum" }, l: { type: "list", merge: "append" } };
    const set = (expressions: object): string[] =>
      graph([{ ...task("a"), set: expressions }], { variables }).filter((one) => one.startsWith("error"));
    assert.deepEqual(set({ n: "nodes.a.output.n", l: "'x'" }), []);
    assert.match(
      set({ n: "'x'" })[0] ?? "",
      /^error port-type a: set\.n of a: it gives a text, and a number is needed/u,
    );
    assert.match(set({ m: "1" })[0] ?? "", /^error variable-invalid a: 'a' sets 'm'/u);
    const input = graph([task("a", "vars.l.x")], { variables });
    assert.match(input[0] ?? "", /^error port-type a: input of a: vars\.l is a list or null, which has no 'x'/u);
    const loop = { id: "l", type: "loop", while: "index", task: { capabilities: ["x"] } };
    assert.match(graph([loop])[0] ?? "", /^error port-type l: while of l: it gives a number, and true or false/u);
  });
});
