/** Runs that stand still: that is told once, with what they lack; what only waits is left alone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreEvents } from "../../../src/core/runtime.ts";
import type { MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { createDisk, eventsOf } from "./disk.ts";
import { completes, createTime, never, openHost, openWorld, type Host, type HostOptions } from "./kit.ts";
import { createChance } from "./chance.ts";
import { rowOf, work } from "./runs.ts";
import { answer, join, leave, registerAgent, registerWorkflow, serve, startExecution } from "./things.ts";

type World = Awaited<ReturnType<typeof openWorld>>;
type Stalled = CoreEvents["execution.stalled"];

const MINUTE = 60_000;
const other = { type: "task" as const, capabilities: ["other"] };

async function begin(
  workflow: Omit<WorkflowInput, "id">,
  options: Partial<HostOptions> = {},
  input: unknown = [1, 2],
): Promise<World> {
  const world = await openWorld(1, { behaviour: completes(1), ...options });
  await world.submit(...serve("a", { slots: 4 }), registerWorkflow({ id: "w", ...workflow }));
  assert.deepEqual(await world.submit(startExecution("e", "w", input)), []);
  return world;
}

const told = ({ committed }: Pick<Host, "committed">): Stalled[] =>
  committed.flatMap(({ type, data }) => (type === "execution.stalled" ? [data] : []));

const codes = (stall: Stalled | undefined): string[] => stall?.cause.map(({ node, code }) => `${node} ${code}`) ?? [];

describe("a run that stands still", () => {
  it("is told of once, with what it lacks, and no more when a worker takes its task", async () => {
    const world = await begin({ nodes: [{ id: "t", ...other }] });
    const { executions } = world.engine.state.workflows;
    const start = executions.get("e")?.startedAt ?? 0;
    await world.advance(10 * MINUTE - 1);
    assert.deepEqual(told(world), []);
    await world.advance(1);
    const [stall] = told(world);
    assert.deepEqual([stall?.id, stall?.since, codes(stall)], ["e", start, ["t capability"]]);
    assert.equal(stall?.cause[0]?.task, "e/t");
    assert.match(stall.cause[0].message, /nobody can do it; the nearest, a@1\.0\.0, would match if it had other/u);
    assert.deepEqual(executions.get("e")?.stalled, { since: stall.since, cause: stall.cause });
    await world.advance(30 * 86_400_000);
    assert.equal(told(world).length, 1);
    await world.submit(...serve("b", { capabilities: ["other"] }));
    assert.equal(executions.get("e")?.stalled, undefined);
    assert.equal(world.committed.filter(({ type }) => type === "execution.moved").length, 1);
    await world.finish();
    const row = rowOf(world.disk, "e");
    assert.deepEqual([row?.status, row?.stalled], ["completed", undefined]);
  });

  it("is told of again when it stands still again", async () => {
    const nodes = [
      { id: "t", ...other },
      { id: "u", ...other, capabilities: ["more"] },
    ];
    const world = await begin({ nodes, edges: [{ from: "t", to: "u" }], stallAfter: MINUTE });
    await world.advance(5 * MINUTE);
    await world.submit(...serve("b", { capabilities: ["other"] }));
    await world.advance(5 * MINUTE);
    assert.deepEqual(told(world).map(codes), [["t capability"], ["u capability"]]);
    assert.equal((told(world)[1]?.since ?? 0) - (told(world)[0]?.since ?? 0), 5 * MINUTE + 1);
  });

  it("is looked at for as long as its definition says, or never", async () => {
    const soon = await begin({ nodes: [{ id: "t", ...other }], stallAfter: 1_000 });
    await soon.advance(1_000);
    assert.equal(told(soon).length, 1);
    const silent = await begin({ nodes: [{ id: "t", ...other }], stallAfter: 0 });
    assert.equal(silent.engine.nextDue(), undefined);
    await silent.advance(365 * 86_400_000);
    assert.deepEqual(told(silent), []);
  });

  it("is one beside people, messages and times that it waits for, and they are told too; alone they are none", async () => {
    const waits = [
      { id: "ask", type: "approval" as const, message: "?" },
      { id: "msg", type: "event" as const, name: "m" },
      { id: "day", type: "timer" as const, for: 86_400_000 },
    ];
    const patient = await begin({ nodes: waits });
    assert.equal(
      patient.engine.nextDue(),
      (patient.engine.state.workflows.executions.get("e")?.startedAt ?? 0) + 10 * MINUTE,
    );
    await patient.advance(365 * 86_400_000);
    assert.deepEqual(told(patient), []);
    assert.equal(patient.engine.nextDue(), undefined, "nobody looks again before it moves");
    await patient.submit(answer("e/ask", true));
    assert.ok(patient.engine.nextDue() !== undefined, "it has moved");
    const world = await begin({ nodes: [...waits, { id: "t", ...other }] });
    await world.advance(10 * MINUTE);
    assert.deepEqual(codes(told(world)[0]), ["t capability", "ask approval", "day timer", "msg event"]);
  });

  it("is found at any depth, by the path to what lacks", async () => {
    const body = { nodes: [{ id: "check", ...other }] };
    const nodes = [{ id: "files", type: "map" as const, items: "input", body }];
    const world = await begin({ nodes });
    await world.advance(10 * MINUTE);
    assert.deepEqual(
      told(world).map(({ id }) => id),
      ["e"],
      "the outermost run is the one that is told of",
    );
    assert.deepEqual(codes(told(world)[0]), ["files/0/check capability", "files/1/check capability"]);
  });

  it("is none while something of it runs, is to be tried again, or waits for its turn", async () => {
    const nodes = [
      { id: "long", type: "task" as const, ...work, timeout: 3 * 86_400_000 },
      { id: "t", ...other },
    ];
    const world = await begin({ nodes }, { behaviour: never });
    await world.advance(2 * 86_400_000);
    assert.deepEqual(told(world), []);
    await world.submit(leave("a-1", "closed"), { type: "agent.switch", data: { id: "a@1.0.0", offline: true } });
    await world.advance(20 * MINUTE);
    assert.deepEqual(codes(told(world)[0]), ["long draining", "t capability"], "its worker is gone since");
    const queued = await begin({ nodes: [{ id: "t", type: "task", ...work }] }, { behaviour: never });
    await queued.submit(startExecution("f", "w"), { type: "limit.set", data: { name: "*", concurrency: 1 } });
    await queued.advance(4 * MINUTE);
    assert.deepEqual(told(queued), [], "it waits for a slot");
  });

  it("is none while it is paused; a run within it that was paused is its cause", async () => {
    const world = await begin({ nodes: [{ id: "t", ...other }], stallAfter: MINUTE });
    await world.submit({ type: "execution.pause", data: { id: "e" } });
    await world.advance(60 * MINUTE);
    assert.deepEqual(told(world), []);
    await world.submit({ type: "execution.resume", data: { id: "e" } });
    await world.advance(MINUTE);
    assert.deepEqual(codes(told(world)[0]), ["t capability"]);
    const body = { nodes: [{ id: "t", ...other }] };
    const inner = await begin({ nodes: [{ id: "l", type: "loop", while: "index < 1", body }], stallAfter: MINUTE });
    await inner.submit({ type: "execution.pause", data: { id: "e/l/0" } });
    await inner.advance(MINUTE);
    assert.deepEqual(codes(told(inner)[0]), ["l/0 paused"]);
  });

  it("is told what was lost, and that a limit lets nothing run", async () => {
    const world = await begin({
      nodes: [
        { id: "t", ...other },
        { id: "ask", type: "approval", message: "?" },
      ],
    });
    world.engine.state.tasks.tasks.delete("e/t"); // nothing in the engine loses work; so it is taken away by force
    world.engine.state.approvals.approvals.delete("e/ask");
    await world.advance(10 * MINUTE);
    assert.deepEqual(codes(told(world)[0]), ["t lost", "ask lost"]);
    const limited = await openWorld(1, { behaviour: never });
    const bound = { id: "t", type: "task" as const, ...work, limits: [{ limit: "none" }] };
    await limited.submit({ type: "limit.set", data: { name: "none", concurrency: 0 } }, ...serve("a"));
    await limited.submit(registerWorkflow({ id: "w", nodes: [bound] }), startExecution("f", "w"));
    await limited.advance(10 * MINUTE);
    assert.deepEqual(codes(told(limited)[0]), ["t limit"]);
  });

  it("isn't told of by a host that has just begun, before workers could come to it", async () => {
    const { disk, time, chance, ...world } = await begin(
      { nodes: [{ id: "t", type: "task", ...work }] },
      { behaviour: never },
    );
    await world.settle();
    world.kill();
    time.set(time.now() + 8 * 60 * MINUTE);
    const host = await openHost({ disk, time, chance, behaviour: completes(1) });
    await host.advance(MINUTE - 1);
    assert.deepEqual(told(host), []);
    await host.advance(1);
    assert.deepEqual(told(host).map(codes), [["t offline"]]);
    host.push(join("a-2", "a"));
    await host.finish();
    assert.equal(rowOf(disk, "e")?.status, "completed");
  });

  it("costs an event nothing for the runs that stand beside it, and finds all that are due at once", async () => {
    const world = await begin({ nodes: [{ id: "t", ...other }] }, { plain: true });
    const runs = Array.from({ length: 3_000 }, (_none, at) => startExecution(`r${String(at)}`, "w"));
    await world.submit(...runs);
    await world.advance(10 * MINUTE);
    assert.equal(eventsOf(world.disk).filter(({ type }) => type === "execution.stalled").length, 3_001);
    assert.equal(world.engine.nextDue(), undefined);
  });
});

describe("a run that stands still, over restarts", () => {
  const FAULTS: readonly MemoryFault[] = ["refuse", "fail-after"];

  async function liveOn(host: Host, end: number, now: () => number): Promise<void> {
    const { agents, workflows } = host.engine.state;
    const nodes = [
      { id: "t", type: "task" as const, ...work },
      { id: "u", ...other },
    ];
    if (!agents.agents.has("a@1.0.0")) host.push(registerAgent("a"));
    host.push(join("a-1", "a"));
    if (!workflows.active.has("w")) host.push(registerWorkflow({ id: "w", nodes, edges: [{ from: "t", to: "u" }] }));
    if (!workflows.executions.has("e")) host.push(startExecution("e", "w"));
    while (now() < end && !host.isOver()) await host.advance(MINUTE / 6);
  }

  /** A run whose first task is done after a while, and whose second nobody does; hosts die at these writes. */
  async function live(
    kills: ReadonlyMap<number, MemoryFault>,
  ): Promise<{ readonly stalls: Stalled[]; readonly writes: number }> {
    const [disk, time, chance] = [createDisk(), createTime(), createChance(1)];
    const end = time.now() + 30 * MINUTE;
    let writes = 0;
    for (let hosts = 0; time.now() < end; hosts++) {
      assert.ok(hosts < 5);
      const gate = (): MemoryFault | undefined => kills.get(++writes);
      const host = await openHost({ disk, time, chance, gate, snapshotEvery: 4, behaviour: completes(MINUTE / 2) });
      await liveOn(host, end, time.now).catch((error: unknown) => {
        if (!host.isOver()) throw error; // it died
      });
      if (host.isOver()) host.kill(); // its workers with it
    }
    return { stalls: eventsOf(disk).flatMap(({ type, data }) => (type === "execution.stalled" ? [data] : [])), writes };
  }

  it("is told of once, from when it last moved, wherever the host dies", async () => {
    const { stalls, writes } = await live(new Map());
    assert.deepEqual(stalls.map(codes), [["u capability"]]);
    for (let at = 1; at <= writes; at++)
      for (const fault of FAULTS) {
        const { stalls: again } = await live(new Map([[at, fault]]));
        assert.deepEqual(again.map(codes), [["u capability"]], `${fault} at ${String(at)}`);
        assert.ok((again[0]?.since ?? 0) >= (stalls[0]?.since ?? 0));
      }
  });
});
