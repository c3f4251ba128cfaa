/**
 * The agent's end of the port to the host. Calls wait for their answer, outcomes are kept until the host has them for
 * good, and both outlive the port: a new one gets what is still open.
 */
import type { LogLevel } from "../core/plugin/definition.ts";
import type { AgentFrame, HostFrame } from "../core/agents/protocol.ts";
import { decodeError } from "../core/errors.ts";
import { createPost } from "./agent-post.ts";

/** Names one attempt of one task. */
export interface AttemptId {
  readonly task: string;
  readonly attempt: number;
}

export type Outcome = Extract<AgentFrame, { kind: "done" | "failed" }>;
type Answer = Extract<HostFrame, { kind: "answer" }>;
type Call = Extract<AgentFrame, { call: number }>;
type Unnumbered<T> = T extends unknown ? Omit<T, "call"> : never;

export interface HostLink {
  /** Sends what is still open to this port, and everything from now on. */
  attach(port: MessagePort): void;
  /** Resolves with the host's answer; rejects with its error, or with the reason of {@link HostLink.drop}. */
  call(frame: Unnumbered<Call>): Promise<Answer>;
  answer(frame: Answer): void;
  /** Gives up the attempt's calls. */
  drop(of: AttemptId, reason: object): void;
  /** Sent soon; a later one that comes first replaces it. */
  progress(of: AttemptId, fraction: number, note: string | undefined): void;
  /** Sent soon; what is too much at once becomes one line that counts it. */
  log(of: AttemptId, level: LogLevel, message: string): void;
  /** Sends the outcome, and keeps it until it is settled. */
  finish(outcome: Outcome): void;
  outcomeOf(of: AttemptId): Outcome | undefined;
  settle(of: AttemptId): void;
}

/** The most log lines between two pauses. */
const MAX_LINES = 100;

const keyOf = ({ task, attempt }: AttemptId): string => `${String(attempt)} ${task}`;

interface Pending {
  readonly frame: Call;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: object) => void;
}

export function createHostLink(): HostLink {
  let lines = 0;
  let calls = 0;
  const pending = new Map<number, Pending>();
  const outbox = new Map<string, Outcome>();
  const post = createPost(() => (lines = 0));
  return {
    attach(port) {
      post.attach(port);
      outbox.forEach(post.send);
      for (const { frame } of pending.values()) post.send(frame);
    },
    call: (request) =>
      new Promise((resolve, reject) => {
        const frame: Call = { ...request, call: ++calls };
        pending.set(calls, { frame, resolve, reject });
        post.send(frame);
      }),
    answer(answer) {
      const call = pending.get(answer.call);
      pending.delete(answer.call);
      if (answer.error) call?.reject(decodeError(answer.error));
      else call?.resolve(answer);
    },
    drop(of, reason) {
      for (const [number, { frame, reject }] of pending) {
        if (keyOf(frame) !== keyOf(of)) continue;
        pending.delete(number);
        reject(reason);
      }
    },
    progress(of, fraction, note) {
      post.tell(keyOf(of), { kind: "progress", task: of.task, attempt: of.attempt, fraction, note });
    },
    log({ task, attempt }, level, message) {
      const line = { kind: "log", task, attempt, level, message } as const;
      const extra = ++lines - MAX_LINES;
      if (extra <= 0) post.tell(line, line);
      else post.tell(MAX_LINES, { ...line, level: "warn", message: `${String(extra)} more log lines were dropped` });
    },
    finish(outcome) {
      outbox.set(keyOf(outcome), outcome);
      post.release(); // what the attempt told belongs before its end
      post.send(outcome);
    },
    outcomeOf: (of) => outbox.get(keyOf(of)),
    settle: (of) => void outbox.delete(keyOf(of)),
  };
}
