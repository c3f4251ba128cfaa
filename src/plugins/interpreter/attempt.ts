/**
 * The agent's side of one attempt of untrusted code. Its worker is at rest all the while, so it hears what the host says
 * and can end the engine's worker, whatever that does: QuickJS looks at its clock between steps of the code only, and one
 * step can be a native call without an end.
 */
import { decodeError, encodeError, RuntimeError, type ErrorData } from "../../core/errors.ts";
import { writeJson } from "../../core/json.ts";
import type { AgentContext } from "../../core/plugin.ts";
import { createBridge, type HostFunction } from "./bridge.ts";
import { cpuExceeded } from "./clock.ts";
import { platform } from "./platform.ts";
import type { Pool, Seat } from "./pool.ts";
import type { FromEngine, Given, Limits, ToEngine } from "./protocol.ts";

export interface Job {
  readonly source: string;
  readonly input: unknown;
  readonly limits: Limits;
  readonly functions: Readonly<Record<string, HostFunction>>;
}

/** Beyond the CPU limit, for an engine that ends the code itself; it does so unless a native call keeps it. */
const CPU_GRACE = 2_000;
/** For an instance to be made. */
const START_GRACE = 15_000;
/** After an abort, for the code to end by itself; the host ends the whole agent's worker after 500 ms. */
const ABORT_GRACE = 250;

/** Runs the job in a seat of the pool. Whatever comes of it, the seat is at rest or gone afterwards. */
export async function performJob(pool: Pool, job: Job, context: AgentContext): Promise<unknown> {
  const { signal } = context;
  const seat = await pool.take();
  const stop = new Set<() => void>();
  let isWell = false;
  try {
    signal.throwIfAborted();
    const outcome = await converse(seat, job, context, stop);
    isWell = true;
    pool.give(seat);
    if (outcome.kind === "done") return JSON.parse(outcome.text);
    throw failureOf(outcome.error);
  } catch (thrown) {
    if (!isWell) seat.end();
    throw thrown;
  } finally {
    for (const one of stop) one();
  }
}

function failureOf(error: ErrorData): Error {
  return Object.assign(decodeError(error), error.retryable === false && { retryable: false });
}

type Outcome = Extract<FromEngine, { kind: "done" | "failed" }>;

/** Speaks with the engine until the attempt has ended; `stop` gets what is to be called then. */
function converse(seat: Seat, job: Job, context: AgentContext, stop: Set<() => void>): Promise<Outcome> {
  const { source, limits, functions } = job;
  const { signal, task, checkpointed } = context;
  return new Promise((resolve, reject) => {
    let isOver = false;
    let cpu = 0;
    let posted = 0; // answers and aborts
    const cpuTimer = createTimer(() => {
      reject(cpuExceeded(limits.cpuMs));
    });
    const abortTimer = createTimer(() => {
      reject(signal.reason instanceof Error ? signal.reason : new RuntimeError("task/cancelled"));
    });
    const work = (message: ToEngine, grace = CPU_GRACE): void => {
      cpuTimer.set(limits.cpuMs - cpu + grace);
      seat.post(message);
    };
    const abort = (): void => {
      posted++;
      work({ kind: "abort", reason: JSON.stringify(bare(signal.reason)) });
      abortTimer.set(ABORT_GRACE);
    };
    stop.add(() => {
      isOver = true;
      cpuTimer.clear();
      abortTimer.clear();
      signal.removeEventListener("abort", abort);
    });
    const { call, tell } = createBridge(context, functions);
    const answer = async ({ call: id, name, args, bytes }: Extract<FromEngine, { kind: "call" }>): Promise<void> => {
      const { text, found } = await call(name, args, bytes).then(
        (value) => (value instanceof Uint8Array ? { text: "", found: value } : { text: valueText(value, name) }),
        (error: unknown) => ({ text: JSON.stringify({ error: bare(error) }), found: undefined }),
      );
      if (isOver) return; // the seat may have another attempt by now
      posted++;
      work({ kind: "answer", call: id, text, bytes: found });
    };
    const hear = (message: FromEngine): void => {
      if (message.kind === "done" || message.kind === "failed") resolve(message);
      else if (message.kind === "call") void answer(message);
      else if (message.kind === "begun") cpuTimer.set(limits.cpuMs + CPU_GRACE);
      else if (message.kind === "tell") tell(message.name, message.args);
      else if (message.kind === "rest") {
        ({ cpu } = message);
        if (message.heard === posted) cpuTimer.clear(); // else it has work again by now
      }
    };
    seat.listen(hear, (reason) => {
      reject(decodeError({ name: "RuntimeError", message: `the interpreter died: ${reason}`, code: "agent/crashed" }));
    });
    const given: Given = { input: job.input, task, checkpointed, functions: Object.keys(functions) };
    work({ kind: "begin", source, given: writeJson(given, "input"), limits }, START_GRACE);
    signal.addEventListener("abort", abort);
  });
}

interface Timer {
  /** Sets it anew. */
  set(milliseconds: number): void;
  clear(): void;
}

function createTimer(run: () => void): Timer {
  let timer: number | undefined;
  const clear = (): void => {
    platform.clearTimeout(timer);
  };
  return {
    set(milliseconds) {
      clear();
      timer = platform.setTimeout(run, milliseconds);
    },
    clear,
  };
}

function valueText(value: unknown, what: string): string {
  try {
    return `{"value":${writeJson(value, what)}}`;
  } catch (error) {
    return JSON.stringify({ error: bare(error) });
  }
}

/** An error without what it says of our own code. */
function bare(thrown: unknown): ErrorData {
  const { name, message, code, detail } = encodeError(thrown, "agent/failed");
  return { name, message, code, detail };
}
