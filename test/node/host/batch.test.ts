/** Batches, by the real runtime of an agent: over ports that a test holds, and with a real host's engine behind them. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { AgentFrame, HostFrame } from "../../../src/core/agents/protocol.ts";
import type { AgentContext, StandardSchema } from "../../../src/core/plugin/definition.ts";
import { defineAgent } from "../../../src/core/plugin/definition.ts";
import type { Journal } from "../../../src/core/ports.ts";
import { batched, type BatchOptions } from "../../../src/workers/batch.ts";
import { createLinks } from "../../../src/workers/links.ts";
import { createMailDesk } from "../../../src/workers/mail.ts";
import { createService } from "../../../src/workers/agent-service.ts";
import { createSecrets } from "../../../src/workers/secrets.ts";
import { createStreams } from "../../../src/workers/streams.ts";
import { eventsOf } from "../core/disk.ts";
import { never, openWorld } from "../core/kit.ts";
import { createTask, registerAgent } from "../core/things.ts";

type Outcome = Extract<AgentFrame, { kind: "done" | "failed" }>;
type Run = BatchOptions<number, number>["run"];

const anything: StandardSchema<number> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as number }) },
};
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Bench {
  /** The inputs of each batch that was begun. */
  readonly batches: number[][];
  readonly contexts: AgentContext[];
  /** Each array that the worker posted. */
  readonly posts: AgentFrame[][];
  /** `task attempt: output or code`, in the order in which they were said. */
  readonly said: () => string[];
  run(...tasks: (string | [task: string, input: unknown])[]): Promise<void>;
  abort(task: string): Promise<void>;
}

/** The real service of a batching agent, and the other end of its port. */
function openBench(options: Omit<BatchOptions<number, number>, "run">, run: Run = (inputs) => inputs): Bench {
  const [batches, contexts, posts]: [number[][], AgentContext[], AgentFrame[][]] = [[], [], []];
  const batch = batched<number, number>({
    ...options,
    run(inputs, all) {
      batches.push([...inputs]);
      contexts.push(...all);
      return run(inputs, all);
    },
  });
  const agent = { name: "a", version: "1.0.0", capabilities: ["work"], input: anything, output: anything };
  const service = createService(defineAgent({ ...agent, ...batch }));
  const port = { postMessage: (frames: AgentFrame[]) => posts.push(frames), close: () => undefined } as never;
  service.serve(port);
  const send = (...data: HostFrame[]): Promise<void> => {
    (port as MessagePort).onmessage?.({ data } as MessageEvent);
    return settle();
  };
  return {
    batches,
    contexts,
    posts,
    said: () => posts.flat().filter(isOutcome).map(textOf),
    run: (...tasks) =>
      send(
        ...tasks.map((one): HostFrame => {
          const [task, input] = typeof one === "string" ? [one, Number(one)] : one;
          return { kind: "run", task, attempt: 1, capability: "work", input: JSON.stringify(input) };
        }),
      ),
    abort: (task) =>
      send({ kind: "abort", task, attempt: 1, error: { name: "Error", message: "off", code: "task/cancelled" } }),
  };
}

function isOutcome(frame: AgentFrame): frame is Outcome {
  return frame.kind === "done" || frame.kind === "failed";
}

function textOf(frame: Outcome): string {
  return `${frame.task}: ${frame.kind === "done" ? String(frame.output) : frame.error.code}`;
}

interface Door {
  readonly opened: Promise<void>;
  open(): void;
}

function door(): Door {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
});
afterEach(() => {
  mock.timers.reset();
});

