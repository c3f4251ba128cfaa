/** Code that wants out, wants everything, or won't stop. Each case says what it comes to; the engine's worker survives. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createInterpreter } from "../../../src/plugins/interpreter/interpreter.ts";
import { asModule, failure, seatInThread, stage, threads, value } from "./stage.ts";

/** Enough for every case but those that want more; bounded, so that the suite is quick. */
const SMALL = { memoryMB: 16, cpuMs: 300 };
/** For cases that aren't about time. */
const SLOW = { cpuMs: 20_000 };
const code = async (body: string, options: object = {}): Promise<string> =>
  (await failure(body, { ...SMALL, ...options })).code;

describe("untrusted code that wants out", { timeout: 120_000 }, () => {
  it("finds no global of a platform", async () => {
    const names = (await value("return Object.getOwnPropertyNames(globalThis)")) as string[];
    const language = new Set(
      `Object Function Error EvalError RangeError ReferenceError SyntaxError TypeError URIError InternalError AggregateError
       Iterator Array parseInt parseFloat isNaN isFinite queueMicrotask decodeURI decodeURIComponent encodeURI
       encodeURIComponent escape unescape Infinity NaN undefined Number Boolean String Math Reflect Symbol eval globalThis
       Date RegExp JSON Proxy Map Set WeakMap WeakSet ArrayBuffer SharedArrayBuffer Uint8ClampedArray Int8Array Uint8Array
       Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array Float16Array Float32Array Float64Array
       DataView Promise BigInt WeakRef FinalizationRegistry DOMException performance`.split(/\s+/u),
    );
    assert.deepEqual(
      names.filter((name) => !language.has(name)),
      [],
    );
    for (const name of "fetch process require WebAssembly setTimeout self window postMessage importScripts console std os bjson Atomics".split(
      " ",
    ))
      assert.equal(await value(`return typeof ${name}`), "undefined", name);
  });

  it("stays inside, whatever constructor it walks to, and whatever text it makes code of", async () => {
    const reach = `({ g: typeof globalThis.process, f: typeof fetch, same: globalThis === home })`;
    const body = `
      globalThis.home = globalThis;
      const made = [];
      const functions = [Object, context.log, context.checkpoint, context.once, context.blobs.read, async () => {}, function* () {}, async function* () {}];
      for (const one of functions) for (const maker of [one.constructor, Object.getPrototypeOf(one).constructor, one.constructor.constructor])
        try { made.push(maker("return ${reach}")()); } catch (error) { made.push(String(error)); }
      made.push((0, eval)("${reach}"), eval("${reach}"), new Function("return ${reach}")());
      for (const one of await Promise.all(made.map(async (item) => item?.next ? (await item.next()).value : item))) {
        if (one.g !== "undefined" || one.f !== "undefined" || one.same !== true) return one;
      }
      return made.length;`;
    assert.equal(await value(body), 27);
  });

  it("gets no object of ours: what it is given is its own", async () => {
    const staged = stage({ checkpointed: { a: [] } });
    const body = `
      const seen = new Set(), stack = [[context, "context"], [input, "input"]];
      while (stack.length) {
        const [one, path] = stack.pop();
        if (one === null || (typeof one !== "object" && typeof one !== "function") || seen.has(one)) continue;
        seen.add(one);
        const proto = Object.getPrototypeOf(one);
        if (proto !== null && !(one instanceof Object)) return path;
        for (const key of Reflect.ownKeys(one)) {
          const { value, get, set } = Object.getOwnPropertyDescriptor(one, key);
          for (const part of [value, get, set]) stack.push([part, path + "." + String(key)]);
        }
        stack.push([proto, path + ".__proto__"]);
      }
      return "all of it";`;
    assert.equal(await value(body, { input: { a: {} } }, staged), "all of it");
  });

  it("finds our functions by a stack trace, and gains nothing by them", async () => {
    const body = `
      const found = new Set();
      Error.prepareStackTrace = (error, sites) => { for (const site of sites) found.add(site.getFunction?.()); return ""; };
      const look = { toString() { new Error().stack; return "x"; }, toJSON() { new Error().stack; return 1; }, valueOf() { new Error().stack; return 1; } };
      context.log(look, look); context.progress(look, look); await context.checkpoint(look);
      try { null.x } catch (error) { error.stack }
      Error.prepareStackTrace = undefined;
      const said = [];
      for (const one of found) if (typeof one === "function")
        for (const args of [["constructor", "[]"], ["__proto__", "[]"], ["function", '["toString",[]]'], ["log", "{"], [{}, {}], ["read", '[{"blob":{}}]'], ["write", "[]", { byteLength: 4 }], ["failed", "{"]])
          try { const id = one(...args); said.push(typeof id); } catch (error) { said.push(error.name); }
      return 1;`;
    const outcome = await value(body, SMALL).catch((error: unknown) => error);
    assert.ok(outcome === 1 || outcome instanceof Error); // it may only end itself
    assert.equal(await value("return 2"), 2);
    assert.equal("polluted" in {}, false);
  });

  it("pollutes no prototype by what it returns, keeps, logs or throws", async () => {
    const staged = stage();
    const evil = `JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')`;
    const body = `
      Object.prototype.inherited = 1; Array.prototype.polluted = 1;
      await context.checkpoint(${evil}); await context.stream(${evil}); context.log("info", "__proto__");
      await context.once("__proto__", () => ${evil});
      return ${evil};`;
    const output = (await value(body, {}, staged)) as object;
    assert.deepEqual(Object.keys(output), ["__proto__", "constructor"]);
    const error = await failure(`throw Object.assign(new Error("e"), { detail: ${evil}, name: "__proto__" })`);
    assert.equal(error.name, "__proto__");
    assert.equal("polluted" in {} || "polluted" in [] || "inherited" in {}, false);
  });

  it("runs its getters, proxies and toJSON inside, in its own time", async () => {
    assert.deepEqual(await value("return { get a() { return 1; }, b: { toJSON: () => 2 } }"), { a: 1, b: 2 });
    assert.equal(await code("return { get a() { for (;;); } }"), "agent/cpu-exceeded");
    assert.equal(await code("return { toJSON() { for (;;); } }"), "agent/cpu-exceeded");
    assert.equal(await code("return new Proxy({}, { ownKeys() { for (;;); } })"), "agent/cpu-exceeded");
    assert.equal(await code("return new Proxy({}, { get() { throw new Error('trap'); } })", SLOW), "agent/failed");
    assert.equal(await code("throw { get message() { for (;;); } }"), "agent/cpu-exceeded");
    assert.equal(await code("return { then() {} }", SLOW), "agent/stalled");
    for (const none of ["() => 1", "Symbol()", "(() => { const a = []; a[0] = a; return a; })()", "1n"])
      assert.equal(await code(`return ${none}`, SLOW), "agent/output-invalid");
  });

  it("imports nothing", async () => {
    for (const name of [
      "https://evil.example/",
      "data:text/javascript,export default 1",
      "std",
      "os",
      "node:fs",
      "./x.js",
    ])
      assert.match((await failure(`await import(${JSON.stringify(name)})`)).message, /there is no module/u);
  });
});

