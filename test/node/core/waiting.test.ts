/** Nodes that wait: for a moment, or for word from outside. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { planWorkflow } from "../../../src/core/workflows/plan.ts";
import type { MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import { createChance } from "./chance.ts";
import { createDisk, eventsOf, type Disk } from "./disk.ts";
import { completes, createTime, openHost, openWorld, START, type Host } from "./kit.ts";
import { rowOf, task } from "./runs.ts";
import { registerAgent, registerWorkflow, serve, startExecution } from "./things.ts";

type Node = WorkflowInput["nodes"][number];
type TimerNode = Extract<Node, { type: "timer" }>;
type EventNode = Extract<Node, { type: "event" }>;

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

const timer = (more: Omit<TimerNode, "id" | "type">): Node => ({ id: "t", type: "timer", ...more });
const event = (more: Partial<EventNode> = {}): Node => ({ id: "m", type: "event", name: "paid", ...more });

function publish(payload: unknown, more: object = {}): CoreCommand {
  return { type: "message.publish", data: { name: "paid", payload: JSON.stringify(payload), ...more } };
}

/** A run `e` of the waiting node and a task behind it. */
async function open(
  first: Node,
  input: unknown = {},
  more: Partial<WorkflowInput> = {},
): Promise<Awaited<ReturnType<typeof openWorld>>> {
  const world = await openWorld(1, { behaviour: completes(1) });
  const nodes = [first, task("next", `nodes.${first.id}.output`)];
  const edges = [{ from: first.id, to: "next" }];
  await world.submit(
    ...serve("a"),
    registerWorkflow({ id: "w", nodes, edges, ...more }),
    startExecution("e", "w", input),
  );
  return world;
}

interface End {
  readonly status: string | undefined;
  readonly output?: unknown;
  readonly code?: string | undefined;
}

function endOf({ disk }: { readonly disk: Disk }, id = "e"): End {
  const { status, output, error } = rowOf(disk, id) ?? {};
  if (output === undefined) return { status, code: error?.code };
  return { status, output: JSON.parse(output) };
}

function checkEmpty({ engine }: Host): void {
  const { timers, messages, workflows } = engine.state;
  assert.equal(timers.timers.size + messages.waits.size + workflows.executions.size + workflows.nodes.size, 0);
}

