/** What leaves an agent's worker: one post per turn, and of what is merely told, no more than somebody can read. */
import type { AgentFrame } from "../core/agents/protocol.ts";
import { MAX_FRAMES } from "../core/agents/wire.ts";
import { MAX_INLINE } from "../core/payload/reference.ts";

export type Line = Extract<AgentFrame, { kind: "log" }>;

export interface Post {
  /** Forgets what was not posted, and posts to this port from now on. */
  attach(port: MessagePort): void;
  /** Posts the frame with the others of this turn. */
  send(frame: AgentFrame): void;
  /** Sends the frame with the next {@link Post.release}, instead of an earlier one with this key. */
  tell(key: unknown, frame: AgentFrame): void;
  /** Tells the line; what is too much at once becomes one line that counts it. */
  log(line: Line): void;
  /** Sends what was told; by itself every {@link PAUSE}. */
  release(): void;
}

/** In milliseconds. A host that gets progress of every turn would take it for a flood. */
const PAUSE = 50;

/** Microtasks: of outcomes that come in one turn, as those of a batch, some take a few more than others. */
const HOPS = 9;

/** Between two releases. */
const MAX_LINES = 100;

export function createPost(): Post {
  let port: MessagePort | undefined;
  let frames: AgentFrame[] = [];
  let lines = 0;
  let timer: number | undefined;
  const told = new Map<unknown, AgentFrame>();

  const postSoon = async (): Promise<void> => {
    for (let hop = 0; hop < HOPS; hop++) await Promise.resolve();
    while (frames.length) {
      const buffers: ArrayBuffer[] = [];
      const packed = frames.splice(0, MAX_FRAMES).map((frame) => {
        const part = frame.kind === "done" ? "output" : "value";
        const text = frame.kind !== "effect" && (frame as { readonly [K in typeof part]?: string })[part];
        if (!text || text.length <= MAX_INLINE) return frame;
        const bytes = new TextEncoder().encode(text);
        buffers.push(bytes.buffer);
        return { ...frame, [part]: bytes };
      });
      port?.postMessage(packed, buffers); // long texts are handed over; whoever may send again keeps the text
    }
  };
  const send = (frame: AgentFrame): void => {
    if (frames.push(frame) === 1) void postSoon();
  };
  const release = (): void => {
    told.forEach(send);
    told.clear();
    lines = 0;
    timer = undefined;
  };
  const tell = (key: unknown, frame: AgentFrame): void => {
    told.set(key, frame);
    timer ??= setTimeout(release, PAUSE);
  };
  return {
    attach(next) {
      port?.close();
      port = next;
      frames = [];
    },
    send,
    tell,
    log(line) {
      const extra = ++lines - MAX_LINES;
      if (extra <= 0) tell(line, line);
      else tell(MAX_LINES, { ...line, message: `${extra} lines dropped` });
    },
    release,
  };
}