describe("untrusted code that won't stop", { timeout: 120_000 }, () => {
  const loops: Readonly<Record<string, string>> = {
    "a loop": "for (;;);",
    "one that catches": "for (;;) try { for (;;); } catch {} finally { for (;;); }",
    "one in a promise":
      "(async () => { for (;;) try { for (;;); } catch {} })().catch(() => { for (;;); }); for (;;) await null;",
    "one that handles the interrupt": "const go = async () => { for (;;); }; for (;;) await go().catch(() => {});",
    "a generator": "function* all() { try { for (;;) yield 1; } finally { for (;;); } } for (const one of all());",
    microtasks: "await new Promise(() => { const go = () => Promise.resolve().then(go); go(); });",
    "queued microtasks": "await new Promise(() => { const go = () => queueMicrotask(go); go(); });",
    "a regular expression": "/^(a+)+$/.test('a'.repeat(40) + 'b');",
    "a map that grows as it is walked":
      "const m = new Map([[1, 1]]); for (const [k] of m) { m.delete(k); m.set(k + 1, 1); }",
    "a getter": "Object.defineProperty(Object.prototype, 'then', { get() { for (;;); } }); return {};",
    "a sort": "[2, 1, 3].sort(() => { for (;;); });",
  };
  for (const [name, body] of Object.entries(loops))
    it(`is ended: ${name}`, async () => {
      assert.equal(await code(body), "agent/cpu-exceeded");
    });

  it("is ended within a native call, with its worker, and the next attempt gets another", async () => {
    const { evaluate } = createInterpreter(seatInThread);
    const { started, ended } = { ...threads };
    const run = (body: string, cpuMs = 20_000): Promise<unknown> =>
      evaluate({ source: asModule(body), cpuMs }, stage().context);
    await assert.rejects(run("Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)", 200), {
      code: "agent/cpu-exceeded",
    });
    assert.deepEqual([threads.started - started, threads.ended - ended], [1, 1]);
    assert.equal(await run("return 1"), 1);
    const { context, controller } = stage();
    const source = asModule("[].includes.call({ length: 2 ** 53 - 1 }, 1)");
    const running = evaluate({ source, cpuMs: 100_000 }, context);
    setTimeout(() => {
      controller.abort(new Error("not needed any more"));
    }, 50);
    await assert.rejects(running, /not needed/u);
    assert.equal(await run("return 2"), 2);
  });

  it("has its time counted over all of its turns, and not while it waits", async () => {
    const wait = { wait: () => new Promise((resolve) => setTimeout(resolve, 1_500)) };
    assert.equal(await value("await context.functions.wait(); return 1", { cpuMs: 1_000, functions: wait }), 1);
    const turns = "for (let at = 0; ; at++) { for (let n = 0; n < 1e5; n++); await context.checkpoint(at); }";
    assert.equal(await code(turns), "agent/cpu-exceeded");
  });
});