describe("a timer node", () => {
  it("waits for a span, or until a moment, and says when it fired", async () => {
    const moments: readonly (readonly [Node, unknown, number])[] = [
      [timer({ for: HOUR }), {}, START + HOUR],
      [timer({ for: "input.minutes * 60000" }), { minutes: 3 }, START + 3 * MINUTE],
      [timer({ until: "input.at" }), { at: START + 5 }, START + 5],
      [timer({ until: "'2023-12-24T18:00:00+01:00'" }), {}, Date.parse("2023-12-24T17:00:00Z")],
      [
        timer({ until: "'2024-03-31T02:30:00.250'", timeZone: "Europe/Berlin" }),
        {},
        Date.parse("2024-03-31T01:30:00.250Z"),
      ],
      [timer({ until: "'2024-10-27T02:30'", timeZone: "Europe/Berlin" }), {}, Date.parse("2024-10-27T00:30:00Z")],
    ];
    for (const [node, input, dueAt] of moments) {
      const world = await open(node, input);
      assert.equal(world.mirror.workflows.nodes.get("e/t")?.dueAt, dueAt, "it can be seen");
      await world.advance(dueAt - START - 1);
      assert.equal(world.mirror.workflows.nodes.get("e/t")?.status, "running");
      await world.finish();
      assert.deepEqual(endOf(world), { status: "completed", output: { dueAt, firedAt: dueAt, late: 0 } });
      checkEmpty(world);
    }
  });

  it("that is too late goes on, is skipped or expires, as it says", async () => {
    const ends: Record<string, End> = {};
    for (const late of ["fire", "skip", "expire"] as const) {
      const world = await open(timer({ for: HOUR, late, ...(late !== "fire" && { tolerance: 5_000 }) }));
      world.kill();
      world.time.set(START + HOUR + 6_000);
      const host = await openHost({ ...world, behaviour: completes(1) });
      await host.submit({ type: "link.join", data: { link: "l", agent: "a@1.0.0", session: "page" } });
      await host.finish();
      ends[late] = endOf(world);
      checkEmpty(host);
    }
    const output = { dueAt: START + HOUR, firedAt: START + HOUR + 6_000, late: 6_000 };
    assert.deepEqual(ends, {
      fire: { status: "completed", output },
      skip: { status: "completed", output: null },
      expire: { status: "failed", code: "timer/expired" },
    });
  });

  it("fails when its moment is none, with what was found, and is caught by its error edge", async () => {
    const wrong: readonly (readonly [Node, unknown])[] = [
      [timer({ for: "input.x" }), { x: -1 }],
      [timer({ for: "input.x" }), { x: "soon" }],
      [timer({ until: "input.x" }), { x: "tomorrow" }],
      [timer({ until: "input.x" }), { x: "2030-02-31T09:00:00Z" }],
      [timer({ until: "input.x" }), { x: "2030-02-30T24:00:00+01:00" }],
      [timer({ until: "input.x" }), { x: "2030-01-31T09:00:00" }],
      [timer({ until: "input.x", timeZone: "Mars/Base" }), { x: "2030-01-31T09:00:00" }],
      [timer({ until: "input.x" }), { x: null }],
    ];
    for (const [node, input] of wrong) {
      const world = await open(node, input);
      await world.finish();
      assert.deepEqual(endOf(world), { status: "failed", code: "timer/invalid" }, JSON.stringify(input));
    }
    const node = timer({ until: "null" });
    const edges = [{ from: "t", to: "next", on: "error" as const }];
    const caught = await open(node, {}, { nodes: [node, task("next", "1")], edges, output: "1" });
    await caught.finish();
    assert.deepEqual(endOf(caught).output, 1);
  });

  it("goes on while its run is paused, or stands still, as it says", async () => {
    const fired: Record<string, number> = {};
    for (const onPause of ["run", "hold"] as const) {
      const world = await open(timer({ for: HOUR, onPause }));
      await world.advance(10 * MINUTE);
      await world.submit({ type: "execution.pause", data: { id: "e" } });
      await world.advance(20 * MINUTE);
      world.kill();
      const host = await openHost({ ...world, behaviour: completes(1) });
      await host.submit({ type: "link.join", data: { link: "l", agent: "a@1.0.0", session: "page" } });
      await host.advance(2 * HOUR);
      assert.equal(rowOf(world.disk, "e"), undefined, "nothing that follows begins");
      await host.submit({ type: "execution.resume", data: { id: "e" } });
      assert.deepEqual(
        host.committed.flatMap(({ type, data }) => (type === "execution.resumed" ? [data.restarted] : [])),
        [[]],
        "it isn't taken for lost",
      );
      await host.finish();
      const { output } = endOf(world) as { readonly output: { readonly firedAt: number } };
      fired[onPause] = (output.firedAt - START) / MINUTE;
      checkEmpty(host);
    }
    assert.deepEqual(fired, { run: 60, hold: 10 + 20 + 120 + 50 });
  });

  it("stops when what its run has done is undone", async () => {
    const done = task("done", "1", { compensate: { capabilities: ["work"], input: "1" } });
    const nodes = [done, timer({ for: HOUR }), event()];
    const edges = ["t", "m"].map((to) => ({ from: "done", to }));
    const world = await open(timer({ for: HOUR }), {}, { nodes, edges });
    await world.advance(100);
    assert.equal(world.engine.state.timers.timers.size + world.engine.state.messages.waits.size, 2);
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    assert.equal(world.engine.state.timers.timers.size + world.engine.state.messages.waits.size, 0);
    await world.finish();
    assert.equal(endOf(world).status, "compensated");
    checkEmpty(world);
  });

  it("is gone with its run", async () => {
    const world = await open(timer({ for: DAY }));
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    checkEmpty(world);
    assert.equal(world.engine.nextDue(), undefined);
  });
});

describe("an event node", () => {
  it("goes on with the message of its name and key, whichever comes first", async () => {
    for (const early of [true, false]) {
      const world = await openWorld(1, { behaviour: completes(1) });
      const definition = { id: "w", nodes: [event({ key: "input.order" })] };
      await world.submit(...serve("a"), registerWorkflow(definition));
      const messages = [publish("wrong", { key: "8" }), publish({ sum: 5 }, { key: "7" })];
      if (early) await world.submit(...messages);
      await world.submit(startExecution("e", "w", { order: 7 }));
      if (!early) {
        assert.equal(world.mirror.workflows.nodes.get("e/m")?.key, "7");
        await world.submit(...messages);
      }
      await world.finish(MINUTE);
      assert.deepEqual(endOf(world).output, { received: true, payload: { sum: 5 }, publishedAt: START });
      checkEmpty(world);
    }
  });

  it("fails or goes on when none comes in time; one that came too early doesn't count", async () => {
    const outcomes: Record<string, End> = {};
    for (const onTimeout of ["fail", "continue"] as const) {
      const world = await openWorld(1);
      await world.submit(registerWorkflow({ id: "w", nodes: [event({ timeout: 5_000, lookBack: 0, onTimeout })] }));
      await world.submit(publish(1));
      await world.advance(1);
      await world.submit(startExecution("e", "w"));
      await world.advance(5_000);
      outcomes[onTimeout] = endOf(world);
      checkEmpty(world);
    }
    assert.deepEqual(outcomes, {
      fail: { status: "failed", code: "event/timeout" },
      continue: { status: "completed", output: { received: false, payload: null, publishedAt: null } },
    });
  });

  it("takes its message while its run is paused, and goes on later", async () => {
    const world = await open(event());
    await world.submit({ type: "execution.pause", data: { id: "e" } }, publish(1));
    await world.advance(HOUR);
    assert.equal(world.engine.state.messages.messages.size + world.engine.state.messages.waits.size, 0);
    await world.submit({ type: "execution.resume", data: { id: "e" } });
    await world.finish();
    assert.deepEqual(endOf(world).output, { received: true, payload: 1, publishedAt: START });
  });

  it("shares a broadcast message, and no other", async () => {
    for (const consume of ["one", "broadcast"] as const) {
      const world = await openWorld(1);
      await world.submit(registerWorkflow({ id: "w", nodes: [event({ consume })] }));
      await world.submit(...["e1", "e2", "e3"].map((id) => startExecution(id, "w")), publish(1));
      assert.equal(world.disk.archived.length, consume === "one" ? 1 : 3);
      await world.submit({ type: "execution.cancel", data: { id: "e2" } }, publish(2));
      assert.equal(world.disk.archived.length, 3);
      checkEmpty(world);
    }
  });

  it("needs a key that is a text or a number", async () => {
    const world = await open(event({ key: "input" }), { no: "key" });
    await world.finish();
    assert.deepEqual(endOf(world), { status: "failed", code: "expression/failed" });
  });
});