describe("a batch", () => {
  it("starts when it is full, in order, and its outcomes leave in one post", async () => {
    const bench = openBench({ size: 3 }, (inputs) => inputs.map((one) => one * 10));
    await bench.run("1", "2");
    assert.deepEqual(bench.batches, []);
    await bench.run("3", "4", "5", "6", "7");
    assert.deepEqual(bench.batches, [
      [1, 2, 3],
      [4, 5, 6],
    ]);
    assert.deepEqual(bench.said(), ["1: 10", "2: 20", "3: 30", "4: 40", "5: 50", "6: 60"]);
    assert.equal(bench.posts.length, 1);
  });

  it("starts when its first item has waited for its age, and not before", async () => {
    const bench = openBench({ size: 10, age: 50 });
    await bench.run("1");
    mock.timers.tick(30);
    await bench.run("2");
    mock.timers.tick(19);
    assert.deepEqual(bench.batches, []);
    mock.timers.tick(1);
    assert.deepEqual(bench.batches, [[1, 2]]);
    await bench.run("3");
    mock.timers.tick(49);
    assert.equal(bench.batches.length, 1, "the next one has an age of its own");
    mock.timers.tick(1);
    assert.deepEqual(bench.batches[1], [3]);
  });

  it("holds no more bytes than it may, and a larger item goes alone", async () => {
    const bench = openBench({ size: 10, bytes: 10 });
    await bench.run(["a", "123"], ["b", "ä"], ["c", "1234567890123"], ["d", 1], ["e", 2]);
    assert.deepEqual(bench.batches, [["123", "ä"], ["1234567890123"]]);
    mock.timers.tick(10);
    assert.deepEqual(bench.batches[2], [1, 2]);
  });

  it("gives each item what is its own: an output, an error, or the error of all", async () => {
    const fatal = Object.assign(new Error("no"), { code: "app/odd", retryable: false });
    const bench = openBench({ size: 3 }, (inputs) => {
      if (inputs.includes(7)) throw Object.assign(new Error("all"), { code: "app/all" });
      return inputs.map((one) => (one === 2 ? fatal : one));
    });
    await bench.run("1", "2", "3");
    assert.deepEqual(bench.said().sort(), ["1: 1", "2: app/odd", "3: 3"]);
    assert.equal(bench.posts.length, 1);
    const failed = bench.posts.flat().find(({ kind }) => kind === "failed") as Extract<Outcome, { kind: "failed" }>;
    assert.equal(failed.error.retryable, false);
    await bench.run("7", "8", "9");
    assert.deepEqual(bench.said().slice(3), ["7: app/all", "8: app/all", "9: app/all"]);
  });

  it("fails all when there isn't one result for each", async () => {
    for (const results of [[1], [1, 2, 3], undefined, "12"]) {
      const bench = openBench({ size: 2 }, () => results as number[]);
      await bench.run("1", "2");
      assert.deepEqual(bench.said(), ["1: agent/output-invalid", "2: agent/output-invalid"]);
    }
  });

  it("is left by an item that is cancelled before it starts", async () => {
    const bench = openBench({ size: 3, bytes: 6 });
    await bench.run("1", ["2", 2222]);
    await bench.abort("2");
    assert.deepEqual(bench.said(), ["2: task/cancelled"]);
    await bench.run("3", "4");
    assert.deepEqual(bench.batches, [[1, 3, 4]]);
    await bench.run("5");
    await bench.abort("5");
    mock.timers.tick(1_000);
    assert.equal(bench.batches.length, 1, "nothing was left to be done");
  });

  it("lets go of a cancelled item while it runs, and of the last one only with the run", async () => {
    const gate = door();
    const bench = openBench({ size: 3 }, async (inputs) => {
      await gate.opened;
      return inputs;
    });
    await bench.run("1", "2", "3");
    await bench.abort("2");
    assert.deepEqual(bench.said(), ["2: task/cancelled"]);
    assert.deepEqual(
      bench.contexts.map(({ signal }) => signal.aborted),
      [false, true, false],
    );
    await bench.abort("1");
    await bench.abort("3");
    assert.deepEqual(bench.said().slice(1), ["1: task/cancelled"], "a run that hangs must be seen to hang");
    gate.open();
    await settle();
    assert.deepEqual(bench.said().slice(2), ["3: 3"]);
  });

  it("has bounds that must be numbers of their kind, and slots for a full one", () => {
    const bad: [object, string][] = [
      [{ size: 0 }, "batch.size"],
      [{ size: 1.5 }, "batch.size"],
      [{ size: 10_001 }, "batch.size"],
      [{ size: 5, age: -1 }, "batch.age"],
      [{ size: 5, age: NaN }, "batch.age"],
      [{ size: 5, bytes: 0 }, "batch.bytes"],
    ];
    for (const [options, field] of bad)
      assert.throws(
        () => openBench(options as { size: number }),
        (error: Error & { code: string; detail: Record<string, unknown> }) =>
          error.code === "agent/manifest-invalid" && error.detail["field"] === field,
      );
    assert.equal(batched({ size: 50, run: (inputs) => inputs }).slots, 50);
  });
});