describe("untrusted code that wants everything", { timeout: 120_000 }, () => {
  const bombs: Readonly<Record<string, string>> = {
    arrays: "const all = []; for (;;) all.push(new Array(1e3).fill(1));",
    buffers: "const all = []; for (;;) all.push(new Uint8Array(1e6));",
    texts: "const all = []; for (let at = 0; ; at++) all.push(at + 'x'.repeat(1e5));",
    repeat: "return 'x'.repeat(2 ** 29);",
    closures: "let last; for (;;) { const before = last; last = () => before; }",
    promises: "const all = []; for (;;) all.push(new Promise(() => {}));",
  };
  for (const [name, body] of Object.entries(bombs))
    it(`gets no more memory than it may: ${name}`, async () => {
      assert.equal(await code(body, { cpuMs: 20_000 }), "agent/memory-exceeded");
    });

  it("may go on when it has let go", async () => {
    const body = "try { const all = []; for (;;) all.push(new Uint8Array(1e6)); } catch { return 'again'; }";
    assert.equal(await value(body, { ...SMALL, ...SLOW }), "again");
  });

  it("can't be given, nor give, more than has room", async () => {
    assert.equal(await code("return 'x'.repeat(3e6)", SLOW), "agent/output-too-large");
    assert.equal((await failure("", { ...SMALL, ...SLOW, input: "x".repeat(3e6) })).code, "agent/memory-exceeded");
    assert.equal(
      (await failure("", { ...SMALL, ...SLOW, source: `//${"x".repeat(3e6)}` })).code,
      "agent/memory-exceeded",
    );
    assert.match(
      (await failure("await context.checkpoint('x'.repeat(3e6))", { ...SMALL, ...SLOW })).message,
      /too long/u,
    );
    assert.match(
      (await failure("await context.blobs.write(new Uint8Array(3e6))", { ...SMALL, ...SLOW })).message,
      /too many/u,
    );
    const functions = { much: () => "x".repeat(3e6) };
    assert.equal(await code("await context.functions.much()", { ...SLOW, functions }), "agent/memory-exceeded");
  });

  it("can't nest deeper than its stack", async () => {
    const caught = "const go = (n) => { try { return go(n + 1); } catch (error) { return n; } }; return go(0);";
    assert.ok(Number(await value(caught)) > 300);
    const deep: Readonly<Record<string, string>> = {
      calls: "const go = () => go() + 1; go();",
      JSON: "JSON.parse('['.repeat(1e6));",
      output: "let all = []; for (let n = 0; n < 1e4; n++) all = [all]; return all;",
      source: "eval('('.repeat(1e5));",
      getters: "const o = { get x() { return this.x; } }; o.x;",
      proxies: "let p = {}; for (let n = 0; n < 1e4; n++) p = new Proxy(p, {}); p.x;",
      replace: "const go = () => 'a'.replace(/a/, go); go();",
      flat: "let all = []; for (let n = 0; n < 1e4; n++) all = [all]; all.flat(Infinity);",
      generators: "function* go() { yield* go(); } for (const one of go());",
    };
    for (const [name, body] of Object.entries(deep)) {
      const { message } = await failure(body, { cpuMs: 20_000 });
      assert.match(message, /call stack|too deep/u, name);
    }
    const wide = { stackKB: 1_024, cpuMs: 20_000 }; // more than the platform's own stack holds
    assert.ok(["agent/failed", "agent/crashed"].includes((await failure("JSON.parse('['.repeat(1e6))", wide)).code));
    assert.equal(await value("return 'still there'"), "still there");
  });

  it("can't flood us with calls", async () => {
    const staged = stage();
    await value(
      "for (let n = 0; n < 1e5; n++) { context.log('info', 'line ' + n); context.progress(n / 1e5); }",
      { cpuMs: 20_000 },
      staged,
    );
    assert.ok(staged.told.log.length < 5_000 && staged.told.progress.length < 5_000, `${staged.told.log.length}`);
    assert.ok(staged.told.log.some((line) => /lines dropped/u.test(line)));
    const body = `
      const all = await Promise.allSettled(Array.from({ length: 1000 }, (_, n) => context.checkpoint(n)));
      const refused = all.filter(({ status }) => status === "rejected");
      return { refused: refused.length, why: refused[0].reason.message };`;
    const { refused, why } = (await value(body)) as { refused: number; why: string };
    assert.equal(refused, 744);
    assert.match(why, /at most 256 calls/u);
    const large = `const all = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => context.checkpoint("x".repeat(1e6))));
      return all.filter(({ status }) => status === "rejected").length;`;
    assert.ok(Number(await value(large, { memoryMB: 32, cpuMs: 20_000 })) >= 7);
    assert.equal(await value("for (let n = 0; n < 100; n++) void context.checkpoint(n); return 'gone'"), "gone");
  });

  it("leaves nothing behind: a thousand attempts take no more memory than a hundred", async () => {
    const { gc } = globalThis as { readonly gc?: () => void };
    const run = async (times: number): Promise<void> => {
      for (let at = 0; at < times; at++)
        assert.equal(
          await value("globalThis.kept = new Uint8Array(1e6); await context.checkpoint(1); return typeof kept"),
          "object",
        );
    };
    const used = (): number => {
      gc?.();
      const { heapUsed, external } = process.memoryUsage();
      return (heapUsed + external) / 1024 / 1024;
    };
    await run(100);
    const rss = process.memoryUsage().rss / 1024 / 1024;
    await run(900);
    assert.ok(process.memoryUsage().rss / 1024 / 1024 < rss + 200, "resident MiB");
    assert.ok(used() < 2_000, `${used()} MiB`); // an instance is 17 MiB of addresses: 900 of them would be 15,000
    assert.equal(await value("return typeof kept"), "undefined");
  });
});
