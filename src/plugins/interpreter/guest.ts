/** An instance of QuickJS for one attempt, and the few functions by which its code speaks. */
import variant from "@jitl/quickjs-ng-wasmfile-release-sync";
import {
  DefaultIntrinsics,
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
} from "quickjs-emscripten-core";
import { encodeRefusal, plainError, RuntimeError } from "../../core/errors.ts";
import { MAX_SPILLED } from "../../core/json.ts";
import type { Clock } from "./clock.ts";
import { platform, type WasmMemory, type WasmModule } from "./platform.ts";
import { PRELUDE } from "./prelude.ts";
import type { Begin, FromEngine, Limits, ToEngine } from "./protocol.ts";

/** Calls of the code that are open at once. */
const MAX_OPEN = 256;
/** Log lines between two flushes; what is more is counted. */
const MAX_LINES = 100;
/** Beside the code's own memory: the engine's, and texts on their way. 16 MiB, in pages of 64 KiB. */
const HEADROOM = 256;
const PAGES_PER_MB = 16;
const MB = 1024 * 1024;

/** The module of the untrusted code, in stacks and imports. */
const MODULE = "agent.js";

export interface Guest {
  readonly memory: WasmMemory;
  /** Runs one job; false when there was none. */
  step(): boolean;
  hear(message: Exclude<ToEngine, Begin>): void;
}

/** What the code has said, and what it waits for. */
export interface Ledger {
  /** Calls without an answer, with the length of what they said. */
  readonly open: Map<number, number>;
  /** What is to be posted. */
  said: FromEngine[];
  lines: number;
  outcome?: FromEngine | undefined;
}

export const createLedger = (): Ledger => ({ open: new Map(), said: [], lines: 0 });

/**
 * Makes the instance and starts its code.
 * @throws RuntimeError `agent/memory-exceeded`, `agent/load-failed`; and whatever a broken engine throws
 */
export async function createGuest(
  begin: Begin,
  module: WasmModule,
  ledger: Ledger,
  clock: Clock,
  onBegun: () => void,
): Promise<Guest> {
  const { source, given, limits } = begin;
  if (Math.max(source.length, given.length) > maxText(limits)) throw memoryExceeded(limits);
  if (source.includes("\0")) throw new RuntimeError("agent/load-failed", { reason: "the source has a NUL character" });
  const maximum = limits.memoryMB * PAGES_PER_MB + HEADROOM;
  const memory = new platform.WebAssembly.Memory({ initial: HEADROOM, maximum });
  const quick = await newQuickJSWASMModuleFromVariant(
    newVariant(variant, {
      wasmModule: module as never,
      wasmMemory: memory as never,
      emscriptenModule: { print: nothing, printErr: nothing } as object,
    }),
  );
  const runtime = quick.newRuntime({
    memoryLimitBytes: limits.memoryMB * MB,
    maxStackSizeBytes: limits.stackKB * 1024,
    interruptHandler: clock.isOver,
  });
  runtime.setModuleLoader(
    (name) => (name === MODULE ? source : { error: new Error(`there is no module ${name}: a source is one module`) }),
    (_from, name) => name,
  );
  const vm = runtime.newContext({ intrinsics: { ...DefaultIntrinsics, Date: !limits.deterministic } });
  onBegun();
  const entry = clock.count(() => enter(vm, begin, ledger));
  return {
    memory,
    step: () => step(vm, runtime, limits),
    hear(message) {
      hear(vm, entry, message, limits, ledger);
    },
  };
}

const nothing = (): void => undefined;

/** The longest text that crosses at once: its copy on the way and its string must both find room. */
const maxText = ({ memoryMB }: Limits): number => Math.min((memoryMB * MB) / 8, MAX_SPILLED);

export const memoryExceeded = ({ memoryMB }: Limits): RuntimeError =>
  new RuntimeError("agent/memory-exceeded", { limit: memoryMB, unit: "MiB", where: "the interpreter" });

/** Puts the prelude in, which starts the code; what comes back is the host's way in. */
function enter(vm: QuickJSContext, { given, limits }: Begin, ledger: Ledger): QuickJSHandle {
  if (limits.deterministic) evaluate(vm, "delete Math.random;", limits);
  const prelude = evaluate(vm, PRELUDE, limits);
  const args = [...functionsOf(vm, limits, ledger), vm.newString(given)];
  return must(vm, vm.callFunction(prelude, vm.undefined, ...args), limits);
}

const evaluate = (vm: QuickJSContext, code: string, limits: Limits): QuickJSHandle =>
  must(vm, vm.evalCode(code, "troupe.js"), limits);

type Result = ReturnType<QuickJSContext["callFunction"]>;

/** The value of our own code in the guest, which fails only for want of memory or time. */
function must(vm: QuickJSContext, result: Result, limits: Limits): QuickJSHandle {
  if (result.error === undefined) return result.value;
  const text = textOf(vm, vm.getProp(result.error, "message"), limits) ?? "null";
  result.error.dispose();
  // Without memory not even an error can be made.
  throw /^(?:out of memory|null)$/u.test(text) ? memoryExceeded(limits) : new Error(text);
}

/** A text of the guest, if it is one, and not too long. */
function textOf(vm: QuickJSContext, handle: QuickJSHandle, limits: Limits): string | undefined {
  return lengthOf(vm, handle) <= maxText(limits) ? vm.getString(handle) : undefined;
}

