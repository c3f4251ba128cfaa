/** What becomes of a run when one of its nodes fails: error edges, error handlers, and branches that may fail. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { completes, fails, inTurn, never, type Behaviour } from "./kit.ts";
import { run, task, type Ran } from "./runs.ts";

type Node = WorkflowInput["nodes"][number];
type Edges = NonNullable<WorkflowInput["edges"]>;

/** Workers that fail the tasks of these nodes, each with a code of its own name. */
const failing =
  (...nodes: readonly string[]): Behaviour =>
  (one) => {
    const node = one.task.parent?.node ?? "";
    return nodes.includes(node) ? fails(1, `bad/${node}`)(one) : completes(2)(one);
  };

const start = (
  nodes: Node[],
  edges: Edges,
  behaviour: Behaviour,
  input: unknown = 1,
  more: object = {},
): Promise<Ran> => run([{ id: "w", nodes, edges, ...more }], input, behaviour);

const statuses = ({ row }: Ran): object =>
  Object.fromEntries(row.nodes?.map(({ node, status }) => [node, status]) ?? []);

const onError = (from: string, to: string, more: object = {}): Edges[number] => ({ from, to, on: "error", ...more });
const handler = (more: object): Node => ({ id: "h", type: "errorHandler", ...more });

describe("an error edge", () => {
  const nodes = [
    task("a"),
    task("next"),
    task("help", "{'code': error.code, 'node': error.node, 'why': error.message}"),
  ];
  const edges = [{ from: "a", to: "next" }, onError("a", "help")];

  it("is taken when its node fails, and its other edges are dead then", async () => {
    const ran = await start(nodes, edges, failing("a"));
    assert.equal(ran.row.status, "completed");
    assert.deepEqual(statuses(ran), { a: "failed", next: "skipped", help: "completed" });
    assert.deepEqual(ran.output, { next: null, help: { code: "bad/a", node: "a", why: "bad/a" } });
  });

  it("is dead when its node ends well", async () => {
    const ran = await start(nodes, edges, failing());
    assert.deepEqual(statuses(ran), { a: "completed", next: "completed", help: "skipped" });
  });

  it("is for its codes alone, and for those that begin as they say", async () => {
    for (const [codes, status] of [
      [["bad/a"], "completed"],
      [["other", "bad/*"], "completed"],
      [["bad", "other/*"], "failed"],
    ] as const) {
      const { row } = await start(nodes, [onError("a", "help", { codes: [...codes] })], failing("a"));
      assert.equal(row.status, status, codes.join());
    }
  });

  it("may have a condition, which sees the error", async () => {
    const when = (source: string): Promise<Ran> => start(nodes, [onError("a", "help", { when: source })], failing("a"));
    assert.equal((await when("error.code == 'bad/a' && input == 1")).row.status, "completed");
    assert.equal((await when("input == 2")).row.error?.code, "bad/a");
    const broken = await when("input");
    assert.deepEqual([broken.row.error?.code, broken.row.error?.cause?.code], ["expression/failed", "bad/a"]);
  });

  it("may lead where a normal edge of the same node leads, which is then reached in any case", async () => {
    const nodes = [task("a"), task("last", "error == null ? 'fine' : error.code")];
    const edges = [{ from: "a", to: "last" }, onError("a", "last")];
    assert.equal((await start(nodes, edges, failing())).output, "fine");
    assert.equal((await start(nodes, edges, failing("a"))).output, "bad/a");
  });

  it("catches conditions that can't be told and maps that have no list", async () => {
    const nodes: Node[] = [
      task("a"),
      task("b"),
      { id: "m", type: "map", items: "input", task: { capabilities: ["work"] } },
      task("help", "error.code"),
    ];
    const edges = [{ from: "a", to: "b", when: "input" }, onError("a", "help"), onError("m", "help")];
    const ran = await start(nodes, edges, failing());
    assert.deepEqual(statuses(ran), { a: "failed", b: "skipped", m: "failed", help: "completed" });
  });

  it("of a map or a loop shows what there was so far, and stops the rest", async () => {
    const picky: Behaviour = (one) => {
      const { parent, input } = one.task;
      if (parent?.index === undefined) return completes(1)(one);
      return input === "3" ? fails(5, "bad")(one) : input === "4" ? never(one) : completes(1)(one);
    };
    const nodes: Node[] = [
      { id: "m", type: "map", items: "[1, 2, 3, 4]", task: { capabilities: ["work"], retry: { maxAttempts: 1 } } },
      task("help", "{'so far': error.output, 'path': error.detail.nodePath}"),
    ];
    const { output, disk } = await start(nodes, [onError("m", "help")], picky);
    const failed = { error: { code: "bad", message: "bad" } };
    assert.deepEqual(output, { m: null, help: { "so far": [1, 2, failed, null], path: "m/2" } });
    assert.match(disk.archived.find(({ id }) => id === "e/m/3")?.text ?? "", /"status":"cancelled"/u);
  });

  it("is what a node behind others sees last", async () => {
    const nodes = [task("a"), task("b"), task("c"), task("end", "error.node")];
    const edges = [onError("a", "b"), onError("b", "c"), { from: "c", to: "end" }];
    assert.deepEqual((await start(nodes, edges, failing("a", "b"))).output, { a: null, b: null, end: "b" });
  });

  it("isn't followed when the run is cancelled, or its own help fails too", async () => {
    const { row } = await start(nodes, edges, failing("a", "help"));
    assert.deepEqual([row.status, row.error?.code, row.error?.detail?.["nodePath"]], ["failed", "bad/help", "help"]);
  });
});

