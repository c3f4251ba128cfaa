/** What is wrong with a definition is said before it runs: which nodes, and why. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RuntimeError } from "../../../src/core/errors.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { planWorkflow } from "../../../src/core/workflows/plan.ts";
import type { Problem } from "../../../src/core/workflows/proofs/problem.ts";
import { createChance, seedOf } from "./chance.ts";
import { given, openWorld } from "./kit.ts";
import { registerWorkflow, startExecution } from "./things.ts";

type Node = WorkflowInput["nodes"][number];

const task = (id: string, input?: string): Node => ({ id, type: "task", capabilities: ["x"], ...(input && { input }) });
const join = (id: string, mode: "all" | "any" | number): Node => ({ id, type: "join", mode });
const edge = (from: string, to: string, when?: string): { from: string; to: string; when?: string } => ({
  from,
  to,
  ...(when !== undefined && { when }),
});

function problemsOf(nodes: readonly unknown[], edges: readonly unknown[] = [], more: object = {}): readonly Problem[] {
  try {
    planWorkflow({ id: "w", nodes, edges, ...more });
    return [];
  } catch (error) {
    assert.ok(error instanceof RuntimeError && error.code === "workflow/invalid", String(error));
    return error.detail["problems"] as readonly Problem[];
  }
}

function refuses(problems: readonly Problem[], nodes: readonly string[], message: RegExp): void {
  assert.ok(
    problems.some((one) => message.test(one.message) && JSON.stringify(one.nodes) === JSON.stringify(nodes)),
    `${String(message)} at ${nodes.join()} is not among ${JSON.stringify(problems)}`,
  );
}

describe("a definition is refused", () => {
  it("where a secret is used for anything else than to be passed on whole into a task", () => {
    const inputs = ["secrets", "secrets.a + 'x'", "[secrets.a == 'x']", "input.x ? secrets.a : 'b'", "size(secrets.a)"];
    const more = ["{secrets.a: 1}", "{input.k: secrets.a}", "{'x': secrets}", "secrets[input.x]", "has(secrets.a)"];
    const macros = ["[1].map(x, secrets.a)", "input.l.filter(x, x == secrets.a)", "[secrets.a][0]", "secrets.a.b"];
    for (const input of [...inputs, ...more, ...macros])
      refuses(problemsOf([task("t", input)]), ["t"], /a secret can only be passed on whole/u);
    for (const field of [{ set: { v: "secrets.a" } }, { compensate: { capabilities: ["x"], input: "secrets.a" } }])
      refuses(
        problemsOf([{ ...task("t"), ...field }], [], { variables: { v: { type: "any" } } }),
        ["t"],
        /there is no secrets/u,
      );
    refuses(problemsOf([task("t")], [], { output: "secrets.a" }), [], /there is no secrets/u);
    refuses(
      problemsOf([task("t"), task("u")], [edge("t", "u", "secrets.a == 'x'")]),
      ["t", "u"],
      /there is no secrets/u,
    );
    const within = { id: "m", type: "map", items: "input", body: { nodes: [task("t")], input: "secrets.a" } };
    refuses(problemsOf([within]), ["m"], /there is no secrets/u);
    refuses(
      problemsOf([{ id: "s", type: "subworkflow", workflow: "w", input: "secrets.a" }]),
      ["s"],
      /there is no secrets/u,
    );
    for (const good of ["secrets.a", "{'k': secrets.a, 'l': [1, {'m': secrets['b-c']}]}", "'secrets.a'"])
      assert.deepEqual(problemsOf([task("t", good)]), []);
  });

  it("for two nodes with one id", () => {
    refuses(problemsOf([task("a"), task("a")]), ["a"], /^two nodes have the id 'a'$/u);
  });

  it("for an edge that leads from or to nowhere", () => {
    const problems = problemsOf([task("a")], [edge("a", "b"), edge("c", "a")]);
    refuses(problems, ["b"], /a → b names no node 'b'/u);
    refuses(problems, ["c"], /c → a names no node 'c'/u);
  });

  it("for two edges between the same nodes", () => {
    refuses(
      problemsOf([task("a"), task("b")], [edge("a", "b"), edge("a", "b", "true")]),
      ["a", "b"],
      /two edges a → b/u,
    );
  });

  it("where a node lacks what it needs, or says what can't be", () => {
    const body = { nodes: [task("x")] };
    const mapped = { id: "n", type: "map", items: "[1]" };
    const looped = { id: "n", type: "loop", body };
    const wide = { id: "n", type: "parallel", onFailure: { needed: 3 } };
    const planned = { id: "n", type: "dynamic", capabilities: ["x"], input: "1" };
    const types = ["task", "subworkflow"];
    const flawed: readonly (readonly [node: object, code: string, message: RegExp])[] = [
      [mapped, "node-invalid", /needs either a task or a body/u],
      [{ ...mapped, body, task: { capabilities: ["x"] } }, "node-invalid", /needs either a task or a body/u],
      [{ ...looped, body: undefined, until: "true" }, "node-invalid", /needs either a task or a body/u],
      [looped, "node-invalid", /needs either 'while' or 'until'/u],
      [{ ...looped, while: "true", until: "true" }, "node-invalid", /needs either 'while' or 'until'/u],
      [wide, "node-invalid", /needs 3 of 2 branches/u],
      [
        { ...planned, allow: { capabilities: [], types } },
        "node-invalid",
        /allows subworkflows, but names no workflows/u,
      ],
    ];
    for (const [node, code, message] of flawed) {
      const problems = problemsOf([node, task("a"), task("b")], [edge("n", "a"), edge("n", "b")]);
      const found = problems.find((one) => message.test(one.message));
      assert.deepEqual([found?.code, found?.nodes], [code, ["n"]], `${String(message)} ${JSON.stringify(problems)}`);
    }
    for (const sound of [
      { ...mapped, body },
      { ...looped, until: "true" },
      { ...wide, onFailure: { needed: 2 } },
      { ...planned, allow: { capabilities: [], types, workflows: ["w"] } },
    ])
      assert.deepEqual(problemsOf([sound, task("a"), task("b")], [edge("n", "a"), edge("n", "b")]), []);
  });

  it("for a cycle, with its path", () => {
    const nodes = ["in", "a", "b", "c", "out"].map((id) => task(id));
    const edges = [edge("in", "a"), edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "out")];
    const [problem, ...others] = problemsOf(nodes, edges);
    assert.deepEqual(others, []);
    const path = problem?.nodes ?? [];
    assert.equal(problem?.message, `a cycle: ${path.join(" → ")}`);
    assert.equal(path[0], path.at(-1));
    assert.deepEqual([...path.slice(1)].sort(), ["a", "b", "c"]);
    for (const [at, to] of path.slice(1).entries())
      assert.ok(edges.some((one) => one.from === path[at] && one.to === to));
    refuses(problemsOf([task("a")], [edge("a", "a")]), ["a", "a"], /^a cycle: a → a$/u);
  });

  it("for a decision that has no default, or two of them, or nothing to decide on", () => {
    const nodes: Node[] = [{ id: "d", type: "decision" }, task("a"), task("b")];
    refuses(
      problemsOf(nodes, [edge("d", "a", "true"), edge("d", "b", "true")]),
      ["d"],
      /'d' needs one edge without a condition.*0$/u,
    );
    refuses(problemsOf(nodes, [edge("d", "a"), edge("d", "b")]), ["d"], /needs one edge without a condition.*2$/u);
    refuses(problemsOf([{ id: "d", type: "decision", mode: "all" }]), ["d"], /'d' has no edge to decide on/u);
  });

  it("for a join that can never fire", () => {
    refuses(problemsOf([task("a"), join("j", 2)], [edge("a", "j")]), ["j"], /'j' waits for 2 of 1 inlets/u);
    refuses(problemsOf([join("j", 1)]), ["j"], /waits for 1 of 0 inlets/u);
    assert.deepEqual(problemsOf([task("a"), task("b"), join("j", 2)], [edge("a", "j"), edge("b", "j")]), []);
  });

  it("for an expression that can't be read, wherever it stands", () => {
    const map: Node = { id: "m", type: "map", items: "input.(", task: { capabilities: ["x"], input: "item +" } };
    const ask: Node = { id: "q", type: "approval", message: "?", payload: "1 1" };
    const problems = problemsOf([task("a", "input["), map, ask], [edge("a", "m", "=="), edge("m", "q")], {
      output: ")",
    });
    refuses(problems, ["a"], /^input of a: /u);
    refuses(problems, ["m"], /^items of m: /u);
    refuses(problems, ["m"], /^input of m: /u);
    refuses(problems, ["q"], /^payload of q: /u);
    refuses(problems, ["a", "m"], /^condition of a → m: /u);
    refuses(problems, [], /^output of the workflow: /u);
  });

  it("for an expression that names a node which isn't there, wherever it stands", () => {
    const map: Node = {
      id: "m",
      type: "map",
      items: "nodes.x1.output",
      task: { capabilities: ["x"], input: "nodes['x2']" },
    };
    const edges = [edge("a", "m", "has(nodes.x3.output) || nodes.a.output")];
    const problems = problemsOf([task("a", "nodes . x4 . output"), map], edges, { output: "nodes.x5" });
    refuses(problems, ["m"], /no node 'x1'/u);
    refuses(problems, ["m"], /no node 'x2'/u);
    refuses(problems, ["a", "m"], /no node 'x3'/u);
    refuses(problems, ["a"], /no node 'x4'/u);
    refuses(problems, [], /no node 'x5'/u);
  });

  it("for an expression that doesn't say which node it means", () => {
    for (const input of ["nodes", "nodes[input.which].output", "'a' in nodes", "size(nodes) > 1", "[nodes]"])
      refuses(problemsOf([task("a", input)]), ["a"], /must say which node/u);
  });

  it("for names that aren't in reach: an item outside of a map, a variable of the world", () => {
    for (const input of ["item", "index", "window", "globalThis.fetch", "input.constructor"])
      assert.equal(problemsOf([task("a", input)]).length, 1, input);
    const map: Node = { id: "m", type: "map", items: "[item]", task: { capabilities: ["x"], input: "[item, index]" } };
    assert.equal(problemsOf([map]).length, 1);
  });

  it("for what isn't a workflow at all, with the place", () => {
    refuses(problemsOf([]), [], /nodes: /u);
    refuses(problemsOf([{ id: "a", type: "spin" }]), [], /nodes\.0\.type: /u);
    refuses(problemsOf([task("a b")]), [], /nodes\.0\.id: an id is a letter/u);
    refuses(problemsOf([task("__proto__")]), [], /nodes\.0\.id: no node can have this id/u);
    refuses(problemsOf([{ ...task("a"), retries: 3 }]), [], /nodes\.0\.retries: /u);
    for (const wrong of [null, 1, "w", [], { nodes: {} }])
      assert.throws(() => planWorkflow(wrong), { code: "workflow/invalid" });
  });

  it("as a command without harm, with the first problem as its text", async () => {
    const world = await openWorld(1);
    const [refusal] = world.push(registerWorkflow({ id: "w", nodes: [task("a"), task("a")], edges: [edge("a", "z")] }));
    const { code, message } = refusal?.[1] ?? {};
    assert.equal(code, "workflow/invalid");
    assert.equal(message, "two nodes have the id 'a' (and 1 more)");
    await given()
      .when({ type: "workflow.register", data: { text: "{" } })
      .gives("refused: json/invalid");
    await given().when(startExecution("e", "w")).gives("refused: workflow/unknown");
  });
});

describe("a definition is taken", () => {
  it("though a text, or a field of the input, looks like a node's name", () => {
    const map: Node = {
      id: "m",
      type: "map",
      items: "input.nodes.list",
      task: { capabilities: ["x"], input: "item.nodes.x" },
    };
    const nodes = [task("a", "'see nodes.nowhere'"), task("b", "{'nodes': input.nodes['other']}"), map];
    assert.deepEqual(problemsOf(nodes), []);
    assert.deepEqual(problemsOf([task("a"), task("b", "has(nodes.a) && has(nodes['a'].output)")]), []);
  });

  it("with an expression that begins with a name of a node that is named like a method of Object", () => {
    assert.deepEqual(problemsOf([task("toString"), task("b", "nodes.toString.output")], [edge("toString", "b")]), []);
  });

  it("exactly when its graph has no cycle", () => {
    const seed = seedOf(8);
    const chance = createChance(seed);
    let cyclic = 0;
    for (let run = 0; run < 3_000; run++) {
      const ids = Array.from({ length: 2 + chance.below(8) }, (_none, at) => `n${String(at)}`);
      const edges = ids.flatMap((from) => ids.filter(() => chance.once(7)).map((to) => edge(from, to)));
      const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
        edges.some(
          (one) => one.from === from && !seen.has(one.to) && (one.to === to || reaches(one.to, to, seen.add(one.to))),
        );
      const hasCycle = ids.some((id) => reaches(id, id));
      const [problem] = problemsOf(
        ids.map((id) => task(id)),
        edges,
      );
      assert.equal(problem !== undefined, hasCycle, `seed ${String(seed)}, run ${String(run)}`);
      if (!hasCycle) continue;
      cyclic++;
      const path = problem?.nodes ?? [];
      for (const [at, to] of path.slice(1).entries())
        assert.ok(edges.some((one) => one.from === path[at] && one.to === to));
    }
    assert.ok(cyclic > 500);
  });
});
