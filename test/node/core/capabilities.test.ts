/** What is registered for capabilities: schemas that are checked, defaults that are used, and what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonSchema } from "../../../src/core/capabilities/schema.ts";
import { MAX_CAPABILITIES, MAX_VERSIONS, type CapabilityVersion } from "../../../src/core/capabilities/capability.ts";
import type { RuntimeError } from "../../../src/core/errors.ts";
import { referTo } from "../../../src/core/payload/reference.ts";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { completes, given, never, openHost, openWorld, START } from "./kit.ts";
import {
  complete,
  createTask,
  fail,
  registerAgent,
  registerWorkflow,
  serve,
  startExecution,
  type TaskOptions,
} from "./things.ts";

type Node = WorkflowInput["nodes"][number];
type World = Awaited<ReturnType<typeof openWorld>>;

interface Said extends Omit<CapabilityVersion, "input" | "output"> {
  readonly input?: JsonSchema;
  readonly output?: JsonSchema;
  readonly replace?: boolean;
}

function register(name: string, { input, output, ...rest }: Said = {}): CoreCommand {
  const schemas = { ...(input && { input: JSON.stringify(input) }), ...(output && { output: JSON.stringify(output) }) };
  return { type: "capability.register", data: { name, ...schemas, ...rest } };
}

const unregister = (name: string, version?: string): CoreCommand => ({
  type: "capability.unregister",
  data: { name, ...(version !== undefined && { version }) },
});
const person: JsonSchema = {
  type: "object",
  properties: { name: { type: "string", minLength: 1 }, age: { type: "integer", minimum: 0 } },
  required: ["name"],
  additionalProperties: false,
};

function rowOf({ disk }: World, id = "t"): Task {
  return JSON.parse(disk.archived.findLast((row) => row.id === id)?.text ?? "null") as Task;
}

/** The refusal of a task of the capability with the input, if there is one; the state must stay as it was. */
async function refusalOf(world: World, id: string, options: TaskOptions): Promise<RuntimeError["detail"] | undefined> {
  const before = saveState(world.engine.state);
  const [refusal] = world.push(createTask(id, options));
  await world.durable();
  if (!refusal) return undefined;
  assert.equal(refusal[1].code, "task/input-invalid");
  assert.equal(saveState(world.engine.state), before);
  return refusal[1].detail;
}

const input = (value: unknown, need = "greet"): TaskOptions => ({ capabilities: [need], input: JSON.stringify(value) });

