/** Versions of workflows: which are kept, which new runs get, how they differ, and how a run changes from one to another. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../../../src/core/json.ts";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { diffWorkflows } from "../../../src/core/workflows/diff.ts";
import { KEPT_VERSIONS } from "../../../src/core/workflows/version.ts";
import { createLookups } from "../../../src/core/workflows/lookups.ts";
import { previewMigration, type MigrationPreview } from "../../../src/core/workflows/migration.ts";
import { versionsOf } from "../../../src/core/workflows/versions.ts";
import { createChance, seedOf } from "./chance.ts";
import { eventsOf } from "./disk.ts";
import { completes, never, openHost, openWorld, type Behaviour, type Host } from "./kit.ts";
import { rowOf, task } from "./runs.ts";
import { complete, registerWorkflow, serve, startExecution } from "./things.ts";

const seed = seedOf(2_112);
const versionOf = (workflow: WorkflowInput): string => digestOf(JSON.stringify(workflow));
/** The workflow in its n-th version. */
const nth = (n: number): WorkflowInput => ({ id: "w", nodes: [task("do", String(n))] });
const rollback = (n: number): CoreCommand => ({
  type: "workflow.rollback",
  data: { workflow: "w", version: versionOf(nth(n)) },
});
const activeOf = ({ engine }: Host): string | undefined => engine.state.workflows.active.get("w")?.version;

describe("versions of a workflow", () => {
  it("are kept, the last ten and those with runs", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a", { slots: 9 }), registerWorkflow(nth(0)), startExecution("e", "w"));
    for (let n = 1; n <= 20; n++) await world.submit(registerWorkflow(nth(n)), registerWorkflow(nth(n)));
    const known = (host: Host): string[] => versionsOf(host.engine.state.workflows, "w").map(({ version }) => version);
    const last = Array.from({ length: KEPT_VERSIONS }, (_none, place) => versionOf(nth(20 - place)));
    assert.deepEqual([...known(world)].sort(), [...last, versionOf(nth(0))].sort());
    assert.equal(world.committed.filter(({ type }) => type === "workflow.registered").length, 21, "each once");
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    assert.deepEqual([...known(world)].sort(), [...last].sort());
    world.kill();
    const next = await openHost({ ...world, behaviour: never });
    await next.submit(registerWorkflow(nth(21)));
    assert.equal(known(next).length, KEPT_VERSIONS);
    assert.ok(!known(next).includes(versionOf(nth(11))) && known(next).includes(versionOf(nth(12))));
  });

  it("are rolled back in one step, and stay so though pages register the later one again", async () => {
    const world = await openWorld(1, { behaviour: completes(1) });
    await world.submit(...serve("a"), registerWorkflow(nth(1)), registerWorkflow(nth(2)), rollback(1), rollback(1));
    assert.equal(world.committed.filter(({ type }) => type === "workflow.activated").length, 1);
    await world.submit(startExecution("e", "w"), registerWorkflow(nth(2)));
    assert.equal(activeOf(world), versionOf(nth(1)));
    assert.equal(rowOf(world.disk, "e"), undefined);
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.version, versionOf(nth(1)));
    const told = versionsOf(world.engine.state.workflows, "w").map(({ version, active, withdrawn }) => [
      [1, 2].find((n) => version === versionOf(nth(n))),
      active,
      withdrawn,
    ]);
    assert.deepEqual(
      new Map(told.map(([n, ...more]) => [n, more])),
      new Map([
        [1, [true, false]],
        [2, [false, true]],
      ]),
    );
    await world.submit(registerWorkflow(nth(3)), registerWorkflow(nth(2)));
    assert.equal(activeOf(world), versionOf(nth(3)), "a new one is active, the withdrawn one isn't");
    await world.submit(rollback(2), registerWorkflow(nth(1)));
    assert.equal(activeOf(world), versionOf(nth(1)), "what is older than a rollback's goal can be had again");
    assert.deepEqual(await world.submit(rollback(9)), ["workflow/unknown"]);
  });
});