describe("an error handler", () => {
  it("is reached at the first failure of any node before it, and goes on along its edges", async () => {
    const nodes = [task("a"), task("b"), handler({}), task("after", "{'h': nodes.h.output, 'e': error.code}")];
    const edges = [
      { from: "a", to: "b" },
      { from: "h", to: "after" },
    ];
    const ran = await start(nodes, edges, failing("b"));
    assert.deepEqual(ran.output, { b: null, after: { h: { node: "b", code: "bad/b", message: "bad/b" }, e: "bad/b" } });
    assert.deepEqual(statuses(await start(nodes, edges, failing())), {
      ...{ a: "completed", b: "completed", h: "skipped", after: "skipped" },
    });
    assert.equal(
      (await start(nodes, edges, failing("b", "after"))).row.error?.code,
      "bad/after",
      "not for what is behind it",
    );
  });

  it("is for its scope and its codes; the first one that is for a failure acts", async () => {
    const nodes = [
      task("a"),
      task("b"),
      { ...handler({ scope: ["b"] }), id: "h1" },
      { ...handler({ codes: ["other"] }), id: "h2" },
      { ...handler({ codes: ["bad/*"] }), id: "h3" },
      { ...handler({}), id: "h4" },
    ];
    const ends = statuses(await start(nodes, [], failing("a"))) as Record<string, string>;
    assert.deepEqual([ends["h1"], ends["h2"], ends["h3"], ends["h4"]], ["skipped", "skipped", "completed", "skipped"]);
  });

  it("that replaces gives what failed an output, and the run goes on from there", async () => {
    const nodes = [
      task("a"),
      task("b", "nodes.a.output"),
      handler({ action: "replace", output: "{'instead': error.code}" }),
    ];
    const ran = await start(nodes, [{ from: "a", to: "b", when: "nodes.a.output.instead == 'bad/a'" }], failing("a"));
    assert.deepEqual(ran.output, { instead: "bad/a" });
    const [a] = ran.row.nodes ?? [];
    assert.deepEqual([a?.status, a?.error?.code, a?.output], ["completed", "bad/a", '{"instead":"bad/a"}']);
  });

  it("that retries begins a node anew, as often as it says, and then leaves it to the next", async () => {
    const nodes = [task("a"), handler({ action: "retry", times: 2 })];
    const { row, disk } = await start(nodes, [], failing("a"));
    assert.deepEqual([row.status, row.error?.code], ["failed", "bad/a"]);
    assert.deepEqual(
      disk.archived.map(({ id }) => id),
      ["e/a", "e/a.2", "e/a.3", "e"],
    );
    const second: Behaviour = (one) => (one.task.id === "e/a.2" ? completes(1)(one) : fails(1, "bad")(one));
    assert.equal((await start(nodes, [], second)).output, 1);
  });

  it("that retries a map or a loop begins it from the start, and hears no more of the round before", async () => {
    for (const type of ["map", "loop"]) {
      const nodes = [
        {
          ...{ id: "n", type, ...(type === "map" ? { items: "[1, 2, 3]" } : { until: "index == 2" }) },
          body: { nodes: [task("t", "index")] },
        } as Node,
        handler({ action: "retry" }),
      ];
      const late: Behaviour = (one) =>
        one.task.id.startsWith("e/n/1/") ? fails(2, "bad")(one) : inTurn(completes(3))(one);
      const { output, disk } = await start(nodes, [], late);
      assert.deepEqual(output, type === "map" ? [0, 1, 2] : 2);
      assert.ok(disk.archived.some(({ id }) => id === "e/n.2/1/t"));
    }
  });

  it("that rethrows keeps a failure from the handlers behind it", async () => {
    const nodes = [task("a"), { ...handler({ action: "rethrow", codes: ["bad/a"] }), id: "first" }, handler({})];
    const { row } = await start(nodes, [], failing("a"));
    assert.deepEqual([row.status, row.error?.code], ["failed", "bad/a"]);
  });

  it("comes after a node's own error edges", async () => {
    const nodes = [task("a"), task("own", "'own'"), handler({ action: "replace", output: "'handler'" })];
    assert.deepEqual((await start(nodes, [onError("a", "own")], failing("a"))).output, { a: null, own: "own" });
  });
});

