/** Agents of untrusted code: what they are given, and what becomes of what they give. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { RuntimeError } from "../../../src/core/errors.ts";
import { createInterpreter } from "../../../src/plugins/interpreter/interpreter.ts";
import { createJavascriptAgent } from "../../../src/plugins/interpreter/javascript.ts";
import { rehearse } from "../../../src/testing/rehearse.ts";
import { asModule, failure, here, seatInThread, stage, threads, value } from "./stage.ts";

const manifest = { name: "guest", version: "1.0.0", capabilities: ["work"] };

describe("an agent of untrusted code", { timeout: 120_000 }, () => {
  it("gets its input, and gives its output, as JSON", async () => {
    const input = { text: "é\u{1F600}\u2028", deep: [[1, null, { a: -0.5 }]], ["__proto__"]: 1 };
    assert.deepEqual(await value("return { input, n: 6 * 7 }", { input }), { input, n: 42 });
    assert.equal(await value("return undefined"), null);
    assert.equal(await value("return input", {}), null);
  });

  it("knows its task, its checkpoint and what it may call, and nothing of them can be changed", async () => {
    const staged = stage({ checkpointed: { at: 3 } });
    const body = `
      let frozen = 0;
      for (const one of [context, context.task, context.signal, context.blobs, context.functions]) if (Object.isFrozen(one)) frozen++;
      return { keys: Object.keys(context).sort(), task: context.task, checkpointed: context.checkpointed, frozen };`;
    assert.deepEqual(await value(body, {}, staged), {
      keys: [..."blobs checkpoint checkpointed functions log once progress signal stream task".split(" ")],
      task: { id: "t", attempt: 1, idempotencyKey: "t", capability: "work" },
      checkpointed: { at: 3 },
      frozen: 5,
    });
  });

  it("keeps checkpoints, streams, logs and tells its progress", async () => {
    const staged = stage();
    const body = `
      context.progress(0.1); context.progress(0.5, "half");
      context.log("info", "one"); context.log("nonsense", "two"); context.log("error", { toString: () => "three" });
      await context.checkpoint({ at: 1 });
      await Promise.all([context.stream("a"), context.stream({ b: 1 })]);
      context.progress(NaN);
    `;
    await value(body, {}, staged);
    assert.deepEqual(staged.told.checkpoints, [{ at: 1 }]);
    assert.deepEqual(staged.told.items, ["a", { b: 1 }]);
    assert.deepEqual(staged.told.log, ["info one", "error three"]);
    assert.deepEqual(staged.told.progress[0], [0.5, "half"], "the latest of a turn");
    assert.ok(Number.isNaN(staged.told.progress[1]?.[0]));
  });

  it("runs an effect once for all attempts, and again when it failed", async () => {
    const effects = new Map<string, unknown>();
    const body = `
      let runs = 0;
      const effect = async () => { runs++; return { runs }; };
      const [a, b] = await Promise.all([context.once("k", effect), context.once("other", () => 2)]);
      const failed = await context.once("bad", () => { throw new RangeError("no") }).catch((error) => String(error));
      return { a, b, again: await context.once("k", effect), runs, failed };`;
    const first = { a: { runs: 1 }, b: 2, again: { runs: 1 }, runs: 1, failed: "RangeError: no" };
    assert.deepEqual(await value(body, {}, stage({ effects })), first);
    assert.deepEqual(await value(body, {}, stage({ effects })), { ...first, runs: 0 });
    assert.deepEqual([...effects.keys()], ["k", "other"]);
    assert.equal((await failure("await context.once('', () => 1)")).code, "agent/message-invalid");
  });

  it("reads and writes bytes", async () => {
    const body = `
      const ref = await context.blobs.write(new Uint8Array([1, 2, 255]));
      const empty = await context.blobs.write(new Uint8Array());
      const lost = await context.blobs.read({ blob: "x", size: 1 }).catch((error) => error.message);
      const bad = await context.blobs.read({ blob: 1 }).catch((error) => error.code);
      return { ref, empty, bytes: [...await context.blobs.read(ref)], lost, bad };`;
    assert.deepEqual(await value(body), {
      ref: { blob: "b0", size: 3 },
      empty: { blob: "b1", size: 0 },
      bytes: [1, 2, 255],
      lost: "no blob x",
      bad: "agent/message-invalid",
    });
  });

  it("calls the functions that it was given, and no other", async () => {
    const functions = {
      add: ([a, b]: readonly unknown[]) => Number(a) + Number(b),
      slow: () => new Promise((resolve) => setTimeout(resolve, 5, { task: 1 })),
      fail: () => {
        throw new RuntimeError("capability/unknown", { name: "x" });
      },
    };
    const body = `
      const { add, slow, fail, constructor } = context.functions;
      const error = await fail().catch(({ code, detail, stack }) => ({ code, detail, ours: /src|node:/.test(stack) }));
      return { sum: await add(1, 2), slow: await slow(), error, constructor: constructor === Object, keys: Object.keys(context.functions) };`;
    assert.deepEqual(await value(body, { functions }), {
      sum: 3,
      slow: { task: 1 },
      error: { code: "capability/unknown", detail: { name: "x" }, ours: false },
      constructor: true,
      keys: ["add", "slow", "fail"],
    });
  });

  it("ends with the error that it throws, and the lines of its source", async () => {
    const error = await failure(
      "throw Object.assign(new TypeError('bad'), { code: 'own/code', retryable: false, detail: { a: 1 }, cause: new Error('deep') })",
    );
    assert.deepEqual(
      { ...error, stack: undefined, cause: error.cause?.message },
      {
        name: "TypeError",
        message: "bad",
        code: "own/code",
        detail: { a: 1 },
        retryable: false,
        stack: undefined,
        cause: "deep",
      },
    );
    assert.match(error.stack ?? "", /agent\.js:2:/u);
    assert.doesNotMatch(error.stack ?? "", /node:|\/src\//u);
    assert.equal((await failure("throw 'text'")).message, "text");
    assert.equal((await failure("throw Symbol('s')")).message, "Symbol(s)");
  });

  it("fails to load where there is nothing to run, with the place", async () => {
    const load = async (source: string): Promise<string> => {
      const { code, message, retryable } = await failure("", { source });
      assert.deepEqual([code, retryable], ["agent/load-failed", false]);
      return message;
    };
    assert.match(await load("export default 1"), /no function/u);
    assert.match(await load("export const run = () => 1"), /no function/u);
    assert.match(await load("export default ("), /./u);
    assert.match(await load("import 'https://evil.example/x.js'"), /there is no module https:\/\/evil/u);
    assert.match(await load("throw new Error('at once')"), /at once/u);
    const nul = await failure("", { source: "export default () => 1;\0" });
    assert.equal(nul.code, "agent/load-failed");
  });

  it("may await at its top", async () => {
    assert.equal(await value("", { source: "const n = await Promise.resolve(7); export default () => n" }), 7);
  });

  it("fails at once when it waits for what can't come", async () => {
    for (const body of ["await new Promise(() => {})", "await context.once('k', () => new Promise(() => {}))"]) {
      const { code, retryable } = await failure(body);
      assert.deepEqual([code, retryable], ["agent/stalled", false]);
    }
  });

  it("hears of the abort between its steps, and is ended when it doesn't care", async () => {
    const polite = stage();
    const body = `
      let heard = 0;
      context.signal.addEventListener("abort", () => heard++);
      context.log("info", "begun");
      while (!context.signal.aborted) await null;
      try { context.signal.throwIfAborted(); } catch (error) { return { heard, code: error.code }; }`;
    const running = value(body, { cpuMs: 60_000 }, polite);
    while (polite.told.log.length === 0) await new Promise(setImmediate);
    polite.controller.abort(new RuntimeError("task/cancelled"));
    assert.deepEqual(await running, { heard: 1, code: "task/cancelled" });

    const rude = stage();
    const going = failure("context.log('info', 'begun'); for (;;) await null", { cpuMs: 2_000 }, rude);
    while (rude.told.log.length === 0) await new Promise(setImmediate);
    rude.controller.abort(new RuntimeError("task/cancelled"));
    assert.equal((await going).code, "task/cancelled");
  });

  it("gives the same for the same input where it has to", async () => {
    const body = "return { date: typeof Date, random: typeof Math.random }";
    const none = { date: "undefined", random: "undefined" };
    assert.deepEqual(await value(body, { deterministic: true }), none);
    const has = { date: "function", random: "function" };
    assert.deepEqual(await value(body), has);
  });

  it("is an agent like any other: it has a manifest, schemas and attempts", async () => {
    const agent = here.interpret({
      ...manifest,
      input: v.object({ n: v.number() }),
      output: v.number(),
      source: asModule(
        "const at = context.checkpointed ?? 0; await context.checkpoint(at + 1); return input.n + await context.once('k', () => 1)",
      ),
    });
    assert.equal(agent.name, "guest");
    assert.equal("source" in agent || "memoryMB" in agent, false);
    const { outputs, effects, checkpoints } = await rehearse(agent, { n: 4 });
    assert.deepEqual(
      [outputs, effects, checkpoints],
      [
        [5, 5],
        [["k"], []],
        [1, 1],
      ],
    );
    const wrong = here.interpret({ ...manifest, output: v.number(), source: asModule("return 'text'") });
    await assert.rejects(rehearse(wrong, null), { code: "agent/output-invalid" });
  });

  it("is refused with limits that are none", () => {
    const refused = (field: string, options: object): void => {
      assert.throws(
        () => here.interpret({ ...manifest, source: "", ...options }),
        (error: RuntimeError) => error.code === "agent/manifest-invalid" && error.detail["field"] === field,
      );
    };
    refused("memoryMB", { memoryMB: 2 });
    refused("memoryMB", { memoryMB: 1e6 });
    refused("cpuMs", { cpuMs: 0 });
    refused("cpuMs", { cpuMs: "1" });
    refused("stackKB", { stackKB: 1.5 });
    refused("deterministic", { deterministic: 1 });
    refused("functions.a", { functions: { a: 1 } });
    refused("name", { name: "" });
  });

  it("runs what a task brings, as text or as bytes, within the limits that it says", async () => {
    const agent = createJavascriptAgent(here);
    const source = asModule("return input.n + 1");
    assert.deepEqual((await rehearse(agent, { source, input: { n: 1 } })).outputs, [2, 2]);
    const { context } = stage();
    const ref = await context.blobs.write(new TextEncoder().encode(source));
    const parsed = v.parse(agent.input as v.GenericSchema<unknown, never>, { source: ref, input: { n: 2 } });
    assert.equal(await agent.run(parsed, context), 3);
    await assert.rejects(rehearse(agent, { source: asModule("for (;;);"), cpuMs: 50 }), { code: "agent/cpu-exceeded" });
    await assert.rejects(rehearse(agent, { source, memoryMB: 1e6 }), { code: "agent/input-invalid" });
    await assert.rejects(rehearse(agent, { source, more: 1 }), { code: "agent/input-invalid" });
  });

  it("runs beside others in threads that are used again", async () => {
    const { interpret } = createInterpreter(seatInThread);
    const agent = interpret({ ...manifest, source: asModule("return input * 2") });
    const run = (input: number): unknown => agent.run(input, stage().context);
    assert.deepEqual(await Promise.all([1, 2, 3].map(run)), [2, 4, 6]);
    assert.deepEqual([await run(4), await run(5)], [8, 10]);
    assert.equal(threads.started, 3);
    assert.equal(threads.ended, 2, "one is kept");
  });
});
