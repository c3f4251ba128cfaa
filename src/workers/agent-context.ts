/** What a running attempt can reach. */
import type { AgentContext, BlobRef } from "../core/plugin/definition.ts";
import type { HostFrame } from "../core/agents/protocol.ts";
import { RuntimeError } from "../core/errors.ts";
import { writeJson, type JsonText } from "../core/json.ts";
import type { AttemptId, HostLink } from "./agent-link.ts";

export type Run = Extract<HostFrame, { kind: "run" }>;

const MAX_NOTE = 500;
const MAX_LINE = 4_096;
const MAX_KEY = 200;

export function createContext(run: Run, link: HostLink, signal: AbortSignal): AgentContext {
  const { task, attempt, capability, checkpoint, effects = {} } = run;
  const id: AttemptId = { task, attempt };
  const call: HostLink["call"] = async (frame) => {
    signal.throwIfAborted();
    return link.call(frame);
  };
  return {
    call,
    signal,
    task: { id: task, attempt, idempotencyKey: task, capability },
    checkpointed: checkpoint && parse(checkpoint),
    async checkpoint(value) {
      await call({ kind: "checkpoint", ...id, value: writeJson(value, "checkpoint") });
    },
    progress(fraction, note) {
      const bounded = fraction > 1 ? 1 : fraction > 0 ? fraction : 0; // none when it is NaN
      link.tell(id, { kind: "progress", ...id, fraction: bounded, note: note?.slice(0, MAX_NOTE) });
    },
    log(level, message) {
      link.log({ kind: "log", ...id, level, message: message.slice(0, MAX_LINE) });
    },
    stream: createStream((at, items) => call({ kind: "stream", ...id, at, items })),
    once: createOnce(effects, (key, value) => call({ kind: "effect", ...id, key, value })),
    blobs: {
      read: (ref) => call({ kind: "read", ...id, ref }).then(({ bytes }) => bytes as Uint8Array), // it has no error, so it has them
      // a copy: it may be sent again, and a view would be posted with the whole of its buffer
      write: (bytes) => call({ kind: "write", ...id, bytes: bytes.slice() }).then(({ ref }) => ref as BlobRef),
    },
  };
}

/** Long texts come as UTF-8. */
export const parse = (text: JsonText | Uint8Array): unknown =>
  JSON.parse(typeof text === "string" ? text : new TextDecoder().decode(text));

type Sender = (at: number, items: JsonText[]) => Promise<unknown>;

/** The items of one turn are sent together. */
function createStream(send: Sender): AgentContext["stream"] {
  let at = 0;
  let items: JsonText[] = [];
  let sent: Promise<unknown> | undefined;
  return (item) => {
    items.push(writeJson(item, "stream"));
    return (sent ??= Promise.resolve().then(() => {
      const [from, all] = [at, items];
      at += all.length;
      items = [];
      sent = undefined;
      return send(from, all);
    }));
  };
}

type Recorder = (key: string, value: JsonText) => Promise<unknown>;

/** `once`: recorded values first; what runs already is shared; what failed may be tried again. */
function createOnce(recorded: Readonly<Record<string, JsonText>>, record: Recorder): AgentContext["once"] {
  const texts = new Map<string, JsonText | Promise<JsonText>>(Object.entries(recorded));
  const perform = async (key: string, effect: () => unknown): Promise<JsonText> => {
    const text = writeJson(await effect(), key);
    await record(key, text);
    return text;
  };
  return async <T>(key: string, effect: () => T | Promise<T>): Promise<T> => {
    if (!key || key.length > MAX_KEY) throw new RuntimeError("agent/message-invalid", { key });
    const text = texts.get(key) ?? perform(key, effect);
    texts.set(key, text);
    try {
      return JSON.parse(await text) as T; // the first attempt gets what a later one gets
    } catch (error) {
      if (texts.get(key) === text) texts.delete(key);
      throw error;
    }
  };
}