describe("the schema of a capability", () => {
  it("refuses inputs with the place in the value, what was expected and what was found", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(register("greet", { input: person }));
    const cases: [unknown, string, string, string][] = [
      [7, "input", "object", "7"],
      [[], "input", "object", "a list of 0"],
      [{}, "input.name", "something", "nothing"],
      [{ name: "" }, "input.name", "at least 1 characters", '""'],
      [{ name: "Ada", age: 1.5 }, "input.age", "integer", "1.5"],
      [{ name: "Ada", age: -1 }, "input.age", "at least 0", "-1"],
      [{ name: "Ada", hat: { big: true } }, "input.hat", "no such field", "an object"],
    ];
    for (const [value, at, expected, found] of cases)
      assert.deepEqual(await refusalOf(world, "t", input(value)), {
        id: "t",
        capability: "greet",
        at,
        expected,
        found,
      });
    assert.deepEqual(await refusalOf(world, "t", { ...input(1), input: "{" }), {
      id: "t",
      what: "input",
      text: "{",
    });
    assert.equal(await refusalOf(world, "t", input({ name: "Ada", age: 36 })), undefined);
    assert.equal(await refusalOf(world, "u", input(7, "other")), undefined);
  });

  it("lets nothing through that it can't read: a text that is in a blob", async () => {
    const world = await openWorld(1, { behaviour: completes(1, referTo({ blob: "t:out", size: 300_000 })) });
    const spilled = { capabilities: ["x"], input: referTo({ blob: "u:in", size: 300_000 }) };
    await world.submit(...serve("a", { capabilities: ["x"] }), register("x", { input: {}, output: {} }));
    assert.match(String((await refusalOf(world, "u", spilled))?.["expected"]), /262144 characters/u);
    await world.submit(createTask("t", { capabilities: ["x"] }));
    await world.finish();
    const { status, error } = rowOf(world);
    assert.deepEqual([status, error?.code], ["failed", "agent/output-invalid"]);
  });

  it("is inherited from a name above and found by version", async () => {
    const world = await openWorld(1, { behaviour: never });
    const is = (value: number): JsonSchema => ({ const: value });
    await world.submit(
      register("code", { input: is(1) }),
      register("code", { version: "2.0.0", input: is(2) }),
      register("code", { version: "2.1.0", input: is(21) }),
      register("code.test", { description: "says nothing of its input" }),
      register("code.test.unit", { input: is(3) }),
      register("news", { version: "1.0.0", input: is(1) }),
      register("news", { version: "1.10.0", input: is(110) }),
      register("news", { version: "1.9.0", input: is(19) }),
    );
    const accepted: [string, number][] = [
      ["code", 1],
      ["code.refactor", 1],
      ["code.test", 1],
      ["code.test.unit", 3],
      ["code.test.unit.fast", 3],
      ["code@^2", 21],
      ["code@~2.0", 2],
      ["code.refactor@^2", 21],
      ["code@^9", 1],
      ["codex", 77],
      ["news", 110],
      ["news@<1.10", 19],
      ["news@^3", 77],
    ];
    for (const [place, [need, value]] of accepted.entries()) {
      if (value !== 77) assert.ok(await refusalOf(world, `x${String(place)}`, input(0, need)), need);
      assert.equal(await refusalOf(world, `t${String(place)}`, input(value, need)), undefined, need);
    }
  });

  it("fails an attempt whose output is another, and doesn't try again unless the retry says so", async () => {
    const again = { maxAttempts: 2, base: 10, jitter: "none" as const };
    for (const [retry, final] of [
      [again, "failed"],
      [{ ...again, also: ["agent/output-invalid"] }, "completed"],
    ] as [TaskOptions["retry"], string][]) {
      const world = await openWorld(1, { behaviour: never });
      await world.submit(
        ...serve("a"),
        register("work", { output: { type: "object" } }),
        createTask("t", { retry: { ...retry } }),
      );
      await world.submit(complete("t", 1, '["no"]'));
      if (final === "completed") {
        await world.advance(10);
        await world.submit(complete("t", 2, '{"yes":1}'));
      }
      const { status, error, attempts } = rowOf(world);
      assert.equal(status, final);
      assert.deepEqual(
        attempts?.map(({ code }) => code),
        ["agent/output-invalid"],
      );
      const { detail } = error ?? {};
      assert.deepEqual(detail, { capability: "work", at: "output", expected: "object", found: "a list of 1" });
      assert.equal(world.engine.state.agents.loads.get("a@1.0.0")?.held, 0);
    }
  });

  it("is the door of workflow nodes too: the node fails, and the run with it", async () => {
    const run = async (onError: "fail" | "collect"): Promise<Execution> => {
      const world = await openWorld(1, { behaviour: completes(1) });
      const each: Node = { id: "each", type: "map", items: "input", onError, task: { capabilities: ["work"] } };
      await world.submit(
        ...serve("a", { slots: 10 }),
        register("work", { input: { type: "integer" } }),
        registerWorkflow({ id: "w", nodes: [each], edges: [] }),
        startExecution("e", "w", [1, "two", 3]),
      );
      await world.finish();
      assert.equal(world.stopped(), undefined);
      assert.equal(world.engine.state.tasks.tasks.size, 0);
      assert.equal(rowOf(world, "e/each/1").attempt, 0, "the agent never saw it");
      assert.equal(rowOf(world, "e/each/1").error?.code, "task/input-invalid");
      return JSON.parse(world.disk.archived.findLast(({ kind }) => kind === "execution")?.text ?? "") as Execution;
    };
    const failed = await run("fail");
    assert.deepEqual([failed.status, failed.error?.code], ["failed", "task/input-invalid"]);
    const collected = await run("collect");
    const [first, second, third] = JSON.parse(collected.output ?? "") as [
      unknown,
      { error: { code: string } },
      unknown,
    ];
    assert.deepEqual([first, second.error.code, third], [1, "task/input-invalid", 3]);
  });

  it("survives an output that is no JSON, also where a node hands it on", async () => {
    const world = await openWorld(1, { behaviour: never });
    const nodes: Node[] = [
      { id: "one", type: "task", capabilities: ["work"] },
      { id: "two", type: "task", capabilities: ["greet"], input: "nodes.one.output" },
    ];
    const edges = [{ from: "one", to: "two" }];
    await world.submit(
      ...serve("a", { capabilities: ["work", "greet"] }),
      register("greet", { input: person }),
      registerWorkflow({ id: "w", nodes, edges }),
      startExecution("e", "w"),
      complete("e/one", 1, '{"name'),
    );
    assert.equal(world.stopped(), undefined);
    assert.equal(world.engine.state.workflows.executions.size, 0);
  });
});