describe("the difference of two definitions", () => {
  const base: WorkflowInput = {
    id: "w",
    nodes: [
      task("a"),
      task("b"),
      { id: "j", type: "join" },
      { id: "m", type: "map", items: "[1]", body: { nodes: [task("x")] } },
    ],
    edges: [
      { from: "a", to: "b" },
      { from: "b", to: "j", when: "true" },
      { from: "j", to: "m" },
    ],
  };

  it("names nodes, fields, edges and graphs within nodes", () => {
    const other: WorkflowInput = {
      id: "w",
      output: "1",
      nodes: [
        { id: "m", type: "map", items: "[1, 2]", body: { nodes: [task("x", "2"), task("y")] } },
        task("b", "input", { priority: "high" }),
        { id: "j", type: "join", mode: "all" },
        task("c"),
      ],
      edges: [
        { from: "j", to: "m" },
        { from: "b", to: "j", when: "false" },
        { from: "c", to: "j", on: "error" },
      ],
    };
    const none = { added: [], removed: [], changed: [] };
    assert.deepEqual(diffWorkflows(base, other), {
      nodes: {
        added: ["c"],
        removed: ["a"],
        changed: [
          { id: "b", fields: ["priority"] },
          {
            id: "m",
            fields: ["body", "items"],
            body: {
              nodes: { added: ["y"], removed: [], changed: [{ id: "x", fields: ["input"] }] },
              edges: none,
              fields: [],
            },
          },
        ],
      },
      edges: {
        added: [{ from: "c", to: "j", on: "error" }],
        removed: [{ from: "a", to: "b" }],
        changed: [{ from: "b", to: "j" }],
      },
      fields: ["output"],
    });
    assert.deepEqual(diffWorkflows(base, structuredClone(base)), { nodes: none, edges: none, fields: [] });
    assert.throws(() => diffWorkflows(base, { id: "w", nodes: [] }), /workflow\/invalid/);
  });
});

const chain = (...ids: readonly string[]): NonNullable<WorkflowInput["edges"]> =>
  ids.slice(1).map((to, place) => ({ from: ids[place] ?? "", to }));

/** A run whose tasks end when the test says so. */
async function begin(
  first: WorkflowInput,
  second: WorkflowInput,
  ...done: readonly string[]
): Promise<Awaited<ReturnType<typeof openWorld>>> {
  const world = await openWorld(1, { behaviour: never });
  await world.submit(...serve("a", { slots: 50 }), registerWorkflow(first), registerWorkflow(second));
  const data = { id: "e", workflow: first.id, version: versionOf(first), input: '{"n":1}' };
  assert.deepEqual(await world.submit({ type: "execution.start", data }), []);
  for (const node of done) await world.submit(complete(`e/${node}`, 1, JSON.stringify(node)));
  return world;
}

const migrate = (to: WorkflowInput): CoreCommand => ({
  type: "execution.migrate",
  data: { id: "e", version: versionOf(to) },
});
const preview = ({ engine }: Host, to: WorkflowInput): MigrationPreview =>
  previewMigration(createLookups(), engine.state.workflows, { id: "e", version: versionOf(to) });
const liveOf = ({ engine }: Host): string[] => [...engine.state.tasks.tasks.values()].map(({ id }) => id).sort();

async function answerAll(host: Host): Promise<void> {
  for (let left = 100; host.engine.state.workflows.executions.has("e"); left--) {
    assert.ok(left > 0, "it ends");
    for (const { id, attempt } of [...host.engine.state.tasks.tasks.values()])
      await host.submit(complete(id, attempt, `"${id}"`));
  }
}