describe("a batch at a host", () => {
  it("is committed at once, and what failed of it is tried again alone", async () => {
    const around: { dispatch?: ReturnType<typeof createLinks>["dispatch"] } = {};
    const world = await openWorld(1, { behaviour: never, onCommitted: (events) => around.dispatch?.(events) });
    const links = createLinks({
      mail: createMailDesk(world.engine),
      engine: world.engine,
      now: Date.now,
      signal: () => undefined,
      streams: createStreams(() => true, Date.now),
      journal: {} as Journal,
      secrets: createSecrets(world.engine, undefined),
    });
    around.dispatch = links.dispatch;
    const seen = new Set<number>();
    const sizes: number[] = [];
    const batch = batched<number, number>({
      size: 50,
      run(inputs) {
        sizes.push(inputs.length);
        return inputs.map((one) => (one % 25 === 3 && seen.size !== seen.add(one).size ? new Error("again") : one));
      },
    });
    const agent = { name: "a", version: "1.0.0", capabilities: ["work"], input: anything, output: anything };
    const service = createService(defineAgent({ ...agent, ...batch }));
    const port = {
      postMessage: (frames: unknown) => queueMicrotask(() => links.receive("l", frames)),
      close: () => undefined,
    } as unknown as MessagePort;
    service.serve(port);
    await world.submit(registerAgent("a", { slots: batch.slots }));
    links.open({
      id: "l",
      agent: "a@1.0.0",
      session: "page",
      post: (frames) => {
        port.onmessage?.({ data: structuredClone(frames) } as MessageEvent);
      },
      kill: () => assert.fail("it is killed"),
      probe: () => assert.fail("its page is probed"),
    });
    const retry = { base: 5, jitter: "none" } as const;
    const count = 200;
    await world.submit(
      ...Array.from({ length: count }, (_none, at) => createTask(`t${String(at)}`, { input: String(at), retry })),
    );
    for (let turn = 0; turn < 100 && world.engine.state.tasks.tasks.size > 0; turn++) {
      await settle();
      await world.advance(5);
      mock.timers.tick(10);
    }
    const rows = world.disk.archived.map(({ text }) => JSON.parse(text) as Record<string, unknown>);
    assert.equal(rows.length, count);
    for (const { id, output, failures } of rows) {
      const at = Number(String(id).slice(1));
      assert.deepEqual([output, failures], [String(at), at % 25 === 3 ? 1 : 0]);
    }
    assert.equal(eventsOf(world.disk).filter(({ type }) => type === "task.completed").length, count);
    assert.equal(sizes[0], 50);
    const first = world.disk.history.find(({ text }) => text.includes('"task.completed"'));
    const events = JSON.parse(first?.text ?? "[]") as { type: string }[];
    assert.equal(events.filter(({ type }) => type === "task.completed").length, 48, "one commit for all of a batch");
    assert.equal(events.filter(({ type }) => type === "task.failed").length, 2);
    links.stop();
  });
});
