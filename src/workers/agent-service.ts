/** The attempts of one agent's worker: what the host orders, what runs, and what an uncaught error does to it. */
import type { AgentDefinition } from "../core/plugin/definition.ts";
import type { HostFrame } from "../core/agents/protocol.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { createAttempt, type Attempt } from "./agent-attempt.ts";
import type { Run } from "./agent-context.ts";
import { createHostLink, type AttemptId, type Outcome } from "./agent-link.ts";

export interface Service {
  /** Serves the host at the port's other end, instead of the one before. */
  serve(port: MessagePort): void;
  /** Fails the attempt that an uncaught error must come from; false when that can't be known. */
  blame(thrown: unknown): boolean;
}

export function createService<I, O>(definition: AgentDefinition<I, O>): Service {
  const link = createHostLink();
  const running = new Map<string, Attempt>(); // by task; an older attempt that was aborted is not among them

  const run = async (frame: Run): Promise<void> => {
    const { task } = frame;
    const kept = link.outcomeOf(frame);
    const other = running.get(task);
    if (kept) link.finish(kept);
    else if (other?.attempt !== frame.attempt) {
      other?.abort(encodeError(new RuntimeError("task/interrupted", { task })));
      const attempt = createAttempt(definition, frame, link);
      running.set(task, attempt);
      const outcome = await attempt.perform();
      if (running.get(task) === attempt) running.delete(task);
      link.finish(outcome);
    }
  };
  const take = (frame: HostFrame): void => {
    switch (frame.kind) {
      case "run":
        void run(frame);
        return;
      case "abort": {
        const attempt = running.get(frame.task);
        if (attempt?.attempt === frame.attempt) attempt.abort(frame.error);
        else link.finish(link.outcomeOf(frame) ?? failed(frame, frame.error)); // so that the host frees the slot
        return;
      }
      case "settled":
        link.settle(frame);
        return;
      case "answer":
        link.answer(frame);
    }
  };
  return {
    serve(port) {
      link.attach(port);
      port.onmessage = ({ data }: MessageEvent<readonly HostFrame[]>) => {
        data.forEach(take);
      };
    },
    blame(thrown) {
      const error = encodeError(thrown, "agent/failed");
      if (error.code.startsWith("task/")) return true; // a call of an attempt that is over: our own doing
      const [attempt] = running.values();
      if (!attempt || running.size > 1) return false;
      running.delete(attempt.task);
      link.finish(failed(attempt, error)); // at once: its run may never end now
      attempt.abort(error);
      return true;
    },
  };
}

const failed = ({ task, attempt }: AttemptId, error: ErrorData): Outcome => ({ kind: "failed", task, attempt, error });
