/**
 * The engine's side: one attempt of untrusted code at a time, each in an instance of QuickJS of its own.
 *   G1  What the code reaches is ECMAScript and its context: no global of the platform is there to be found.
 *   G2  Texts cross, never objects; what comes out is bounded before it is copied.
 *   G3  Memory ends at the limit, once by the engine's count and once more by the WebAssembly memory's maximum.
 *   G4  Whatever breaks the engine breaks one attempt: nothing of an instance is used again.
 */
import { encodeError, encodeRefusal, RuntimeError, type ErrorData } from "../../core/errors.ts";
import { cpuExceeded, createClock, type Clock } from "./clock.ts";
import { createGuest, createLedger, memoryExceeded, takeSaid, type Guest, type Ledger } from "./guest.ts";
import { pause, platform, type WasmModule } from "./platform.ts";
import type { Begin, FromEngine, Limits, ToEngine, Wire } from "./protocol.ts";

/** The worker turns to its messages after so many milliseconds of an attempt's jobs. */
const TURN = 10;

type Message = Exclude<ToEngine, Begin>;

/** Serves attempts, one at a time. `wasm`: the bytes of the variant in guest.ts. */
export async function serveEngine(wire: Wire<FromEngine, ToEngine>, wasm: Uint8Array): Promise<void> {
  const module = await platform.WebAssembly.compile(wasm);
  let take: ((message: Message) => void) | undefined;
  wire.listen((message) => {
    if (message.kind === "begin") take = perform(message, module, wire);
    else take?.(message);
  });
  wire.post({ kind: "ready" });
}

/** Begins the attempt; what comes back takes the messages for it. */
function perform(begin: Begin, module: WasmModule, wire: Wire<FromEngine, ToEngine>): (message: Message) => void {
  const { limits } = begin;
  const clock = createClock(limits.cpuMs);
  const ledger = createLedger();
  const inbox: Message[] = [];
  let guest: Guest | undefined;
  let isBusy = true;
  let heard = 0;

  const flush = (): void => {
    takeSaid(ledger).forEach(wire.post);
  };
  const run = async (work: () => Promise<void>): Promise<void> => {
    isBusy = true;
    try {
      await work();
    } catch (thrown) {
      ledger.outcome ??= { kind: "failed", error: brokenBy(thrown, clock, limits) };
    }
    flush();
    const outcome = ledger.outcome ?? (ledger.open.size === 0 ? stalled(guest, limits) : undefined);
    if (outcome) {
      guest = undefined; // and with it the instance (G4); from now on messages find nobody
      wire.post(named(outcome, limits));
    } else {
      isBusy = false;
      wire.post({ kind: "rest", cpu: clock.used, heard });
    }
  };
  const proceed = async (): Promise<void> => {
    while (guest && turn(guest, inbox, ledger, clock)) {
      flush();
      await pause();
    }
  };
  void run(async () => {
    guest = await createGuest(begin, module, ledger, clock, () => {
      wire.post({ kind: "begun" });
    });
    await proceed();
  });
  return (message) => {
    heard++;
    inbox.push(message);
    if (!isBusy) void run(proceed);
  };
}

/** Tells the code what has come, and runs its jobs for a while. True when there are more. */
function turn(guest: Guest, inbox: Message[], ledger: Ledger, clock: Clock): boolean {
  return clock.count(() => {
    for (const message of inbox.splice(0)) guest.hear(message);
    while (!ledger.outcome && !clock.isOver()) {
      if (!guest.step()) return false;
      if (clock.slice > TURN) return true;
    }
    return false;
  });
}

/** What came of an engine that threw. */
function brokenBy(thrown: unknown, clock: Clock, limits: Limits): ErrorData {
  if (clock.isOver()) return encodeRefusal(cpuExceeded(limits.cpuMs));
  if (thrown instanceof RuntimeError) return encodeRefusal(thrown);
  const { name, message } = encodeError(thrown);
  const isStack = name === "RangeError" || name === "InternalError"; // of the platform: below the engine's own limit
  const reason = isStack ? "the code's calls are nested too deep" : `the engine broke: ${message}`;
  return encodeRefusal(new RuntimeError(isStack ? "agent/failed" : "agent/crashed", { reason }));
}

/** Nothing runs, nothing is waited for, and there is no result: so there won't be one. */
function stalled(guest: Guest | undefined, limits: Limits): FromEngine {
  const grown = guest?.memory.buffer.byteLength ?? 0;
  const isFull = grown > limits.memoryMB * 1024 * 1024; // without memory no error can be made, nor told
  const reason = "it waits for a promise that nothing can resolve";
  const error = isFull ? memoryExceeded(limits) : new RuntimeError("agent/stalled", { reason });
  return { kind: "failed", error: { ...encodeRefusal(error), retryable: isFull } };
}

/** The engine says for want of memory what any code could say; where it stands alone it is taken for that. */
function named(outcome: FromEngine, limits: Limits): FromEngine {
  const isMemory = outcome.kind === "failed" && /^(?:out of memory|null)$/u.test(outcome.error.message);
  return isMemory ? { kind: "failed", error: encodeRefusal(memoryExceeded(limits)) } : outcome;
}
