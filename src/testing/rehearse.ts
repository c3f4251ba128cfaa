/**
 * Runs an agent twice as Troupe would after a lost worker, and tells what differs. An attempt that was interrupted after
 * its last line has done all of its work, and the next one does it again: an agent that is idempotent gives the same
 * output, and repeats no effect that it has not put into `context.once`.
 */
import { RuntimeError } from "../core/errors.ts";
import { digestOf, writeJson, type JsonText } from "../core/json.ts";
import type { AgentContext, AgentDefinition, BlobRef, StandardSchema } from "../core/plugin/definition.ts";
import { differenceOf } from "./claims.ts";

export interface RehearsalOptions {
  /** What the second attempt finds: the last checkpoint of the first one (the default), or none. */
  readonly checkpoint?: "last" | "none";
}

/** What two attempts at the same task did. */
export interface Rehearsal<O> {
  readonly outputs: readonly [O, O];
  /** The first place at which the outputs differ, and how; undefined when they are equal. */
  readonly difference: string | undefined;
  /** Keys of `context.once` by the attempt that ran their effect: those of the second one are new to it. */
  readonly effects: readonly [readonly string[], readonly string[]];
  /** How many checkpoints each attempt kept. */
  readonly checkpoints: readonly [number, number];
  /** Digests of the bytes that each attempt stored, in order. */
  readonly blobs: readonly [readonly string[], readonly string[]];
}

/** Every platform has it that an agent can run on; this room names no platform's types. */
const globals = globalThis as unknown as {
  readonly AbortController: new () => { readonly signal: AgentContext["signal"] };
};

/** What is kept between the attempts, as the journal would. */
interface Kept {
  readonly effects: Map<string, JsonText>;
  checkpoint: JsonText | undefined;
  readonly bytes: Map<string, Uint8Array>;
}

interface Told {
  readonly effects: string[];
  readonly blobs: string[];
  checkpoints: number;
}

/**
 * Attempts a task twice, in this thread: the schemas, JSON in between and `once` are as in a worker; progress, logs and
 * streams go nowhere.
 * @throws what the agent throws, or RuntimeError `agent/input-invalid`, `agent/output-invalid` with the schema's issues
 */
export async function rehearse<I, O>(
  definition: AgentDefinition<I, O>,
  input: unknown,
  { checkpoint = "last" }: RehearsalOptions = {},
): Promise<Rehearsal<O>> {
  const kept: Kept = { effects: new Map(), checkpoint: undefined, bytes: new Map() };
  const text = writeJson(input, "input");
  const perform = async (attempt: number): Promise<Told & { readonly output: O }> => {
    const told: Told = { effects: [], blobs: [], checkpoints: 0 };
    const given = await check("agent/input-invalid", definition.input, JSON.parse(text));
    const made = await definition.run(given, contextOf(definition, attempt, kept, told));
    const output = await check("agent/output-invalid", definition.output, made);
    await definition.reset?.();
    return { ...told, output: JSON.parse(writeJson(output, "output")) as O };
  };
  const first = await perform(1);
  if (checkpoint === "none") kept.checkpoint = undefined;
  const second = await perform(2);
  return {
    outputs: [first.output, second.output],
    difference: differenceOf(second.output, first.output, ""),
    effects: [first.effects, second.effects],
    checkpoints: [first.checkpoints, second.checkpoints],
    blobs: [first.blobs, second.blobs],
  };
}

function contextOf<I, O>(
  { capabilities }: AgentDefinition<I, O>,
  attempt: number,
  kept: Kept,
  told: Told,
): AgentContext {
  const { effects, checkpoint, bytes } = kept;
  return {
    signal: new globals.AbortController().signal,
    task: { id: "rehearsal", attempt, idempotencyKey: "rehearsal", capability: capabilities[0] ?? "" },
    checkpointed: checkpoint === undefined ? undefined : JSON.parse(checkpoint),
    checkpoint(value) {
      kept.checkpoint = writeJson(value, "checkpoint");
      told.checkpoints++;
      return Promise.resolve();
    },
    progress: () => undefined,
    log: () => undefined,
    stream(item) {
      writeJson(item, "stream");
      return Promise.resolve();
    },
    async once<T>(key: string, effect: () => T | Promise<T>): Promise<T> {
      const known = effects.get(key);
      if (known !== undefined) return JSON.parse(known) as T;
      told.effects.push(key);
      const made = writeJson(await effect(), key);
      effects.set(key, made);
      return JSON.parse(made) as T;
    },
    blobs: {
      read({ blob, offset = 0, size }) {
        const found = bytes.get(blob)?.slice(offset, offset + size);
        return found ? Promise.resolve(found) : Promise.reject(new RuntimeError("blob/unknown", { blob }));
      },
      write(data): Promise<BlobRef> {
        const blob = digestOf(data.join());
        told.blobs.push(blob);
        bytes.set(blob, data.slice());
        return Promise.resolve({ blob, size: data.length });
      },
    },
  };
}

async function check<T>(
  code: "agent/input-invalid" | "agent/output-invalid",
  schema: StandardSchema<T>,
  value: unknown,
): Promise<T> {
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return result.value;
  throw new RuntimeError(code, { issues: result.issues.map(({ message }) => message) });
}
