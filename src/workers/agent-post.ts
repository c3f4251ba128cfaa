/** What leaves an agent's worker: one post per turn, and of what is merely told, no more than somebody can read. */
import type { AgentFrame } from "../core/agents/protocol.ts";
import { MAX_FRAMES } from "../core/agents/wire.ts";

export interface Post {
  /** Forgets what was not posted, and posts to this port from now on. */
  attach(port: MessagePort): void;
  /** Posts the frame with the others of this turn. */
  send(frame: AgentFrame): void;
  /** Sends the frame at the next {@link Post.release}, instead of the one with the same key. */
  tell(key: unknown, frame: AgentFrame): void;
  /** Sends what was told; by itself every {@link PAUSE}. */
  release(): void;
}

/** In milliseconds. A host that gets progress of every turn would take it for a flood. */
const PAUSE = 50;

export function createPost(onPause: () => void): Post {
  let port: MessagePort | undefined;
  let frames: AgentFrame[] = [];
  let timer: number | undefined;
  const told = new Map<unknown, AgentFrame>();

  const post = (): void => {
    while (frames.length > 0) port?.postMessage(frames.splice(0, MAX_FRAMES));
  };
  const send = (frame: AgentFrame): void => {
    if (frames.push(frame) === 1) queueMicrotask(post);
  };
  const release = (): void => {
    told.forEach(send);
    told.clear();
  };
  return {
    attach(next) {
      port?.close();
      port = next;
      frames = [];
    },
    send,
    tell(key, frame) {
      told.set(key, frame);
      timer ??= setTimeout(() => {
        timer = undefined;
        onPause();
        release();
      }, PAUSE);
    },
    release,
  };
}