describe("a parallel node", () => {
  const nodes = (onFailure: unknown): Node[] => [
    { id: "split", type: "parallel", onFailure } as Node,
    ...["a", "a2", "b", "c"].map((id) => task(id)),
    { id: "meet", type: "join" },
    task("end"),
  ];
  const edges = [
    ["split", "a"],
    ["a", "a2"],
    ["split", "b"],
    ["split", "c"],
    ["a2", "meet"],
    ["b", "meet"],
    ["c", "meet"],
    ["meet", "end"],
  ].map(([from = "", to = ""]) => ({ from, to }));

  it("fails with the first branch that does, unless it says otherwise", async () => {
    assert.equal((await start(nodes("fail-fast"), edges, failing("b"))).row.error?.code, "bad/b");
  });

  it("that collects goes on with the branches that are left, and fails when none is", async () => {
    const ran = await start(nodes("collect"), edges, failing("a", "b"));
    assert.deepEqual([ran.row.status, ran.output], ["completed", 1]);
    assert.deepEqual(statuses(ran), {
      ...{ split: "completed", a: "failed", a2: "skipped", b: "failed", c: "completed", meet: "completed" },
      end: "completed",
    });
    assert.equal((await start(nodes("collect"), edges, failing("a", "b", "c"))).row.status, "failed");
  });

  it("may need so many branches", async () => {
    assert.equal((await start(nodes({ needed: 2 }), edges, failing("b"))).row.status, "completed");
    assert.equal((await start(nodes({ needed: 2 }), edges, failing("a2", "b"))).row.status, "failed");
  });

  it("doesn't speak for what comes where its branches have met", async () => {
    assert.equal((await start(nodes("collect"), edges, failing("end"))).row.error?.code, "bad/end");
  });
});

describe("a failure that nothing is for", () => {
  it("ends its run in the same step: nothing else of it begins or fails", async () => {
    const split: Node = { id: "split", type: "parallel" };
    const broken: Node[] = ["x", "y"].map((id) => ({ id, type: "parallel" }));
    const edges = ["x", "y", "t"].map((to) => ({ from: "split", to }));
    const ways = ["x", "y"].map((from) => ({ from, to: "end", when: "input.nothing" }));
    const ran = await start([split, ...broken, task("t"), task("end")], [...edges, ...ways], never);
    assert.equal(ran.row.status, "failed");
    assert.deepEqual(statuses(ran), { split: "completed", x: "failed", y: "running", t: "running" });
    const told = ran.disk.events().map(({ type }) => type);
    assert.equal(told[told.indexOf("node.failed") + 1], "execution.failed");
    assert.ok(!told.slice(told.indexOf("execution.failed")).some((type) => /^node|^task.assigned/u.test(type)));
  });
});

describe("a join with an expression", () => {
  const join = (when: string): Node => ({ id: "j", type: "join", mode: { when } });
  const edges = ["a", "b", "c"].map((from) => ({ from, to: "j", ...(from === "c" && { when: "input.c" }) }));

  it("goes on as soon as it holds, over which inlets have come", async () => {
    const nodes = [
      task("a"),
      task("b"),
      task("c"),
      join("has(inlets.a) && has(inlets.c)"),
      task("end", "nodes.a.output"),
    ];
    const slow: Behaviour = (one) => (one.task.parent?.node === "b" ? completes(50)(one) : completes(1)(one));
    const ran = await start(nodes, [...edges, { from: "j", to: "end" }], slow, { c: false });
    const order = ran.disk.events().flatMap(({ type, data }) => (type === "node.completed" ? [data.node] : []));
    assert.deepEqual(order, ["a", "c", "j", "end", "b"]);
  });

  it("is skipped when all have come and it doesn't hold, and sees the dead ones", async () => {
    const nodes = [task("a"), task("b"), task("c"), join("has(inlets.c) && inlets.c")];
    assert.equal((statuses(await start(nodes, edges, failing(), { c: false })) as { j: string }).j, "skipped");
    assert.equal((statuses(await start(nodes, edges, failing(), { c: true })) as { j: string }).j, "completed");
  });
});
