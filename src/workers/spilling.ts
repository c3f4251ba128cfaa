/**
 * Outputs and checkpoints that came as bytes: they are stored before anything names them, and what their attempt says
 * next waits.
 */
import { holdingId } from "../core/agents/agent.ts";
import type { AgentFrame, HostFrame } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { checkJson, MAX_PAYLOAD, MAX_SPILLED } from "../core/json.ts";
import { isSpilled, MAX_INLINE, referTo } from "../core/payload/reference.ts";
import type { Journal } from "../core/ports.ts";
import { opensOutput } from "../core/workflows/opened.ts";
import { ownerOf, writeBlob } from "./blobs.ts";
import { createCheckpoints, type Checkpoints } from "./checkpoints.ts";

type WithText<F> = F extends { kind: "done" }
  ? F & { readonly output: string }
  : F extends { kind: "checkpoint" }
    ? F & { readonly value: string }
    : F;
/** A frame whose payload is a text: what it said, or a reference to it. */
export type TextFrame = WithText<AgentFrame>;

type Bulky = Extract<AgentFrame, { kind: "done" | "checkpoint" }>;

export interface SpillingOptions {
  readonly engine: Engine;
  readonly journal: Pick<Journal, "blobs">;
  readonly holds: (link: string, attempt: { task: string; attempt: number }) => boolean;
  readonly send: (link: string, frame: HostFrame) => void;
  readonly sign: (task: string, attempt: number, until: number) => void;
  /** Takes a frame that had to wait. */
  readonly proceed: (link: string, frame: TextFrame) => void;
}

export interface Spilling extends Pick<Checkpoints, "follow"> {
  /** The frame, or undefined when it has to wait: it proceeds later. */
  pass(link: string, frame: AgentFrame): TextFrame | undefined;
}

export function createSpilling({ engine, journal, holds, send, sign, proceed }: SpillingOptions): Spilling {
  /** What is being written, by attempt. */
  const writing = new Map<string, Promise<void>>();
  const checkpoints = createCheckpoints(engine, journal);
  const store = async (frame: Bulky, bytes: Uint8Array): Promise<TextFrame> => {
    const text = textOf(bytes, frame.kind);
    if (frame.kind === "checkpoint") return { ...frame, value: await checkpoints.write(frame, bytes) };
    const parent = engine.state.tasks.tasks.get(frame.task)?.parent;
    const isRead = text.length <= MAX_PAYLOAD && parent && opensOutput(engine.state.workflows, parent);
    if (isRead || text.length <= MAX_INLINE) return { ...frame, output: text };
    return { ...frame, output: referTo(await writeBlob(journal, ownerOf(engine, frame.task), bytes)) };
  };
  const settle = async (link: string, frame: Bulky, bytes: Uint8Array): Promise<void> => {
    let stored: TextFrame;
    try {
      stored = holds(link, frame) ? await store(frame, bytes) : emptied(frame);
    } catch (error) {
      const flaw = encodeError(error);
      if (frame.kind === "checkpoint") send(link, { kind: "answer", call: frame.call, error: flaw });
      else proceed(link, { kind: "failed", task: frame.task, attempt: frame.attempt, error: failureOf(flaw) });
      return;
    }
    proceed(link, stored);
    if (stored.kind === "checkpoint") checkpoints.check(frame.task, stored.value);
  };
  return {
    pass(link, frame) {
      const key = holdingId(frame.task, frame.attempt);
      const before = ORDERED.has(frame.kind) ? writing.get(key) : undefined;
      const bytes = bytesOf(frame);
      if (!before && !bytes) return frame as TextFrame; // it has none
      if (frame.kind === "done") sign(frame.task, frame.attempt, Infinity); // it has nothing more to say
      const work = Promise.resolve(before)
        .then(() => {
          if (bytes) return settle(link, frame as Bulky, bytes);
          proceed(link, frame as TextFrame);
          return undefined;
        })
        .catch(() => undefined) // the host has stopped
        .then(() => {
          if (writing.get(key) === work) writing.delete(key);
        });
      writing.set(key, work);
      return undefined;
    },
    follow: checkpoints.follow,
  };
}

/** What counts only in the order in which it was said. */
const ORDERED: ReadonlySet<AgentFrame["kind"]> = new Set(["done", "failed", "checkpoint", "effect"]);

function bytesOf(frame: AgentFrame): Uint8Array | undefined {
  const given = frame.kind === "done" ? frame.output : frame.kind === "checkpoint" && frame.value;
  return given instanceof Uint8Array ? given : undefined;
}

/** Of an attempt that is over nothing is kept. */
function emptied(frame: Bulky): TextFrame {
  return frame.kind === "done" ? { ...frame, output: "null" } : { ...frame, value: "null" };
}

/** It could not be stored, and may be the next time; or what the agent made can't be taken at all. */
function failureOf(flaw: ErrorData): ErrorData {
  return flaw.code.startsWith("journal/") ? flaw : { ...flaw, code: "agent/output-invalid", retryable: false };
}

/** @throws when it isn't UTF-8, and RuntimeError `json/invalid`, `json/too-large`, `json/too-deep` */
function textOf(bytes: Uint8Array, what: string): string {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  if (isSpilled(text)) throw new RuntimeError("json/invalid", { what });
  return checkJson(text, what, MAX_SPILLED);
}
