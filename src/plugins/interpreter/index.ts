/**
 * `troupe/plugins/interpreter`: agents of untrusted code. It runs in QuickJS, compiled to WebAssembly, in a worker of its
 * own beneath the agent's; the engine is part of this file, because nothing can be loaded in a cell.
 */
import text from "inline:./worker.ts";
import { createInterpreter, type Interpreter } from "./interpreter.ts";
import { createJavascriptAgent } from "./javascript.ts";
import { startWorkers } from "./pool.ts";

const interpreter: Interpreter = createInterpreter(startWorkers(text));

export const { interpret, evaluate } = interpreter;

/** Runs the sources that its tasks bring; `dist/agents/interpreter.js` serves it. */
export const javascriptAgent = createJavascriptAgent(interpreter);

export type { EvaluateOptions, Interpreter, InterpretOptions } from "./interpreter.ts";
export type { HostFunction } from "./bridge.ts";
export type { JavascriptInput } from "./javascript.ts";
