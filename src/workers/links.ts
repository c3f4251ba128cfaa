/** The host's ends of the workers that serve agents: what is sent to them, and what of theirs is believed. */
import * as v from "valibot";
import { holdingId } from "../core/agents/agent.ts";
import { AgentFrameSchema, MAX_FRAMES, type AgentFrame, type HostFrame } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { checkJson } from "../core/json.ts";
import type { BlobRef } from "../core/plugin.ts";
import type { Signal } from "../core/protocol.ts";
import type { Journal } from "../core/ports.ts";
import type { CoreCommand, CoreEvent } from "../core/runtime.ts";
import { writeBlob } from "./blobs.ts";

/** After an abort a worker has so long to give up the attempt, in milliseconds; then it is killed. */
export const GRACE = 500;

/** Frames that a worker may send per second, beside answers to what it was given. */
const MAX_RATE = 10_000;

export interface LinkEnd {
  readonly id: string;
  readonly agent: string;
  readonly session: string;
  /** Posts frames to the worker. */
  readonly post: (frames: readonly HostFrame[]) => void;
  /** Has the page end the worker. */
  readonly kill: () => void;
}

export interface LinksOptions {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly now: () => number;
  readonly signal: (signal: Signal) => void;
}

export interface Links {
  open(end: LinkEnd): void;
  /** The worker is gone; its slots and attempts go back. */
  close(link: string, cause: "crashed" | "killed" | "page-gone" | "closed", error?: ErrorData): void;
  /** Frames from the worker, still unchecked. */
  receive(link: string, frames: unknown): void;
  /** Sends what durable events mean for workers. */
  dispatch(events: readonly CoreEvent[]): void;
  ofSession(session: string): readonly LinkEnd[];
  ofAgent(agent: string): readonly LinkEnd[];
  has(link: string): boolean;
  stop(): void;
}

interface OpenLink {
  readonly end: LinkEnd;
  out: HostFrame[];
  windowStart: number;
  received: number;
}

export function createLinks({ engine, journal, now, signal }: LinksOptions): Links {
  const open = new Map<string, OpenLink>();
  const graces = new Map<string, ReturnType<typeof setTimeout>>();
  let touched = new Set<OpenLink>();

  const send = (link: string, frame: HostFrame): void => {
    const target = open.get(link);
    if (!target) return;
    target.out.push(frame);
    if (touched.size === 0) queueMicrotask(flush);
    touched.add(target);
  };
  const flush = (): void => {
    const due = touched;
    touched = new Set();
    for (const { end, out } of due) end.post(out.splice(0));
  };
  const close: Links["close"] = (id, cause, error) => {
    if (!open.delete(id)) return;
    engine.submit([{ type: "link.leave", data: { link: id, cause, ...(error && { error }) } }]);
  };
  const kill = (id: string, cause: "crashed" | "killed", error?: ErrorData): void => {
    open.get(id)?.end.kill();
    close(id, cause, error);
  };
  const abort = (link: string, task: string, attempt: number, error: ErrorData): void => {
    send(link, { kind: "abort", task, attempt, error });
    const key = holdingId(task, attempt);
    graces.set(
      key,
      setTimeout(() => {
        graces.delete(key);
        if (engine.state.agents.holdings.get(key)?.link === link) kill(link, "killed");
      }, GRACE),
    );
  };
  const holds = (link: string, { task, attempt }: { task: string; attempt: number }): boolean =>
    engine.state.agents.holdings.get(holdingId(task, attempt))?.link === link;

  const incoming = createIncoming({ engine, journal, signal, holds, send });
  return {
    open(end) {
      open.set(end.id, { end, out: [], windowStart: now(), received: 0 });
      engine.submit([{ type: "link.join", data: { link: end.id, agent: end.agent, session: end.session } }]);
    },
    close,
    receive(id, frames) {
      const link = open.get(id);
      if (!link) return;
      try {
        measure(link, frames, now());
        incoming(id, frames as unknown[]);
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        kill(id, "crashed", encodeError(error)); // it can't be trusted with another frame
      }
    },
    dispatch(events) {
      for (const event of events) dispatch(engine, event, { send, abort, kill, open });
      flush();
    },
    ofSession: (session) => [...open.values()].map(({ end }) => end).filter((end) => end.session === session),
    ofAgent: (agent) => [...open.values()].map(({ end }) => end).filter((end) => end.agent === agent),
    has: (link) => open.has(link),
    stop() {
      for (const timer of graces.values()) clearTimeout(timer);
      open.clear();
    },
  };
}

/** Refuses a flood before it is looked at. */
function measure(link: OpenLink, frames: unknown, at: number): void {
  if (!Array.isArray(frames) || frames.length > MAX_FRAMES)
    throw new RuntimeError("agent/message-invalid", { expected: `up to ${String(MAX_FRAMES)} frames` });
  if (at - link.windowStart > 1_000) {
    link.windowStart = at;
    link.received = 0;
  }
  link.received += frames.length;
  if (link.received > MAX_RATE) throw new RuntimeError("agent/flooded", { frames: link.received, limit: MAX_RATE });
}

interface Dispatching {
  readonly send: (link: string, frame: HostFrame) => void;
  readonly abort: (link: string, task: string, attempt: number, error: ErrorData) => void;
  readonly kill: (link: string, cause: "killed") => void;
  readonly open: ReadonlyMap<string, OpenLink>;
}