describe(`a run that changes its version (seed ${String(seed)})`, () => {
  const before: WorkflowInput = { id: "w", nodes: [task("a"), task("b"), task("c")], edges: chain("a", "b", "c") };

  it("keeps what has ended, lets what runs go on, and takes up what is new", async () => {
    const after: WorkflowInput = {
      id: "w",
      nodes: [task("a"), task("b", "'other'"), task("side", "nodes.a.output"), task("d")],
      edges: [...chain("a", "b", "d"), { from: "a", to: "side" }],
    };
    const world = await begin(before, after, "a");
    const state = saveState(world.engine.state);
    const told = preview(world, after);
    const { kept, running, again, dropped, blocks } = told;
    assert.deepEqual([kept, running, again, dropped, blocks], [["a"], ["b"], [], [], []]);
    assert.equal(saveState(world.engine.state), state, "a preview changes nothing");
    await world.submit(migrate(after), migrate(after));
    assert.equal(world.committed.filter(({ type }) => type === "execution.migrated").length, 1);
    assert.deepEqual(liveOf(world), ["e/b", "e/side"]);
    assert.equal(world.engine.state.tasks.tasks.get("e/side")?.input, '"a"');
    await answerAll(world);
    const row = rowOf(world.disk, "e");
    assert.equal(row?.version, versionOf(after));
    assert.deepEqual(
      row.nodes?.map(({ node, status }) => `${node} ${status}`),
      ["a completed", "b completed", "side completed", "d completed"],
    );
    assert.equal(world.engine.state.workflows.nodes.size, 0);
  });

  it("runs again what comes later now, under another id, and leaves out what isn't come to any more", async () => {
    const after: WorkflowInput = {
      id: "w",
      nodes: [task("first"), task("a"), task("b"), { id: "route", type: "decision" }, task("yes"), task("no")],
      edges: [
        ...chain("first", "a"),
        { from: "first", to: "b" },
        { from: "first", to: "route" },
        { from: "route", to: "yes", when: "input.n == 1" },
        { from: "route", to: "no" },
      ],
    };
    const blocked = await begin(before, after, "a");
    assert.deepEqual(preview(blocked, after).blocks, [
      { node: "b", reason: "it runs, and nothing that has ended leads to it in the new version" },
    ]);
    const now = saveState(blocked.engine.state);
    assert.deepEqual(await blocked.submit(migrate(after)), ["execution/blocked"]);
    assert.equal(saveState(blocked.engine.state), now);

    const beginning: WorkflowInput = {
      id: "w",
      nodes: [task("a"), { id: "wait", type: "timer", for: 60_000 }],
      edges: chain("a", "wait"),
    };
    const later: WorkflowInput = {
      id: "w",
      nodes: [task("first"), task("a"), { id: "wait", type: "timer", for: 5 }, task("end", "nodes.a.output")],
      edges: [...chain("first", "a", "end")],
    };
    const world = await begin(beginning, later, "a");
    const { again, running } = preview(world, later);
    assert.deepEqual([again, running], [["a"], ["wait"]]);
    await world.submit(migrate(later));
    assert.deepEqual(liveOf(world), ["e/first"]);
    await world.submit(complete("e/first", 1));
    assert.deepEqual(liveOf(world), ["e/a.2"], "not the id of a task that has run");
    await world.submit(complete("e/a.2", 1), complete("e/end", 1));
    await world.advance(60_000);
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
  });

  it("asks its conditions again, and drops what the new version doesn't come to", async () => {
    const decide = (when: string): WorkflowInput => ({
      id: "w",
      nodes: [
        task("a"),
        { id: "route", type: "decision" },
        task("yes"),
        task("no"),
        task("last"),
        { id: "j", type: "join" },
      ],
      edges: [
        ...chain("a", "route"),
        { from: "route", to: "yes", when },
        { from: "route", to: "no" },
        ...chain("yes", "j", "last"),
        ...chain("no", "j"),
      ],
    });
    const [first, second] = [decide("input.n == 1"), decide("input.n == 2")];
    const world = await begin(first, second, "a", "yes");
    const { kept, dropped, blocks } = preview(world, second);
    assert.deepEqual([kept, dropped], [["a", "route"], ["yes"]]);
    assert.deepEqual(
      blocks.map(({ node }) => node),
      ["last"],
    );
    const early = await begin(first, second, "a");
    assert.deepEqual(preview(early, second).blocks, [{ node: "yes", reason: "it runs, and the new version skips it" }]);
  });

  it("is refused with reasons, and for what isn't known", async () => {
    const gone: WorkflowInput = { id: "w", nodes: [task("a")] };
    const other: WorkflowInput = {
      id: "w",
      nodes: [task("a"), { id: "b", type: "approval", message: "?" }],
      edges: chain("a", "b"),
    };
    for (const [to, reason] of [
      [gone, "it runs, and the new version doesn't have it"],
      [other, "it runs, and its type is 'approval' in the new version"],
    ] as const) {
      const world = await begin(before, to, "a");
      assert.deepEqual(preview(world, to).blocks[0], { node: "b", reason });
      assert.deepEqual(await world.submit(migrate(to)), ["execution/blocked"]);
    }
    const world = await begin(before, gone);
    assert.deepEqual(await world.submit(migrate(nth(1))), ["workflow/unknown"]);
    assert.deepEqual(await world.submit({ type: "execution.migrate", data: { id: "x", version: "1" } }), [
      "execution/unknown",
    ]);
  });

  it("keeps its variables, gets those that are new, and is refused where one is another", async () => {
    const variables = { sum: { type: "number", merge: "sum", initial: 1 } } as const;
    const [a, b] = [task("a", "1", { set: { sum: "4" } }), task("b", "vars.sum")];
    const first: WorkflowInput = { id: "w", variables, nodes: [a, b], edges: chain("a", "b") };
    const second: WorkflowInput = {
      ...first,
      variables: { ...variables, list: { type: "list", merge: "append" } },
      nodes: [a, task("b", "vars.sum", { set: { list: "'b'" } })],
      output: "[vars.sum, vars.list]",
    };
    const world = await begin(first, second, "a");
    await world.submit(migrate(second), complete("e/b", 1));
    assert.equal(rowOf(world.disk, "e")?.output, '[5,["b"]]');
    const third: WorkflowInput = { ...first, variables: { sum: { type: "number", merge: "max" } } };
    const other = await begin(first, third);
    assert.deepEqual(
      preview(other, third).blocks.map(({ node }) => node),
      ["sum"],
    );
  });

  it("undoes what it has done as the new version says, and is refused where that says nothing", async () => {
    const undoable = (input: string): WorkflowInput => ({
      id: "w",
      nodes: [task("a", "1", { compensate: { capabilities: ["work"], input } }), task("b")],
      edges: chain("a", "b"),
    });
    const [first, second] = [undoable("'one'"), undoable("'two'")];
    const world = await begin(first, second, "a");
    const mute: WorkflowInput = { id: "w", nodes: [task("a"), task("b")], edges: chain("a", "b") };
    await world.submit(registerWorkflow(mute));
    assert.deepEqual(
      preview(world, mute).blocks.map(({ node }) => node),
      ["a"],
    );
    await world.submit(migrate(second));
    for (let n = 0; n < KEPT_VERSIONS; n++) await world.submit(registerWorkflow(nth(n)));
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    assert.deepEqual(await world.submit(migrate(first)), ["execution/blocked"]);
    assert.deepEqual(liveOf(world), ["e/a.undo"]);
    await world.submit(complete("e/a.undo", 1));
    assert.equal(rowOf(world.disk, "e")?.status, "compensated");
  });

  it("comes to the same end as a run of the new version, wherever it changes, when only nodes are added", async () => {
    for (let round = 0; round < 40; round++) {
      const chance = createChance(seed + round);
      const size = 3 + chance.below(8);
      const ids = Array.from({ length: size }, (_none, place) => `n${String(place)}`);
      const edges = ids.flatMap((to, place) =>
        ids.slice(0, place).flatMap((from) => (chance.once(3) ? [{ from, to }] : [])),
      );
      const nodes = ids.map((id) => task(id, `'${id}'`));
      const first: WorkflowInput = { id: "w", nodes, edges };
      const added = ["x", "y"].map((id) => task(id, `'${id}'`));
      const more = added.flatMap(({ id: to }) => [{ from: chance.pick(ids), to }]);
      const second: WorkflowInput = { id: "w", nodes: [...nodes, ...added], edges: [...edges, ...more] };
      const chosen: Behaviour = completes(1 + chance.below(5));
      const world = await openWorld(seed, { behaviour: chosen });
      await world.submit(
        ...serve("a", { slots: 1 + chance.below(4) }),
        registerWorkflow(second),
        registerWorkflow(first),
      );
      await world.submit(startExecution("e", "w"), startExecution("plain", "w"));
      await world.advance(chance.below(size * 4));
      const live = world.engine.state.workflows.executions.has("e");
      assert.deepEqual(await world.submit(migrate(second)), live ? [] : ["execution/unknown"]);
      await world.finish();
      const row = rowOf(world.disk, "e");
      assert.equal(row?.status, "completed");
      assert.ok(row.nodes);
      assert.ok(row.nodes.every(({ status }) => status === "completed"));
      assert.equal(row.nodes.length, live ? size + 2 : size);
      const ran = eventsOf(world.disk).flatMap(({ type, data }) =>
        type === "task.completed" && data.id.startsWith("e/") ? [data.id] : [],
      );
      assert.equal(new Set(ran).size, ran.length, "no task twice");
      assert.equal(ran.length, row.nodes.length);
      assert.equal(saveState(world.mirror), saveState(world.engine.state));
    }
  });
});
