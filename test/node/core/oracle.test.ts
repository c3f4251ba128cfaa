/** Random workflows against an oracle that shares no code with the engine. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ErrorData } from "../../../src/core/errors.ts";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import type { Problem } from "../../../src/core/workflows/proofs/problem.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import { createChance, roundsOf, seedOf, type Chance } from "./chance.ts";
import { openWorld, type Behaviour, type Host, type HostOptions } from "./kit.ts";
import { drawScript, foretell, foretellOutput, graphsOf, type Fate, type Script } from "./oracle.ts";
import { answer, complete, registerAgent, join, registerWorkflow, startExecution } from "./things.ts";

/** How many graphs are played in the first test: GRAPHS, else so many as CI has time for. */
const RUNS = Number(process.env["GRAPHS"] ?? roundsOf(20_000));
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

type World = Awaited<ReturnType<typeof openWorld>> & { readonly seen: readonly CoreEvent[] };

/** Starts all that aren't refused, and leaves the others out of the scripts. */
async function startAll(scripts: Map<string, Script>, chance: Chance, plain: boolean): Promise<World> {
  const { watch, ...options } = play(scripts, chance);
  const seen: CoreEvent[] = [];
  const onCommitted: HostOptions["onCommitted"] = (events, batch) => {
    seen.push(...events);
    options.onCommitted?.(events, batch);
  };
  const world = await openWorld(seed, { ...options, onCommitted, chance, plain });
  watch(world);
  world.push(registerAgent("a", { slots: 10_000 }), join("a-1", "a"));
  for (const [id, script] of [...scripts]) {
    const parts = graphsOf(script);
    const registered = parts.map(({ workflow }) => registerWorkflow(workflow));
    const refused = world.push(...registered, startExecution(id, script.workflow.id, script.input));
    for (const [place, error] of refused) checkRefusal(parts[place] ?? script, error);
    if (refused.length > 0) scripts.delete(id);
  }
  await world.durable();
  return { ...world, seen };
}

/** What is refused wouldn't have been reached; or it names a workflow that was. */
function checkRefusal(script: Script, { code, detail }: ErrorData): void {
  if (code === "workflow/unknown") return;
  assert.equal(code, "workflow/invalid");
  for (const problem of (detail as { readonly problems: readonly Problem[] }).problems) {
    assert.match(problem.code, /^(?:join-never-fires|unreachable)$/u, problem.message);
    const path = problem.nodes[0]?.split("/") ?? [];
    const graph = path.slice(0, -1).reduce<Script | undefined>((at, node) => at?.parts.get(node)?.inner, script);
    assert.ok(
      graph && foretell(graph).get(path.at(-1) ?? "") !== "completed",
      `${problem.message}: ${JSON.stringify(script.workflow)}`,
    );
  }
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
  const same = (seen: string, expected: string | undefined, what: string): void => {
    if (seen !== expected) assert.equal(seen, expected, `${what} of ${row.id}: ${JSON.stringify(script.workflow)}`);
  };
  same(row.status, isDoomed ? "failed" : "completed", "the status");
  const ended = (fate: Fate): string[] => [...fates].filter(([, one]) => one === fate).map(([id]) => id);
  for (const [node, status] of reached) {
    const fate = fates.get(node);
    if (status === "completed" || status === "skipped" || status === "failed")
      same(status, fate === "caught" ? "failed" : fate, node);
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

interface Counts {
  runs: number;
  nodes: number;
  completed: number;
  failed: number;
  /** Those that were cancelled themselves, and those that stood within another. */
  cancelled: number;
  stopped: number;
}

const none: Counts = { runs: 0, nodes: 0, completed: 0, failed: 0, cancelled: 0, stopped: 0 };

/** Holds each run that has ended against what was foretold of it. */
function checkRuns(world: World, scripts: ReadonlyMap<string, Script>, counts: Counts): void {
  checkNothingLives(world);
  checkOnce(world.seen);
  const rows = rowsOf(world);
  for (const id of scripts.keys()) assert.ok(rows.has(id), `${id} never ended`);
  for (const [id, row] of rows) {
    const script = scriptOf(scripts, id);
    assert.ok(script, `${id} belongs to no script`);
    if (row.status !== "cancelled") counts[checkRun(script, row)]++;
    else counts[row.parent ? "stopped" : "cancelled"]++;
    counts.nodes += row.total;
  }
  counts.runs += scripts.size;
}

describe(`workflows (seed ${String(seed)})`, () => {
  it("end as the oracle says: the same nodes completed and skipped, none twice, and the right output", async (context) => {
    const counts = { ...none };
    for (let from = 0; counts.runs < RUNS; from += AT_ONCE) {
      const chance = createChance(seed + from);
      const scripts = drawScripts(chance, AT_ONCE, from);
      const world = await startAll(scripts, chance, from % (AT_ONCE * 20) > 0);
      await world.finish();
      checkRuns(world, scripts, counts);
    }
    context.diagnostic(`seed ${String(seed)}: ${JSON.stringify(counts)}`);
    assert.equal(counts.cancelled, 0);
    assert.ok(counts.completed > RUNS / 2 && counts.failed > RUNS / 20, JSON.stringify(counts));
  });

  it("leave nothing alive when they are cancelled, at whatever moment", async () => {
    const counts = { ...none };
    for (let from = 0; counts.runs < RUNS / 5; from += AT_ONCE) {
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
      checkRuns(world, scripts, counts);
    }
    assert.ok(counts.cancelled > counts.runs / 4, JSON.stringify(counts));
  });
});