function dispatch(engine: Engine, event: CoreEvent, to: Dispatching): void {
  switch (event.type) {
    case "task.assigned": {
      const { id, attempt, link } = event.data;
      const task = engine.state.tasks.tasks.get(id);
      if (task?.attempt !== attempt || task.status !== "running") return; // decided otherwise meanwhile
      const { input, checkpoint, effects, capabilities } = task;
      const capability = capabilities[0] ?? "";
      to.send(link, { kind: "run", task: id, attempt, capability, input, checkpoint, effects });
      return;
    }
    case "task.completed":
    case "task.failed": {
      const { id, attempt, link } = event.data;
      if (event.type === "task.failed" && event.data.held) to.abort(link, id, attempt, event.data.error);
      else to.send(link, { kind: "settled", task: id, attempt });
      return;
    }
    case "task.cancelled": {
      const { id, attempt, reason, running } = event.data;
      const holding = engine.state.agents.holdings.get(holdingId(id, attempt));
      if (!running || !holding) return;
      const error = { name: "AbortError", message: reason, code: "task/cancelled" };
      to.abort(holding.link, id, attempt, error);
      return;
    }
    case "agent.unregistered":
      for (const { end } of [...to.open.values()]) if (end.agent === event.data.id) to.kill(end.id, "killed");
      return;
    default:
  }
}

interface Incoming {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly signal: (signal: Signal) => void;
  readonly holds: (link: string, attempt: { task: string; attempt: number }) => boolean;
  readonly send: (link: string, frame: HostFrame) => void;
}

/** Turns a worker's frames into commands: only about attempts that the worker holds, and only in bounds. */
function createIncoming({ engine, journal, signal, holds, send }: Incoming) {
  const later = (link: string, frame: HostFrame): void => {
    engine.whenDurable((stopped) => {
      if (!stopped) send(link, frame);
    });
  };
  const blob = async (link: string, frame: AgentFrame & { kind: "read" | "write" }): Promise<void> => {
    const { call } = frame;
    try {
      const owner = ownerOf(engine, frame.task);
      if (frame.kind === "read") {
        const bytes = await readBlob(journal, owner, frame.ref);
        send(link, { kind: "answer", call, bytes });
      } else {
        const ref = await writeBlob(journal, owner, frame.bytes);
        send(link, { kind: "answer", call, ref });
      }
    } catch (error) {
      send(link, { kind: "answer", call, error: encodeError(error) });
    }
  };

  return (link: string, frames: readonly unknown[]): void => {
    const commands: CoreCommand[] = [];
    const after: (() => void)[] = [];
    for (const raw of frames) {
      const frame = parseFrame(raw);
      const { task: id, attempt } = frame;
      const held = holds(link, frame);
      switch (frame.kind) {
        case "done":
        case "failed":
          if (held) commands.push(...outcome(frame), { type: "slot.release", data: { link, task: id, attempt } });
          after.push(() => {
            later(link, { kind: "settled", task: id, attempt });
          });
          break;
        case "checkpoint":
        case "effect": {
          const { call, value } = frame;
          checkJson(value, frame.kind);
          if (held)
            commands.push(
              frame.kind === "checkpoint"
                ? { type: "task.checkpoint", data: { id, attempt, value } }
                : { type: "task.effect", data: { id, attempt, key: frame.key, value } },
            );
          after.push(() => {
            later(link, { kind: "answer", call, ...(!held && { error: gone }) });
          });
          break;
        }
        case "read":
        case "write":
          if (held) void blob(link, frame);
          else
            after.push(() => {
              send(link, { kind: "answer", call: frame.call, error: gone });
            });
          break;
        case "progress":
        case "log":
          if (held) signal(frame);
      }
    }
    if (commands.length > 0) engine.submit(commands);
    for (const then of after) then();
  };
}

const gone: ErrorData = {
  name: "RuntimeError",
  message: "the attempt is over",
  code: "task/finished",
  retryable: false,
};

function parseFrame(raw: unknown): AgentFrame {
  let parsed;
  try {
    parsed = v.safeParse(AgentFrameSchema, raw);
  } catch (cause) {
    throw new RuntimeError("agent/message-invalid", { reason: "too deep" }, { cause });
  }
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new RuntimeError("agent/message-invalid", {
    at: v.getDotPath(issue) ?? "",
    reason: issue.message,
  });
}

function outcome(frame: AgentFrame & { kind: "done" | "failed" }): CoreCommand[] {
  const { task: id, attempt } = frame;
  if (frame.kind === "failed") return [{ type: "task.fail", data: { id, attempt, error: frame.error } }];
  try {
    return [{ type: "task.complete", data: { id, attempt, output: checkJson(frame.output, "output") } }];
  } catch (cause) {
    const error = { ...encodeError(cause), code: "agent/output-invalid", retryable: false };
    return [{ type: "task.fail", data: { id, attempt, error } }];
  }
}

/** Bytes belong to the run of a task, or to the task itself; an agent reaches no others. */
function ownerOf(engine: Engine, id: string): string {
  const task = engine.state.tasks.tasks.get(id);
  return task?.parent?.execution ?? id;
}

async function readBlob(journal: Journal, owner: string, ref: BlobRef): Promise<Uint8Array> {
  if (!ref.blob.startsWith(`${owner}:`)) throw new RuntimeError("blob/unknown", { blob: ref.blob });
  return journal.blobs.get(ref.blob, ref.offset ?? 0, ref.size);
}
