/** What the simulator has found in the runtime, each once more without it. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { Connection } from "../../../src/client/connection.ts";
import type { Mirror } from "../../../src/client/mirror.ts";
import { createOutbox } from "../../../src/client/outbox.ts";
import { createResults } from "../../../src/client/results.ts";
import { encodeError, RuntimeError } from "../../../src/core/errors.ts";
import { referTo } from "../../../src/core/payload/reference.ts";
import type { Journal } from "../../../src/core/ports.ts";
import type { CoreEvent } from "../../../src/core/runtime.ts";
import type { Engine } from "../../../src/core/engine.ts";
import { createCheckpoints } from "../../../src/workers/checkpoints.ts";
import { endedBy } from "../../../src/workers/ends.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { completes, fails, never, openWorld } from "../core/kit.ts";
import { closeSites, openRunning } from "../host/site.ts";
import { createTask, join, registerAgent, registerWorkflow, startExecution } from "../core/things.ts";
import { eventsOf } from "../core/disk.ts";

const refusal = encodeError(new RuntimeError("execution/unknown", { id: "r" }));

describe("what the simulator has found", () => {
  afterEach(closeSites);

  it("an effect or a checkpoint of an attempt that was stopped isn't told as kept, though it holds its slot still", async () => {
    const site = await openRunning("t");
    await site.command({ type: "task.cancel", data: { id: "t" } });
    await site.ordered("abort");
    site.worker(
      { kind: "effect", call: 1, task: "t", attempt: 1, key: "paid", value: "1" },
      { kind: "checkpoint", call: 2, task: "t", attempt: 1, value: "1" },
    );
    for (const call of [1, 2]) {
      const answer = await site.ordered("answer");
      assert.equal(answer.call, call);
      assert.equal(answer.error?.code, "task/finished");
    }
    assert.ok(!site.events().some(({ type }) => type === "task.effected" || type === "task.checkpointed"));
  });

  it("settled() tells what was refused of its own, and not of a command that came later with the same answer", async () => {
    const outbox = createOutbox(
      () => undefined,
      () => undefined,
    );
    outbox.push("r", { type: "execution.start", data: { id: "r", workflow: "w", input: "null" } });
    const started = outbox.settled("r");
    outbox.push("r", { type: "execution.resume", data: { id: "r" } });
    const resumed = outbox.settled("r");
    outbox.answered(2, [[2, refusal]]);
    await started;
    await assert.rejects(resumed, { code: "execution/unknown" });
  });

  it("a run's result is what the archive says, though something that was said of it too late was refused", async () => {
    const ended = { id: "r", workflow: "w", status: "completed", output: "7" };
    const rows: Record<string, unknown> = { r: { text: JSON.stringify(ended) } };
    const connection = {
      outbox: { settled: () => Promise.reject(new RuntimeError("execution/unknown", { id: "r" })) },
      ask: (query: { readonly id: string }) => Promise.resolve(rows[query.id]),
    } as unknown as Connection;
    const results = createResults(connection, { isLive: () => false } as unknown as Mirror);
    assert.equal(await results.result("r"), 7);
    await assert.rejects(results.result("never made"), { code: "execution/unknown" });
  });

  it("events stay in the order of their times when a host begins with a snapshot alone and its clock was set back", async () => {
    const first = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
    await first.submit(createTask("a", { input: JSON.stringify("long".repeat(5_000)) }));
    await new Promise(setImmediate); // the snapshot is kept behind the answer
    first.kill();
    const { snapshot, head } = await createMemoryJournal({ disk: first.disk.memory }).open();
    assert.equal(snapshot?.seq, head);
    first.time.set(first.time.now() - 60_000);
    const second = await openWorld(2, { disk: first.disk, time: first.time, behaviour: never });
    await second.submit(createTask("c"));
    const times = eventsOf(first.disk).map(({ at }) => at);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  it("an undo that is begun anew, because the run around it is stopped, isn't taken for the one before", async () => {
    const work = { capabilities: ["a"], retry: { maxAttempts: 1 } };
    const inner: WorkflowInput = {
      id: "inner",
      nodes: [
        { id: "book", type: "task", ...work, compensate: work },
        { id: "send", type: "task", ...work },
      ],
      edges: [{ from: "book", to: "send" }],
    };
    const outer: WorkflowInput = { id: "outer", nodes: [{ id: "in", type: "subworkflow", workflow: "inner" }] };
    const world = await openWorld(1, {
      behaviour: (one) =>
        (one.task.id === "e/in/book" ? completes(1) : /undo$/u.test(one.task.id) ? never : fails(1))(one),
    });
    await world.submit(registerAgent("a", { capabilities: ["a"], slots: 2 }), join("l", "a@1.0.0"));
    await world.submit(registerWorkflow(inner), registerWorkflow(outer), startExecution("e", "outer", null));
    await world.advance(100);
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    await world.advance(1);
    const undos = eventsOf(world.disk).flatMap(({ type, data }) =>
      type === "task.created" && data.parent?.undo !== undefined ? [data.id] : [],
    );
    assert.deepEqual(undos, ["e/in/book.undo", "e/in/book.undo2"]);
  });

  it("a task has ended when the journal says so, and not when the state is ahead of it", async () => {
    const released: string[] = [];
    const blobs = { put: () => Promise.resolve(), release: (owner: string) => Promise.resolve(released.push(owner)) };
    const engine = { state: { tasks: { tasks: new Map() } } } as unknown as Engine; // it has ended there already
    const { follow } = createCheckpoints(engine, { blobs } as unknown as Journal);
    const kept = { id: "t", attempt: 1, value: referTo({ blob: "t:#1.1:abc", size: 300_000 }) };
    const failed = { id: "t", attempt: 1, error: { name: "E", message: "m", code: "c" }, held: false };
    const events = [
      { type: "task.checkpointed", data: kept, at: 1 },
      { type: "task.failed", data: { ...failed, retryAt: 5 }, at: 2 },
    ] as unknown as CoreEvent[];
    follow(events);
    assert.deepEqual(events.map(endedBy), [undefined, undefined]);
    assert.deepEqual(released, []);
    follow([{ type: "task.failed", data: failed, at: 3 } as unknown as CoreEvent]);
    await Promise.resolve();
    assert.deepEqual(released, ["t:#1.1"]);
  });

  it("what no port can carry is refused alone: neither other commands nor questions wait for it", async () => {
    const sent: unknown[] = [];
    const outbox = createOutbox(
      (_first, commands) => sent.push(...(structuredClone(commands) as readonly unknown[])),
      () => undefined,
    );
    const fine = { type: "task.cancel", data: { id: "fine" } } as const;
    outbox.push("odd", { type: "task.cancel", data: { id: "odd", reason: () => 1 } } as never);
    outbox.push("fine", fine);
    const odd = outbox.settled("odd");
    await Promise.resolve();
    assert.deepEqual(sent.slice(1), [fine]);
    outbox.answered(2, [[1, refusal]]);
    await assert.rejects(odd, { code: "command/invalid" });
    await outbox.settled("fine");
  });
});