describe("registering a capability", () => {
  it("refuses what is no schema of the stated subset, with the place", async () => {
    const deep = (levels: number): unknown => (levels === 0 ? {} : { items: deep(levels - 1) });
    const cases: [unknown, string, RuntimeError["code"]][] = [
      [1, "input", "capability/invalid"],
      [[], "input", "capability/invalid"],
      [{ pattern: "(a+)+$" }, "input.pattern", "capability/invalid"],
      [{ $ref: "#" }, "input.$ref", "capability/invalid"],
      [{ constructor: {} }, "input.constructor", "capability/invalid"],
      [JSON.parse('{"__proto__":{}}'), "input.__proto__", "capability/invalid"],
      [{ type: "text" }, "input.type", "capability/invalid"],
      [{ type: [] }, "input.type", "capability/invalid"],
      [{ properties: { a: { items: true } } }, "input.properties.a.items", "capability/invalid"],
      [{ properties: { a: 1 } }, "input.properties.a", "capability/invalid"],
      [{ anyOf: [{}, { minLength: -1 }] }, "input.anyOf.1.minLength", "capability/invalid"],
      [{ additionalProperties: { maximum: "9" } }, "input.additionalProperties.maximum", "capability/invalid"],
      [{ enum: [{}] }, "input.enum", "capability/invalid"],
      [{ required: "name" }, "input.required", "capability/invalid"],
      [deep(65), "", "json/too-deep"],
      [{ title: "x".repeat(40_000) }, "", "json/too-large"],
    ];
    const world = await openWorld(1);
    for (const [schema, at, code] of cases) {
      const [refusal] = world.push({ type: "capability.register", data: { name: "a", input: JSON.stringify(schema) } });
      const { code: said, detail } = refusal?.[1] ?? {};
      assert.equal(said, code, at);
      if (at) assert.equal(detail?.["at"], at);
    }
    assert.equal(world.engine.state.capabilities.known.size, 0);
  });

  it("is heard once for the same, refused for another unless it is to replace it, and can be taken back", async () => {
    const first = register("greet", { input: person, defaults: { timeout: 5 } });
    const other = register("greet", { input: {}, defaults: { timeout: 5 } });
    await given(first).when(first).gives();
    const world = await given(first).when(other).gives("refused: capability/duplicate");
    assert.deepEqual(world.push(other)[0]?.[1].detail, { name: "greet", differs: ["input"] });
    await given(first)
      .when(register("greet", { replace: true }))
      .gives("capability.registered");
    await given(first)
      .when(register("greet", { version: "1.0.0" }))
      .gives("capability.registered");
    await given(first).when(unregister("greet", "1.0.0")).gives("refused: capability/unknown");
    await given(first).when(unregister("other")).gives("refused: capability/unknown");
    const gone = await given(first, register("greet", { version: "1.0.0" }))
      .when(unregister("greet"), createTask("t", input(7)))
      .gives("capability.unregistered", "task.created");
    assert.equal(gone.engine.state.capabilities.known.size, 0);
  });

  it("has bounds", async () => {
    const world = await openWorld(1);
    const names = Array.from({ length: MAX_CAPABILITIES }, (_none, at) => register(`c${String(at)}`));
    const versions = Array.from({ length: MAX_VERSIONS - 1 }, (_none, at) =>
      register("c0", { version: `1.${String(at)}.0` }),
    );
    assert.deepEqual(await world.submit(...names, ...versions), []);
    const more = [register("more"), register("c0", { version: "2.0.0" }), register("c1", { replace: true })];
    assert.deepEqual(await world.submit(...more), ["runtime/limit", "runtime/limit"]);
  });

  it("lasts: over a restart from a snapshot, and from the journal alone", async () => {
    for (const snapshotEvery of [1, 1_000]) {
      const world = await openWorld(1, { behaviour: never, snapshotEvery });
      await world.submit(register("greet", { input: person }), register("greet", { version: "1.0.0", output: {} }));
      world.kill();
      const next = Object.assign(await openHost(world), { disk: world.disk, time: world.time, chance: world.chance });
      assert.ok(await refusalOf(next, "t", input(7)));
      assert.equal(saveState(next.mirror), saveState(next.engine.state));
      assert.equal(next.engine.state.capabilities.known.get("greet")?.versions.length, 2);
    }
  });
});

