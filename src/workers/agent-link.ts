/**
 * The agent's end of the port to the host. Calls wait for their answer, outcomes are kept until the host has them for
 * good, and both outlive the port: a new one gets what is still open.
 */
import type { AgentFrame, HostFrame } from "../core/agents/protocol.ts";
import { decodeError } from "../core/errors.ts";
import { createPost, type Post } from "./agent-post.ts";

/** Names one attempt of one task. */
export interface AttemptId {
  readonly task: string;
  readonly attempt: number;
}

export type Outcome = Extract<AgentFrame, { kind: "done" | "failed" }>;
type Answer = Extract<HostFrame, { kind: "answer" }>;
type Call = Extract<AgentFrame, { call: number }>;
type Unnumbered<T> = T extends unknown ? Omit<T, "call"> : never;

export interface HostLink extends Post {
  /** Resolves with the host's answer, or rejects with its error. */
  call(frame: Unnumbered<Call>): Promise<Answer>;
  answer(frame: Answer): void;
  /** Sends the outcome, and keeps it until it is settled. */
  finish(outcome: Outcome): void;
  /** Sends a kept outcome again; false when there is none. */
  resend(of: AttemptId): boolean;
  settle(of: AttemptId): void;
}

/** A frame that the host has not done with: a call, or an outcome. */
interface Open {
  readonly frame: Call | Outcome;
  readonly settle?: (answer: Answer) => void;
}

const keyOf = ({ task, attempt }: AttemptId): string => `${attempt} ${task}`;

export function createHostLink(): HostLink {
  let calls = 0;
  const open = new Map<string | number, Open>(); // calls by number, outcomes by attempt
  const post = createPost();
  const { send } = post;
  return {
    ...post,
    attach(port) {
      post.attach(port);
      open.forEach(({ frame }) => {
        send(frame);
      });
    },
    call: (request) =>
      new Promise((resolve, reject) => {
        const frame: Call = { ...request, call: ++calls };
        const settle = (answer: Answer): void => {
          if (answer.error) reject(decodeError(answer.error));
          else resolve(answer);
        };
        open.set(calls, { frame, settle });
        send(frame);
      }),
    answer(answer) {
      open.get(answer.call)?.settle?.(answer);
      open.delete(answer.call);
    },
    finish(frame) {
      open.set(keyOf(frame), { frame });
      post.release(); // what the attempt told belongs before its end
      send(frame);
    },
    resend(of) {
      const kept = open.get(keyOf(of));
      if (kept) send(kept.frame);
      return !!kept;
    },
    settle: (of) => void open.delete(keyOf(of)),
  };
}
