/**
 * What the host and a worker that serves an agent say to each other, in arrays over a bare MessagePort: one
 * posted array per turn and direction. Payloads are JSON texts that the host passes on unopened.
 * The worker is not trusted: whatever comes from it is checked against {@link AgentFrameSchema}.
 */
import * as v from "valibot";
import { plainError, type ErrorData } from "../errors.ts";
import type { JsonText } from "../json.ts";
import { MailAskSchema, type Delivery } from "../mail/delivery.ts";
import { isSpilled } from "../payload/reference.ts";
import { BlobRefSchema, type BlobRef } from "../plugin.ts";

export { MAX_BLOB, MAX_FRAMES } from "./wire.ts";

/** From the host to the worker. */
export type HostFrame =
  | {
      readonly kind: "run";
      readonly task: string;
      readonly attempt: number;
      readonly capability: string;
      /** Long ones are UTF-8, handed over. */
      readonly input: JsonText | Uint8Array;
      readonly checkpoint?: JsonText | Uint8Array | undefined;
      /** Recorded results of `once`, by key. */
      readonly effects?: Readonly<Record<string, JsonText>> | undefined;
      /** The agent's runtime says that the attempt is alive every so many milliseconds. */
      readonly beat?: number | undefined;
    }
  /** Stop: the attempt was cancelled or timed out. A worker that doesn't answer within the grace is killed. */
  | {
      readonly kind: "abort";
      readonly task: string;
      readonly attempt: number;
      readonly error: ErrorData;
    }
  /** The outcome of the attempt is durable, or was too late; the worker may forget it. */
  | { readonly kind: "settled"; readonly task: string; readonly attempt: number }
  /** The answer to a call of the worker: a checkpoint or an effect is durable, bytes were read or written. */
  | {
      readonly kind: "answer";
      readonly call: number;
      readonly bytes?: Uint8Array | undefined;
      readonly ref?: BlobRef | undefined;
      readonly mail?: readonly Delivery[] | undefined;
      readonly error?: ErrorData | undefined;
    };

/**
 * Asks for a sign of life: an abort of an attempt that nobody has (they count from 1) is answered at once by every
 * worker that isn't stuck, of whatever release, with `failed`; the host then settles it.
 */
export const PING: HostFrame = {
  kind: "abort",
  task: "ping",
  attempt: 0,
  error: { name: "RuntimeError", message: "ping", code: "task/finished" },
};

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(300));
const number = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.pipe(
  v.string(),
  v.check((value) => !isSpilled(value), "no JSON"),
); // bounds are checked where it is used
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
/** What is longer than MAX_INLINE comes as UTF-8, so that it can be handed over. */
const payload = v.union([text, bytes]);
const short = v.pipe(v.string(), v.maxLength(4_200));
const attempt = { task: id, attempt: number };

const plainDetail = v.optional(v.record(short, v.unknown()));
const errorFields = {
  name: short,
  message: short,
  code: v.pipe(v.string(), v.maxLength(200)),
  detail: plainDetail,
  stack: v.optional(short),
  retryable: v.optional(v.boolean()),
};
const causeSchema: v.GenericSchema<ErrorData> = v.strictObject({
  ...errorFields,
  cause: v.optional(v.lazy(() => causeSchema)),
});

export const AgentFrameSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("done"), ...attempt, output: payload }),
  v.strictObject({
    kind: v.literal("failed"),
    ...attempt,
    error: v.pipe(
      causeSchema,
      v.transform((error) => plainError(error)),
    ),
  }),
  v.strictObject({ kind: v.literal("checkpoint"), call: number, ...attempt, value: payload }),
  v.strictObject({
    kind: v.literal("effect"),
    call: number,
    ...attempt,
    key: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
    value: text,
  }),
  v.strictObject({
    kind: v.literal("progress"),
    ...attempt,
    fraction: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1)),
    note: v.optional(v.pipe(v.string(), v.maxLength(500))),
  }),
  v.strictObject({
    kind: v.literal("log"),
    ...attempt,
    level: v.picklist(["debug", "info", "warn", "error"]),
    message: v.pipe(v.string(), v.maxLength(4_096)),
  }),
  /** The attempt goes on, and its worker is not stuck. */
  v.strictObject({ kind: v.literal("beat"), ...attempt }),
  /** Items that the attempt streams; the first one has the offset `at`. */
  v.strictObject({
    kind: v.literal("stream"),
    call: number,
    ...attempt,
    at: number,
    items: v.pipe(v.array(text), v.minLength(1), v.maxLength(10_000)),
  }),
  v.strictObject({ kind: v.literal("read"), call: number, ...attempt, ref: BlobRefSchema }),
  v.strictObject({ kind: v.literal("write"), call: number, ...attempt, bytes }),
  /** See `troupe/messages`. */
  v.strictObject({ kind: v.literal("mail"), call: number, ...attempt, ask: MailAskSchema }),
]);
/** From the worker to the host. */
export type AgentFrame = v.InferOutput<typeof AgentFrameSchema>;

/** What the page calls on a worker through Comlink; nothing else crosses that way. */
export interface AgentControl {
  /** The data of the agent's definition, still unchecked. */
  describe(): unknown;
  /** Serves the host at the other end of the port, instead of the one before; outcomes not yet settled are sent again. */
  serve(port: MessagePortLike): void;
}

/** The part of a MessagePort that the core may name. */
export interface MessagePortLike {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
}
