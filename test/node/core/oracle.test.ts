/** Random workflows against an oracle that shares no code with the engine. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import { createChance, seedOf, type Chance } from "./chance.ts";
import { eventsOf } from "./disk.ts";
import { openWorld, type Behaviour, type Host, type HostOptions } from "./kit.ts";
import { drawScript, foretell, foretellOutput, workflowsOf, type Fate, type Script } from "./oracle.ts";
import { answer, complete, registerAgent, join, registerWorkflow, startExecution } from "./things.ts";

const RUNS = 20_000;
const AT_ONCE = 200;
const seed = seedOf(31_337);

const fail = (id: string, attempt: number, message: string, retryable: boolean): CoreCommand => ({
  type: "task.fail",
  data: { id, attempt, error: { name: "Error", message, code: "bad", retryable } },
});

/** The script of a run, or of a run within one: a map's, a loop's or a subworkflow's. */
function scriptOf(scripts: ReadonlyMap<string, Script>, execution: string): Script | undefined {
  const [root = "", ...path] = execution.split("/");
  let script = scripts.get(root);
  for (const part of path) if (!/^\d/u.test(part)) script = script?.parts.get(part)?.inner;
  return script;
}

/** Workers and people that do what the scripts say. */
function play(
  scripts: ReadonlyMap<string, Script>,
  chance: Chance,
): Partial<HostOptions> & { watch(host: Host): void } {
  const behaviour: Behaviour = ({ task: { id, parent, input }, attempt }) => {
    const part = scriptOf(scripts, parent?.execution ?? "")?.parts.get(parent?.node ?? "");
    assert.ok(part, `${id} belongs to no script`);
    const after = part.delay + chance.below(5);
    if (attempt === 1 && chance.once(12)) return [{ after, command: fail(id, attempt, "for now", true) }];
    if (parent?.index !== undefined && part.kind === "map") {
      assert.equal(input, JSON.stringify(part.items[parent.index]));
      if (part.items[parent.index] === "bad") return [{ after, command: fail(id, attempt, "bad item", false) }];
      return [{ after, command: complete(id, attempt, input) }];
    }
    if (part.fails && part.kind === "task") return [{ after, command: fail(id, attempt, "for good", false) }];
    return [{ after, command: complete(id, attempt, JSON.stringify(part.output)) }];
  };
  const hosts: Host[] = [];
  const say = (delay: number, command: CoreCommand, { time }: { time: HostOptions["time"] }): void => {
    time.at(time.now() + delay, () => hosts[0]?.push(command));
  };
  return {
    behaviour,
    watch: (host) => hosts.push(host),
    onCommitted(events) {
      for (const { type, data } of events) {
        if (type !== "approval.requested" || !data.parent) continue;
        const part = scriptOf(scripts, data.parent.execution)?.parts.get(data.parent.node);
        assert.ok(part);
        const world = hosts[0] as (Host & { time: HostOptions["time"] }) | undefined;
        if (part.answer !== "timeout" && world) say(part.delay, answer(data.id, part.answer === "approve"), world);
      }
    },
  };
}

type World = Awaited<ReturnType<typeof openWorld>>;

async function startAll(scripts: ReadonlyMap<string, Script>, chance: Chance, plain: boolean): Promise<World> {
  const { watch, ...options } = play(scripts, chance);
  const world = await openWorld(seed, { ...options, chance, plain });
  watch(world);
  await world.submit(registerAgent("a", { slots: 10_000 }), join("a-1", "a"));
  for (const [id, script] of scripts) {
    const registered = workflowsOf(script).map(registerWorkflow);
    assert.deepEqual(await world.submit(...registered, startExecution(id, script.workflow.id, script.input)), []);
  }
  return world;
}

function checkNothingLives({ engine, stopped }: Host): void {
  assert.equal(stopped(), undefined);
  const { tasks, approvals, workflows, agents } = engine.state;
  for (const table of [tasks.tasks, approvals.approvals, workflows.executions, workflows.nodes, workflows.items])
    assert.equal(table.size, 0);
  assert.equal(agents.holdings.size, 0);
  assert.equal(engine.nextDue(), undefined);
  assert.deepEqual(
    [...engine.scheduler.waiting().values()].filter((count) => count > 0),
    [],
  );
}

