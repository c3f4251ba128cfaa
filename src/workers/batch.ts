/**
 * Batches of an agent. Every item stays a task of its own, with its own attempts, outcome and retry; only the code that
 * performs them is called once for many: for what came into the worker's slots, in the order in which it came.
 */
import type { AgentContext } from "../core/plugin/definition.ts";
import { RuntimeError } from "../core/errors.ts";

export interface BatchOptions<I, O> {
  /** The most items of one batch: it starts at once when it has so many. From 1 to 10,000. */
  readonly size: number;
  /** A batch that isn't full starts so many milliseconds after its first item came. From 0 to 60,000. Default 10. */
  readonly age?: number;
  /** The most bytes of a batch's inputs as JSON; an item that is larger makes a batch alone. Default: any number. */
  readonly bytes?: number;
  /**
   * Does the work of all. Gives one result for each input, in their order: a value, or an Error, which fails this item
   * alone (`retryable: false` on it says that another attempt can't help). What it throws fails every item.
   *
   * An item that is cancelled, or whose time is over, has left the batch when its `context.signal` fires, and its result
   * isn't looked at; but the last one waits for the run, so that a run that nobody waits for must end within the grace.
   */
  run(inputs: readonly I[], contexts: readonly AgentContext[]): Results<O> | Promise<Results<O>>;
}

type Results<O> = readonly (O | Error)[];

/** What goes into an agent's definition: how it runs, and slots for a full batch. */
export interface Batched<I, O> {
  readonly slots: number;
  run(input: I, context: AgentContext): Promise<O>;
}

interface Item<I, O> {
  readonly input: I;
  readonly context: AgentContext;
  readonly resolve: (output: O) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Makes an agent's `run` of one that takes many inputs at once:
 * `defineAgent({ name, …, ...batched({ size: 50, run: (inputs) => … }) })`.
 * @throws RuntimeError `agent/manifest-invalid` for a bound that is none, naming it.
 */
export function batched<I, O>({ size, age = 10, bytes = Infinity, run }: BatchOptions<I, O>): Batched<I, O> {
  check("size", size, 1, 10_000);
  check("age", age, 0, 60_000);
  if (bytes !== Infinity) check("bytes", bytes, 1, Number.MAX_SAFE_INTEGER);
  const waiting = new Set<Item<I, O>>();
  let weight = 0;
  let timer: number | undefined;

  const start = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const items = [...waiting];
    waiting.clear();
    weight = 0;
    if (items.length > 0) void perform(items, run);
  };
  return {
    slots: size,
    run: (input, context) =>
      new Promise((resolve, reject) => {
        const { signal } = context;
        signal.throwIfAborted();
        const own = bytes === Infinity ? 0 : weigh(input);
        if (weight + own > bytes) start();
        const item: Item<I, O> = { input, context, resolve, reject };
        waiting.add(item);
        weight += own;
        signal.addEventListener("abort", () => {
          if (!waiting.delete(item)) return;
          weight -= own;
          item.reject(signal.reason);
          if (waiting.size === 0) start(); // which only stops the timer
        });
        if (waiting.size >= size || weight >= bytes) start();
        else timer ??= setTimeout(start, age);
      }),
  };
}

/** Runs a batch, and gives each item what is its own. */
async function perform<I, O>(items: readonly Item<I, O>[], run: BatchOptions<I, O>["run"]): Promise<void> {
  let live = items.length;
  for (const { context, reject } of items)
    context.signal.addEventListener("abort", () => {
      if (--live > 0) reject(context.signal.reason); // the others go on; whoever is last waits for the run
    });
  try {
    const results = await run(
      items.map(({ input }) => input),
      items.map(({ context }) => context),
    );
    const count = Array.isArray(results) ? results.length : typeof results;
    if (count !== items.length)
      throw new RuntimeError("agent/output-invalid", { at: "batch", results: count, items: items.length });
    for (const [place, { resolve, reject }] of items.entries()) {
      const result = results[place] as O | Error; // it has as many
      if (result instanceof Error) reject(result);
      else resolve(result);
    }
  } catch (error) {
    for (const { reject } of items) reject(error);
  }
}

/** The bytes of the input as JSON. */
function weigh(input: unknown): number {
  return new TextEncoder().encode(JSON.stringify(input)).length; // undefined counts nothing
}

function check(field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const expected = `a whole number from ${least} to ${most}`;
  throw new RuntimeError("agent/manifest-invalid", { field: `batch.${field}`, value, expected });
}