describe("a definition with nodes that wait", () => {
  it("says what it lacks", () => {
    const wrong: readonly (readonly [Node, RegExp])[] = [
      [timer({}), /needs either 'for' or 'until'/],
      [timer({ for: 1, until: "1" }), /needs either 'for' or 'until'/],
      [timer({ for: 1, timeZone: "UTC" }), /a time zone, but no 'until'/],
      [timer({ for: 1, tolerance: 5 }), /fires however late/],
      [event({ onTimeout: "fail" }), /has none/],
    ];
    for (const [node, reason] of wrong) assert.throws(() => planWorkflow({ id: "w", nodes: [node] }), reason);
  });
});

describe("a host that is killed while nodes wait", () => {
  const FAULTS: readonly MemoryFault[] = ["refuse", "hang", "fail-after", "hang-after"];
  const definition: WorkflowInput = {
    id: "w",
    nodes: [
      { id: "split", type: "parallel" },
      { id: "soon", type: "timer", for: 40_000 },
      { id: "never", type: "event", name: "never", timeout: 70_000, onTimeout: "continue" },
      { id: "once", type: "event", name: "once", key: "input.order" },
      {
        id: "each",
        type: "map",
        items: "[1, 2]",
        body: {
          nodes: [
            { id: "all", type: "event", name: "all", consume: "broadcast" },
            { id: "pause", type: "timer", for: 500 },
          ],
        },
      },
      { id: "join", type: "join" },
    ],
    edges: ["soon", "never", "once", "each"].flatMap((to) => [
      { from: "split", to },
      { from: to, to: "join" },
    ]),
    output:
      "{'once': nodes.once.output.payload, 'never': nodes.never.output.received, 'each': nodes.each.output[1].all.payload}",
  };

  /** A page that asks again for what it wasn't told is durable. */
  async function run(kill: number, fault: MemoryFault): Promise<{ writes: number; story: string[]; output: unknown }> {
    const [disk, time] = [createDisk(), createTime()];
    let [writes, hosts, isHanging] = [0, 0, false];
    let host: Host | undefined;
    const gate = (): MemoryFault | undefined => {
      if (++writes !== kill) return undefined;
      isHanging = fault.startsWith("hang");
      if (isHanging) queueMicrotask(() => host?.kill());
      return fault;
    };
    const steps: readonly (readonly CoreCommand[])[] = [
      [registerWorkflow(definition), startExecution("e", "w", { order: "7" })],
      [{ type: "message.publish", data: { name: "once", key: "7", id: "m1", payload: '"here"' } }],
      [{ type: "message.publish", data: { name: "all", id: "m2", payload: "[1]" } }],
    ];
    let told = 0;
    while (!rowOf(disk, "e") || (host?.isOver() ?? true)) {
      assert.ok(++hosts < 5, "it never ends");
      isHanging = false;
      host = await openHost({ disk, time, chance: createChance(1), gate, snapshotEvery: 9 });
      if (isHanging as boolean) host.kill();
      while (!host.isOver() && !rowOf(disk, "e")) {
        const step = steps[told];
        if (step) {
          host.push(registerAgent("a"), ...step);
          if (!(await host.durable())) told++;
        }
        if (!host.isOver()) await host.advance(10_000);
      }
    }
    checkEmpty(host as Host);
    const lines = eventsOf(disk).flatMap(({ type, data }: CoreEvent) => {
      if (type === "timer.fired" || type === "wait.met" || type === "wait.expired") return [`${type} ${data.id}`];
      return type === "node.completed" ? [`${type} ${data.execution}/${data.node}`] : [];
    });
    return { writes, story: lines.sort(), output: endOf({ disk }).output };
  }

  it("fires each timer once, takes each message once, and comes to the same end, at whatever write it dies", async () => {
    const plain = await run(0, "refuse");
    assert.deepEqual(plain.output, { once: "here", never: false, each: [1] });
    assert.ok(plain.writes >= 8 && new Set(plain.story).size === plain.story.length);
    for (let kill = 1; kill <= plain.writes; kill++)
      for (const fault of FAULTS) {
        const { story, output } = await run(kill, fault);
        assert.deepEqual([story, output], [plain.story, plain.output], `${fault} at ${String(kill)}`);
      }
  });
});
