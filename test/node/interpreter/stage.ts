/** An interpreter whose engines run in this thread, or in threads that can be ended; and contexts that note what comes. */
import { Worker } from "node:worker_threads";
import { encodeError, type ErrorData } from "../../../src/core/errors.ts";
import type { AgentContext } from "../../../src/core/plugin.ts";
import { serveEngine } from "../../../src/plugins/interpreter/engine.ts";
import { createInterpreter, type EvaluateOptions } from "../../../src/plugins/interpreter/interpreter.ts";
import type { Seat } from "../../../src/plugins/interpreter/pool.ts";
import type { FromEngine, ToEngine } from "../../../src/plugins/interpreter/protocol.ts";
import { wasm } from "./wasm.ts";

/** Quick, but a native call without an end would keep it for ever. */
export function seatHere(): Seat {
  let tell: ((message: FromEngine) => void) | undefined;
  let hear: ((message: ToEngine) => void) | undefined;
  let isOver = false;
  const post = (message: FromEngine): void => {
    setImmediate(() => {
      if (!isOver) tell?.(message);
    });
  };
  void serveEngine(
    {
      post,
      listen(listener) {
        hear = listener;
      },
    },
    wasm(),
  );
  return {
    post: (message) => setImmediate(() => !isOver && hear?.(structuredClone(message))),
    listen(listener) {
      tell = listener;
    },
    end() {
      isOver = true;
    },
  };
}

/** How many threads were started, and ended. */
export const threads = { started: 0, ended: 0 };

export function seatInThread(): Seat {
  threads.started++;
  const worker = new Worker(new URL("./engine-thread.ts", import.meta.url));
  worker.unref();
  return {
    post: (message) => {
      worker.postMessage(message);
    },
    listen(hear, broke) {
      worker.removeAllListeners();
      worker.on("message", hear).on("error", (error) => {
        broke(String(error));
      });
    },
    end() {
      threads.ended++;
      void worker.terminate();
    },
  };
}

export interface Told {
  readonly log: string[];
  readonly progress: [number, string | undefined][];
  readonly items: unknown[];
  readonly checkpoints: unknown[];
  readonly effects: Map<string, unknown>;
}

export interface Staged {
  readonly context: AgentContext;
  readonly told: Told;
  readonly controller: AbortController;
}

/** A context as a worker makes it, for one attempt of a task. */
export function stage(kept: { readonly effects?: Map<string, unknown>; readonly checkpointed?: unknown } = {}): Staged {
  const controller = new AbortController();
  const { effects = new Map<string, unknown>(), checkpointed } = kept;
  const told: Told = { log: [], progress: [], items: [], checkpoints: [], effects };
  const bytes = new Map<string, Uint8Array>();
  const context: AgentContext = {
    signal: controller.signal,
    task: { id: "t", attempt: 1, idempotencyKey: "t", capability: "work" },
    checkpointed,
    async checkpoint(value) {
      await Promise.resolve();
      told.checkpoints.push(value);
    },
    progress: (fraction, note) => told.progress.push([fraction, note]),
    log: (level, message) => told.log.push(`${level} ${message}`),
    async stream(item) {
      await Promise.resolve();
      told.items.push(item);
    },
    async once<T>(key: string, effect: () => T | Promise<T>): Promise<T> {
      if (!effects.has(key)) effects.set(key, await effect());
      return effects.get(key) as T;
    },
    blobs: {
      read({ blob }) {
        const found = bytes.get(blob);
        return found ? Promise.resolve(found) : Promise.reject(new Error(`no blob ${blob}`));
      },
      write(written) {
        const blob = `b${bytes.size}`;
        bytes.set(blob, written.slice());
        return Promise.resolve({ blob, size: written.length });
      },
    },
  };
  return { context, told, controller };
}

/** Engines in this thread. */
export const here = createInterpreter(seatHere);

type Options = Partial<EvaluateOptions> & { readonly input?: unknown };

/** What a body of the default function `async (input, context) => {…}` returns. */
export const value = (body: string, options: Options = {}, { context } = stage()): Promise<unknown> =>
  here.evaluate({ source: asModule(body), ...options }, context);

/** The error that it ends with. */
export async function failure(body: string, options: Options = {}, staged = stage()): Promise<ErrorData> {
  const returned = await value(body, options, staged).catch((error: unknown) => ({ error: encodeError(error) }));
  const { error } = Object(returned) as { readonly error?: ErrorData };
  if (!error) throw new Error(`it ended well, with ${JSON.stringify(returned)}`);
  return error;
}

export const asModule = (body: string): string => `export default async (input, context) => {\n${body}\n};`;
