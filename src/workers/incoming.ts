/** What a worker says, made into commands: only about attempts that it holds, and only in bounds. */
import { holdingId } from "../core/agents/agent.ts";
import { AgentFrameSchema, type AgentFrame, type HostFrame } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { checkJson } from "../core/json.ts";
import type { BlobRef } from "../core/plugin.ts";
import type { Journal } from "../core/ports.ts";
import type { Signal } from "../core/protocol.ts";
import type { CoreCommand } from "../core/runtime.ts";
import { isActive } from "../core/tasks/task.ts";
import { ownerOf, writeBlob } from "./blobs.ts";
import { createSpilling, type Spilling, type TextFrame } from "./spilling.ts";
import type { Delivery } from "../core/mail/delivery.ts";
import type { MailDesk } from "./mail.ts";
import { parse } from "./parse.ts";
import { refuseLeak, type Secrets } from "./secrets.ts";
import type { Streams } from "./streams.ts";

export interface IncomingOptions {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly signal: (signal: Signal) => void;
  readonly streams: Pick<Streams, "write">;
  readonly mail: Pick<MailDesk, "take" | "release">;
  readonly secrets: Pick<Secrets, "clean">;
  readonly holds: (link: string, attempt: { task: string; attempt: number }) => boolean;
  readonly send: (link: string, frame: HostFrame) => void;
  /** The attempt has shown a sign of life. */
  readonly sign: (task: string, attempt: number, until?: number) => void;
}

/** What the frames of one post come to. */
interface Harvest {
  readonly commands: CoreCommand[];
  /** Frames for the worker once the commands are durable. */
  readonly replies: HostFrame[];
}

export interface Incoming extends Pick<Spilling, "follow"> {
  /**
   * Takes the frames of one post of a worker.
   * @throws RuntimeError when a frame is none of the protocol's: such a worker can't be believed at all.
   */
  receive(link: string, frames: readonly unknown[]): void;
}

export function createIncoming(options: IncomingOptions): Incoming {
  const { engine, send } = options;
  const bring = (link: string, { commands, replies }: Harvest): void => {
    if (commands.length > 0) engine.submit(commands, linkName(link));
    if (replies.length === 0) return;
    engine.whenDurable((stopped) => {
      if (!stopped) for (const reply of replies) send(link, reply);
    });
  };
  const spilling = createSpilling({
    ...options,
    proceed(link, frame) {
      const harvest: Harvest = { commands: [], replies: [] };
      take(options, link, frame, harvest);
      bring(link, harvest);
    },
  });
  return {
    follow: spilling.follow,
    receive(link, frames) {
      const harvest: Harvest = { commands: [], replies: [] };
      // Not by `map`, which passes over holes.
      const parsed = Array.from(frames, (frame) =>
        options.secrets.clean(link, parse(AgentFrameSchema, frame, "agent/message-invalid")),
      );
      const started = startsOf(options, link, parsed);
      for (const frame of parsed) {
        const passed = spilling.pass(link, frame);
        if (passed) take(options, link, passed, harvest);
      }
      if (started.length > 0) engine.submit(started, linkName(link));
      bring(link, harvest);
    },
  };
}

/** How the audit log calls a worker. */
function linkName(link: string): string {
  return `link:${link}`;
}

/** Notes the signs of life. The first one of an attempt is a fact, unless the outcome comes with it. */
function startsOf(
  { engine, holds, sign }: IncomingOptions,
  link: string,
  frames: readonly AgentFrame[],
): CoreCommand[] {
  if (frames.every(isOutcome)) return [];
  const ended = new Set(frames.filter(isOutcome).map(({ task, attempt }) => holdingId(task, attempt)));
  const starts = new Map<string, CoreCommand>();
  for (const frame of frames) {
    const { task: id, attempt } = frame;
    if (!holds(link, frame)) continue;
    sign(id, attempt);
    const key = holdingId(id, attempt);
    const task = engine.state.tasks.tasks.get(id);
    if (task?.status === "assigned" && task.attempt === attempt && !ended.has(key))
      starts.set(key, { type: "task.start", data: { id, attempt } });
  }
  return [...starts.values()];
}

function isOutcome({ kind }: AgentFrame): boolean {
  return kind === "done" || kind === "failed";
}

function take(options: IncomingOptions, link: string, frame: TextFrame, { commands, replies }: Harvest): void {
  const { task: id, attempt } = frame;
  const held = options.holds(link, frame);
  switch (frame.kind) {
    case "done":
    case "failed":
      if (held) commands.push(outcome(frame), { type: "slot.release", data: { link, task: id, attempt } });
      else if (attempt > 0) {
        const type = frame.kind === "done" ? "task.complete" : "task.fail"; // late, or not its own
        options.engine.refuse(linkName(link), { type, data: { id, attempt } }, gone);
      }
      replies.push({ kind: "settled", task: id, attempt });
      return;
    case "checkpoint":
    case "effect": {
      const present = options.engine.state.tasks.tasks.get(id);
      const isKept = held && present?.attempt === attempt && isActive(present); // one that was stopped holds its slot still
      const error = isKept ? flawOf([frame.value], frame.kind) : gone;
      if (!error) commands.push(keeping(frame));
      replies.push({ kind: "answer", call: frame.call, ...(error && { error }) });
      return;
    }
    case "stream": {
      const error = held ? flawOf(frame.items, "stream", MAX_ITEM) : gone;
      if (error) replies.push({ kind: "answer", call: frame.call, error });
      else stream(options, link, frame);
      return;
    }
    case "read":
    case "write":
      if (held) void moveBytes(options, link, frame);
      else replies.push({ kind: "answer", call: frame.call, error: gone });
      return;
    case "mail":
      // A change of hosts ends the attempt, but what the worker has taken it has still, and may have answered already.
      if (held || "delivery" in frame.ask.data) void mail(options, link, frame);
      else replies.push({ kind: "answer", call: frame.call, error: gone });
      return;
    case "log":
      if (!held) return;
      options.signal(frame);
      options.streams.write({ task: id, attempt, channel: "log" }, Infinity, [lineOf(frame)]);
      return;
    case "progress":
      if (held) options.signal(frame);
      return;
    case "beat": // a sign of life, and no more
  }
}