describe("what a task doesn't say", () => {
  const timeoutOf = async (...commands: CoreCommand[]): Promise<number> => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...commands);
    const { dueAt = 0, status } = world.engine.state.tasks.tasks.get("t") ?? {};
    assert.equal(status, "assigned");
    return dueAt - START;
  };

  it("its agent says, then its capability, then the defaults", async () => {
    const plain = serve("a");
    const agent = serve("a", { timeout: 3_000 });
    const capability = register("work", { defaults: { timeout: 4_000 } });
    assert.equal(await timeoutOf(...plain, createTask("t")), 60_000);
    assert.equal(await timeoutOf(...plain, capability, createTask("t")), 4_000);
    assert.equal(await timeoutOf(...plain, capability, createTask("t", { capabilities: ["work.part"] })), 4_000);
    assert.equal(await timeoutOf(...agent, createTask("t")), 3_000);
    assert.equal(await timeoutOf(...agent, capability, createTask("t")), 3_000);
    assert.equal(await timeoutOf(...agent, capability, createTask("t", { timeout: 2_000 })), 2_000);
  });

  it("says the time in the error of the attempt that ran out of it", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a", { timeout: 3_000, retry: { maxAttempts: 1 } }), createTask("t"));
    await world.advance(3_000);
    assert.deepEqual([rowOf(world).status, rowOf(world).error?.detail], ["timed-out", { timeout: 3_000 }]);
  });

  it("is put together field by field for retries, over a restart", async () => {
    const world = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
    const common: CoreCommand = register("work", { defaults: { retry: { base: 7, factor: 3, jitter: "none" } } });
    const agent = serve("a", { retry: { maxAttempts: 3, factor: 10, except: ["fatal"] } });
    await world.submit(common, ...agent, createTask("t", { retry: { maxAttempts: 4 } }), fail("t", 1));
    const due = ({ engine, time }: { engine: World["engine"]; time: World["time"] }): number =>
      (engine.state.tasks.tasks.get("t")?.dueAt ?? 0) - time.now();
    assert.equal(due(world), 7);
    world.kill();
    const next = Object.assign(await openHost(world), { time: world.time });
    await next.submit(...serve("a").slice(1));
    await next.advance(7);
    await next.submit(fail("t", 2));
    assert.equal(due(next), 70);
    await next.advance(70);
    await next.submit(fail("t", 3, "fatal"));
    assert.deepEqual([rowOf(world).status, rowOf(world).failures], ["failed", 3]);
  });

  it("ignores what is named and undefined", async () => {
    const retry = { maxAttempts: undefined, base: 5, jitter: "none" } as const;
    const world = await openWorld(1, { behaviour: never });
    await world.submit(
      ...serve("a"),
      createTask("t", { retry, timeout: undefined, priority: undefined }),
      fail("t", 1),
    );
    assert.equal(world.engine.state.tasks.tasks.get("t")?.dueAt, START + 5);
  });

  it("its capability says of its priority when it is made; a run's priority comes before that", async () => {
    const world = await openWorld(1, { behaviour: never });
    const nodes: Node[] = [{ id: "one", type: "task", capabilities: ["work"] }];
    await world.submit(
      register("work", { defaults: { priority: "high" } }),
      createTask("t"),
      createTask("u", { priority: "low" }),
      registerWorkflow({ id: "w", nodes, edges: [] }),
      startExecution("e", "w"),
    );
    const priorities = ["t", "u", "e/one"].map((id) => world.engine.state.tasks.tasks.get(id)?.priority);
    assert.deepEqual(priorities, ["high", "low", "medium"]);
  });

  it("is another agent's where another agent performs it", async () => {
    const world = await openWorld(1, { behaviour: never });
    const retry = { base: 1, jitter: "none" } as const;
    await world.submit(...serve("a", { timeout: 3_000, retry }), createTask("t"), fail("t", 1));
    await world.submit(
      { type: "agent.switch", data: { id: "a", offline: true } },
      ...serve("b"),
      registerAgent("c", { capabilities: ["rest"] }),
    );
    await world.advance(1);
    const { agent, dueAt = 0, terms } = world.engine.state.tasks.tasks.get("t") ?? {};
    assert.deepEqual([agent, dueAt - world.time.now(), terms], ["b@1.0.0", 60_000, undefined]);
  });
});