/** The length of a text; infinite for whatever is none. */
function lengthOf(vm: QuickJSContext, handle: QuickJSHandle): number {
  if (vm.typeof(handle) !== "string") return Infinity;
  return vm.getProp(handle, "length").consume((length) => vm.getNumber(length));
}

/** `call`, `tell` and `settle` of the prelude. Nothing is believed of what they are given (G2). */
function functionsOf(vm: QuickJSContext, limits: Limits, ledger: Ledger): QuickJSHandle[] {
  const { open } = ledger;
  let calls = 0;
  const refuse = (message: string): { error: QuickJSHandle } => ({
    error: vm.newError({ name: "RangeError", message }),
  });
  const read = (handle: QuickJSHandle): string | undefined => textOf(vm, handle, limits);
  const call = vm.newFunction("call", (nameHandle, argsHandle, bytesHandle) => {
    const [name, args] = [read(nameHandle), read(argsHandle)];
    if (name === undefined || args === undefined) return refuse("a text is too long to leave the interpreter");
    const bytes = bytesOf(vm, bytesHandle, limits);
    if (bytes === null) return refuse("the bytes are too many, or none");
    const size = args.length + (bytes?.length ?? 0);
    const total = [...open.values()].reduce((sum, one) => sum + one, size);
    if (open.size >= MAX_OPEN || total > limits.memoryMB * MB)
      return refuse(`too much is waiting for answers: at most ${MAX_OPEN} calls, with ${limits.memoryMB} MiB`);
    open.set(++calls, size);
    ledger.said.push({ kind: "call", call: calls, name, args, bytes });
    return vm.newNumber(calls);
  });
  const tell = vm.newFunction("tell", (nameHandle, argsHandle) => {
    const [name, args] = [read(nameHandle), read(argsHandle)];
    if ((name === "log" || name === "progress") && args !== undefined) sayOf(ledger, name, args);
  });
  const settle = vm.newFunction("settle", (kind, told) => {
    ledger.outcome ??= outcomeOf(read(kind), read(told), lengthOf(vm, told), limits);
  });
  return [call, tell, settle];
}

/** Undefined for none; null for what can't be taken. */
function bytesOf(vm: QuickJSContext, handle: QuickJSHandle | undefined, limits: Limits): Uint8Array | undefined | null {
  if (handle === undefined || vm.typeof(handle) === "undefined") return undefined;
  const length = vm.getProp(handle, "byteLength");
  if (vm.typeof(length) !== "number" || !(vm.getNumber(length) <= maxText(limits))) return null;
  if (vm.getNumber(length) === 0) return new Uint8Array();
  try {
    return vm.getArrayBuffer(handle).consume(({ value }) => value.slice());
  } catch {
    return null; // it only said that it were some
  }
}

/** Of progress the latest, of lines no more than somebody can read. */
function sayOf(ledger: Ledger, name: "log" | "progress", args: string): void {
  if (name === "progress") ledger.said = ledger.said.filter((one) => one.kind !== "tell" || one.name !== name);
  else if (++ledger.lines > MAX_LINES) return;
  ledger.said.push({ kind: "tell", name, args });
}

/** What is to be posted, once. */
export function takeSaid(ledger: Ledger): FromEngine[] {
  const { said, lines } = ledger;
  ledger.said = [];
  ledger.lines = 0;
  const dropped = JSON.stringify(["warn", `${lines - MAX_LINES} lines dropped`]);
  return lines > MAX_LINES ? [...said, { kind: "tell", name: "log", args: dropped }] : said;
}

function outcomeOf(kind: string | undefined, text: string | undefined, size: number, limits: Limits): FromEngine {
  if (text === undefined)
    return {
      kind: "failed",
      error: encodeRefusal(new RuntimeError("agent/output-too-large", { size, limit: maxText(limits) })),
    };
  return kind === "done" ? { kind, text } : { kind: "failed", error: plainError(parsed(text), "agent/failed") };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function step(vm: QuickJSContext, runtime: QuickJSRuntime, limits: Limits): boolean {
  const ran = runtime.executePendingJobs(1);
  if (ran.error === undefined) return ran.value > 0;
  must(vm, ran, limits); // a job fails only by an interrupt, or for want of memory
  return true;
}

function hear(
  vm: QuickJSContext,
  entry: QuickJSHandle,
  message: Exclude<ToEngine, Begin>,
  limits: Limits,
  { open }: Ledger,
): void {
  const isAnswer = message.kind === "answer";
  if (isAnswer && !open.delete(message.call)) return;
  const bytes = isAnswer ? message.bytes : undefined;
  const text = isAnswer ? message.text : message.reason;
  if (Math.max(text.length, bytes?.length ?? 0) > maxText(limits)) throw memoryExceeded(limits);
  const handles = isAnswer ? [vm.newNumber(message.call)] : [];
  handles.push(vm.newString(text));
  if (bytes) handles.push(vm.newArrayBuffer(bytes.slice().buffer));
  const run = vm.getProp(entry, isAnswer ? "answer" : "abort");
  const result = vm.callFunction(run, vm.undefined, ...handles);
  (result.error ?? result.value).dispose(); // what the code has made of our own names is its own affair
  for (const handle of [run, ...handles]) handle.dispose();
}