/** Each node begins and ends at most once. */
function checkOnce(events: readonly CoreEvent[]): void {
  const seen = new Set<string>();
  for (const { type, data } of events) {
    const isNodes =
      type === "node.started" || type === "node.completed" || type === "node.skipped" || type === "node.failed";
    if (!isNodes && type !== "task.created") continue;
    const key = isNodes ? `${type === "node.started" ? "begun" : "ended"} ${data.execution}/${data.node}` : data.id;
    assert.ok(!seen.has(key), `twice: ${key}`);
    seen.add(key);
  }
}

function checkRun(script: Script, row: Execution): "completed" | "failed" {
  const fates = foretell(script);
  const isDoomed = [...fates.values()].includes("failed");
  const reached = new Map(row.nodes?.map(({ node, status }) => [node, status]));
  const where = JSON.stringify(script.workflow);
  assert.equal(row.status, isDoomed ? "failed" : "completed", where);
  const ended = (fate: Fate): string[] => [...fates].filter(([, one]) => one === fate).map(([id]) => id);
  for (const [node, status] of reached) {
    const fate = fates.get(node);
    if (status === "completed" || status === "skipped" || status === "failed")
      assert.equal(status, fate === "caught" ? "failed" : fate, `${node} of ${where}`);
    else assert.ok(isDoomed && (status === "pending" || fate !== "skipped"));
  }
  if (isDoomed) {
    assert.equal(
      [...reached].filter(([node, status]) => status === "failed" && fates.get(node) !== "caught").length,
      1,
      "the first failure ends the run",
    );
    return "failed";
  }
  assert.deepEqual(
    [...reached.keys()].sort(),
    [...ended("completed"), ...ended("skipped"), ...ended("caught")].sort(),
    "all are accounted for",
  );
  assert.equal(row.resolved, row.total);
  assert.deepEqual(JSON.parse(row.output ?? "?"), foretellOutput(script, fates));
  return "completed";
}

function rowsOf({ disk }: World): Map<string, Execution> {
  const rows = disk.archived.filter(({ kind }) => kind === "execution");
  return new Map(rows.map(({ id, text }) => [id, JSON.parse(text) as Execution]));
}

function drawScripts(chance: Chance, count: number, from: number): Map<string, Script> {
  return new Map(
    Array.from({ length: count }, (_none, at) => [
      `e${String(from + at)}`,
      drawScript(chance, `w${String(from + at)}`),
    ]),
  );
}

describe(`workflows (seed ${String(seed)})`, () => {
  it("end as the oracle says: the same nodes completed and skipped, none twice, and the right output", async () => {
    const counts = { completed: 0, failed: 0 };
    for (let from = 0; from < RUNS; from += AT_ONCE) {
      const chance = createChance(seed + from);
      const scripts = drawScripts(chance, AT_ONCE, from);
      const world = await startAll(scripts, chance, from % (AT_ONCE * 20) > 0);
      await world.finish();
      checkNothingLives(world);
      checkOnce(eventsOf(world.disk));
      const rows = rowsOf(world);
      for (const id of scripts.keys()) assert.ok(rows.has(id), `${id} never ended`);
      for (const [id, row] of rows) {
        const script = scriptOf(scripts, id);
        assert.ok(script, `${id} belongs to no script`);
        if (row.status !== "cancelled") counts[checkRun(script, row)]++;
        else assert.ok(row.parent, "only a run whose outer one has failed is cancelled");
      }
    }
    assert.ok(counts.completed > RUNS / 2 && counts.failed > RUNS / 20, JSON.stringify(counts));
  });

  it("leave nothing alive when they are cancelled, at whatever moment", async () => {
    for (let from = 0; from < 4_000; from += AT_ONCE) {
      const chance = createChance(seed - from);
      const scripts = drawScripts(chance, AT_ONCE, from);
      const world = await startAll(scripts, chance, true);
      const ids = chance.shuffle([...scripts.keys()]);
      while (ids.length > 0) {
        world.push(
          ...ids.splice(0, chance.below(12)).map((id): CoreCommand => ({ type: "execution.cancel", data: { id } })),
        );
        await world.advance(chance.below(6));
      }
      await world.finish();
      checkNothingLives(world);
      checkOnce(eventsOf(world.disk));
      const rows = rowsOf(world);
      for (const id of scripts.keys()) assert.ok(rows.has(id), `${id} never ended`);
      assert.ok([...rows.values()].filter(({ status }) => status === "cancelled").length > AT_ONCE / 4);
      for (const [id, row] of rows) {
        const script = scriptOf(scripts, id);
        if (script && row.status !== "cancelled") checkRun(script, row);
      }
    }
  });
});
