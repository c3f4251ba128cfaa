/**
 * What runs inside the engine before the untrusted code, and makes the context for it. `call` and `tell` are the only
 * functions of the host: they take texts and give a number or nothing, so whoever gets hold of them by a trick can do
 * what the context does, and no more. The names that it uses are taken before the code can replace them.
 */
export const PRELUDE = `(function (call, tell, settle, given) {
  "use strict";
  const { parse, stringify } = JSON;
  const { Promise, Map, Object, TypeError, Error, String, Number, Uint8Array, Set } = globalThis;
  const { freeze, assign } = Object;
  const open = new Map();
  const write = (value, what) => {
    const text = stringify(value === undefined ? null : value);
    if (typeof text !== "string") throw assign(new TypeError(what + " is a " + typeof value + ", not JSON"), { code: "json/invalid" });
    return text;
  };
  const describe = (thrown, causes) => {
    if (thrown === null || (typeof thrown !== "object" && typeof thrown !== "function")) return { name: "Error", message: String(thrown) };
    const read = (key) => {
      try {
        const value = thrown[key];
        if (value !== undefined && typeof value === "string") return value.slice(0, 4096);
      } catch {}
    };
    const told = { name: read("name") || "Error", message: read("message") || "", code: read("code"), stack: read("stack") };
    try {
      if (thrown.retryable === false) told.retryable = false;
      const detail = stringify(thrown.detail);
      if (typeof detail === "string" && detail.length < 16384) told.detail = parse(detail);
      if (causes > 0 && thrown.cause !== undefined) told.cause = describe(thrown.cause, causes - 1);
    } catch {}
    return told;
  };
  const restore = ({ name, message, code, detail }) => assign(new Error(message), { name, code, detail });
  const send = (name, args, bytes) => new Promise((resolve, reject) => {
    const id = call(name, args, bytes);
    open.set(id, { resolve, reject });
  });
  const ask = async (name, args, bytes) => send(name, write(args, name), bytes);
  const { input, task, checkpointed, functions } = parse(given);
  const listeners = new Set();
  let reason;
  const signal = {
    get aborted() { return reason !== undefined; },
    get reason() { return reason; },
    throwIfAborted() { if (reason !== undefined) throw reason; },
    addEventListener(type, listener) { if (type === "abort" && typeof listener === "function") listeners.add(listener); },
    removeEventListener(type, listener) { listeners.delete(listener); },
  };
  const effect = async (key, run) => {
    const found = await ask("once", [key]);
    if (!found.perform) return found.value;
    try {
      const value = write(await run(), key);
      return await send("performed", write([key], key).slice(0, -1) + "," + value + "]");
    } catch (error) {
      await ask("unperformed", [key, describe(error, 3)]);
      throw error;
    }
  };
  const context = {
    task: freeze(task),
    checkpointed,
    signal: freeze(signal),
    checkpoint: async (value) => { await ask("checkpoint", [value]); },
    stream: async (item) => { await ask("stream", [item]); },
    progress: (fraction, note) => { tell("progress", write([Number(fraction), note === undefined ? null : String(note).slice(0, 500)])); },
    log: (level, message) => { tell("log", write([String(level).slice(0, 8), String(message).slice(0, 4096)])); },
    once: effect,
    blobs: freeze({
      read: async (ref) => new Uint8Array(await ask("read", [ref])),
      write: async (bytes) => ask("write", [], new Uint8Array(bytes).buffer),
    }),
    functions: freeze(Object.fromEntries(functions.map((name) => [name, async (...args) => ask("function", [name, args])]))),
  };
  const fail = (error, code) => { settle("failed", write(assign(describe(error, 3), code && { code, retryable: false }), "error")); };
  const perform = async () => {
    let run;
    try {
      run = (await import("agent.js")).default;
      if (typeof run !== "function") throw new TypeError("agent.js has no function as its default export");
    } catch (error) {
      return fail(error, "agent/load-failed");
    }
    let value;
    try {
      value = await run(input, freeze(context));
    } catch (error) {
      return fail(error);
    }
    try {
      settle("done", write(value, "output"));
    } catch (error) {
      fail(error, "agent/output-invalid");
    }
  };
  perform();
  return {
    answer(id, text, bytes) {
      const waiting = open.get(id);
      open.delete(id);
      if (waiting === undefined) return;
      if (bytes !== undefined) return waiting.resolve(bytes);
      const told = parse(text);
      if (told.error) waiting.reject(restore(told.error));
      else waiting.resolve(told.value);
    },
    abort(text) {
      reason = restore(parse(text));
      for (const listener of listeners) try { listener({ type: "abort" }); } catch {}
    },
  };
})`;