/** What an agent asks of mailboxes: it sends as itself, and takes what is for it or for its task. */
async function mail(
  { engine, send, holds, mail: desk }: IncomingOptions,
  link: string,
  frame: Extract<AgentFrame, { kind: "mail" }>,
): Promise<void> {
  const { call, task, ask } = frame;
  const by = linkName(link);
  const agent = nameOf(engine, link);
  const reply = (more: { readonly mail?: readonly Delivery[]; readonly error?: ErrorData | undefined }): void => {
    send(link, { kind: "answer", call, ...more });
  };
  try {
    if (ask.type === "mail.take") {
      const recipient = ask.data.recipient === "task" ? `task:${task}` : `agent:${agent}`;
      reply({ mail: await desk.take(by, { ...ask.data, recipient }) });
      return;
    }
    // What an attempt of another host was given isn't known here: its words aren't kept, only its answer.
    const mute = !holds(link, frame) && { reason: undefined };
    const data = { ...ask.data, ...(ask.type === "mail.send" ? { agent, once: true } : { consumer: by, ...mute }) };
    const error = engine.submit([{ ...ask, data } as CoreCommand], by)[0]?.[1]; // each takes its own
    engine.whenDurable((stopped) => {
      if (!stopped) reply({ error });
    });
  } catch (error) {
    const { type, data } = ask;
    engine.refuse(by, { type, data }, encodeError(error));
    reply({ error: encodeError(error) });
  }
}

/** The agent's name, without its version. */
function nameOf({ state }: Engine, link: string): string {
  const { agent = "" } = state.agents.links.get(link) ?? {};
  return state.agents.agents.get(agent)?.name ?? agent;
}

/** Why the values can't be taken; the agent hears it. */
function flawOf(values: readonly string[], what: string, limit?: number): ErrorData | undefined {
  try {
    for (const value of values) checkJson(value, what, limit);
    return undefined;
  } catch (error) {
    return encodeError(error);
  }
}

function stream(
  { streams, send }: IncomingOptions,
  link: string,
  { task, attempt, at, items, call }: Extract<AgentFrame, { kind: "stream" }>,
): void {
  streams.write({ task, attempt, channel: "stream" }, at, items, () => {
    send(link, { kind: "answer", call });
  });
}

/** The largest streamed item, in UTF-16 units of its text; larger things are outputs or blobs. */
const MAX_ITEM = 1 << 18;

function lineOf({ level, message }: Extract<AgentFrame, { kind: "log" }>): string {
  return JSON.stringify({ level, message });
}

function keeping(frame: Extract<TextFrame, { kind: "checkpoint" | "effect" }>): CoreCommand {
  const { task: id, attempt, value } = frame;
  return frame.kind === "checkpoint"
    ? { type: "task.checkpoint", data: { id, attempt, value } }
    : { type: "task.effect", data: { id, attempt, key: frame.key, value } };
}

async function moveBytes(
  { engine, journal, send, secrets }: IncomingOptions,
  link: string,
  frame: Extract<AgentFrame, { kind: "read" | "write" }>,
): Promise<void> {
  const { call } = frame;
  try {
    const owner = ownerOf(engine, frame.task);
    if (frame.kind === "write") refuseLeak(secrets, link, frame, frame.bytes);
    if (frame.kind === "read") send(link, { kind: "answer", call, bytes: await readBlob(journal, owner, frame.ref) });
    else send(link, { kind: "answer", call, ref: await writeBlob(journal, owner, frame.bytes) });
  } catch (error) {
    send(link, { kind: "answer", call, error: encodeError(error) });
  }
}

const gone: ErrorData = {
  name: "RuntimeError",
  message: "the attempt is over",
  code: "task/finished",
  retryable: false,
};

function outcome(frame: Extract<TextFrame, { kind: "done" | "failed" }>): CoreCommand {
  const { task: id, attempt } = frame;
  if (frame.kind === "failed") return { type: "task.fail", data: { id, attempt, error: bounded(frame.error) } };
  try {
    const output = checkJson(frame.output, "output");
    return { type: "task.complete", data: { id, attempt, output } };
  } catch (cause) {
    const error = { ...encodeError(cause), code: "agent/output-invalid", retryable: false };
    return { type: "task.fail", data: { id, attempt, error } };
  }
}

/** The most that is kept of an error, as JSON text. */
const MAX_ERROR = 32_768;

/** An error that is too large to keep loses its detail, its stack and its cause. */
function bounded(error: ErrorData): ErrorData {
  try {
    checkJson(JSON.stringify(error), "error", MAX_ERROR);
    return error;
  } catch {
    const { name, message, code } = error;
    return { name, message, code, ...(error.retryable === false && { retryable: false }) };
  }
}

async function readBlob(journal: Journal, owner: string, ref: BlobRef): Promise<Uint8Array> {
  if (!ref.blob.startsWith(`${owner}:`)) throw new RuntimeError("blob/unknown", { blob: ref.blob });
  return journal.blobs.get(ref.blob, ref.offset ?? 0, ref.size);
}
