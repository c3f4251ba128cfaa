/** What the calls of untrusted code do: each is one of the context's, with arguments that are checked here. */
import * as v from "valibot";
import { RuntimeError } from "../../core/errors.ts";
import type { AgentContext } from "../../core/plugin.ts";

/** A function that the embedder gives to the code: JSON goes in, JSON comes out. It may be async, and throw. */
export type HostFunction = (args: readonly unknown[], context: AgentContext) => unknown;

export interface Bridge {
  /** Gives what the code's promise resolves with: JSON, or bytes. */
  call(name: string, args: string, bytes?: Uint8Array): Promise<unknown>;
  tell(name: "log" | "progress", args: string): void;
}

const RefSchema = v.strictObject({
  blob: v.pipe(v.string(), v.maxLength(200)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  offset: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});
const KeySchema = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const FailureSchema = v.object({ name: v.string(), message: v.string() });
const LogSchema = v.tuple([v.picklist(["debug", "info", "warn", "error"]), v.string()]);
const ProgressSchema = v.tuple([v.nullable(v.number()), v.nullable(v.string())]);

/** An effect of `once` that the code has been asked to run. */
interface Effect {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Call = (args: readonly unknown[], bytes?: Uint8Array) => unknown;

export function createBridge(context: AgentContext, functions: Readonly<Record<string, HostFunction>>): Bridge {
  const calls: Readonly<Record<string, Call>> = {
    ...effectCalls(context),
    checkpoint: ([value]) => context.checkpoint(value),
    async stream([item]) {
      await context.stream(item);
    },
    read: ([ref]) => context.blobs.read(parse(RefSchema, ref, "ref")),
    write: (_args, bytes) => context.blobs.write(bytes ?? new Uint8Array()),
    function([name, args]) {
      const known = typeof name === "string" && Object.hasOwn(functions, name) ? functions[name] : undefined;
      if (!known) throw new RuntimeError("agent/message-invalid", { function: name, reason: "it isn't given" });
      return known(parse(v.array(v.unknown()), args, "args"), context);
    },
  };
  return {
    async call(name, args, bytes) {
      const known = Object.hasOwn(calls, name) ? calls[name] : undefined;
      if (!known) throw new RuntimeError("agent/message-invalid", { call: name });
      return await known(list(args), bytes);
    },
    tell(name, args) {
      const told = list(args);
      if (name === "log") {
        const { success, output } = v.safeParse(LogSchema, told);
        if (success) context.log(...output);
      } else {
        const { success, output } = v.safeParse(ProgressSchema, told);
        if (success) context.progress(output[0] ?? Number.NaN, output[1] ?? undefined);
      }
    },
  };
}

/** The three calls of `once`: the code asks whether it has to run the effect, and tells what that came to. */
function effectCalls(context: AgentContext): Readonly<Record<"once" | "performed" | "unperformed", Call>> {
  const effects = new Map<string, Effect>();
  /** Of the effects that run: each settles when its value is durable. */
  const durable = new Map<string, Promise<unknown>>();
  const ended = (key: string): Effect => {
    const effect = effects.get(key);
    effects.delete(key);
    if (!effect) throw new RuntimeError("agent/message-invalid", { key, reason: "no effect runs under this key" });
    return effect;
  };
  return {
    once([told]) {
      const key = parse(KeySchema, told, "key");
      return new Promise((resolve, reject) => {
        const perform = (): Promise<unknown> =>
          new Promise((settle, fail) => {
            effects.set(key, { resolve: settle, reject: fail });
            resolve({ perform: true });
          });
        const recorded = context.once(key, perform);
        durable.set(key, recorded);
        const give = (value: unknown): void => {
          resolve({ value }); // recorded before, or by another call with this key
        };
        void recorded.then(give, reject).finally(() => durable.delete(key));
      });
    },
    performed([told, value]) {
      const key = parse(KeySchema, told, "key");
      const recorded = durable.get(key);
      ended(key).resolve(value);
      return recorded;
    },
    async unperformed([told, error]) {
      const key = parse(KeySchema, told, "key");
      const recorded = durable.get(key);
      ended(key).reject(Object.assign(new Error(), parse(FailureSchema, error, "error")));
      await recorded?.catch(() => undefined); // the code has its own error
    },
  };
}

function list(args: string): readonly unknown[] {
  const told: unknown = JSON.parse(args);
  return Array.isArray(told) ? told : [];
}

function parse<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const { success, output, issues } = v.safeParse(schema, value);
  if (success) return output;
  throw new RuntimeError("agent/message-invalid", { what, reason: issues[0].message });
}
