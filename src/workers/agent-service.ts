/** The attempts of one agent's worker: what the host orders, what runs, and what an uncaught error does to it. */
import type { AgentDefinition } from "../core/plugin/definition.ts";
import type { HostFrame } from "../core/agents/protocol.ts";
import { encodeError, RuntimeError } from "../core/errors.ts";
import { createAttempt, failed, type Attempt } from "./agent-attempt.ts";
import type { Run } from "./agent-context.ts";
import { createHostLink } from "./agent-link.ts";

export interface Service {
  /** Serves the host at the port's other end, instead of the one before. */
  serve(port: MessagePort): void;
  /** Fails the attempt that an uncaught error must come from; false when that can't be known. */
  blame(thrown: unknown): boolean;
}

type Abort = Extract<HostFrame, { kind: "abort" }>;

export function createService<I, O>(definition: AgentDefinition<I, O>): Service {
  const link = createHostLink();
  const running = new Map<string, Attempt>(); // by task; an older attempt that was aborted is not among them

  const run = async (frame: Run): Promise<void> => {
    const attempt = createAttempt(definition, frame, link);
    const { task, attempt: number, beat = 1e3 } = frame;
    running.set(task, attempt);
    const beating = setInterval(() => {
      if (running.get(task) === attempt) link.send({ kind: "beat", task, attempt: number });
    }, beat); // one that was given up is silent: it ends, or its worker is ended
    const outcome = await attempt.perform();
    clearInterval(beating);
    if (running.get(task) === attempt) running.delete(task);
    if (!running.size) await definition.reset?.();
    link.finish(outcome);
  };
  const take = (frame: HostFrame): void => {
    if (frame.kind === "settled") link.settle(frame);
    else if (frame.kind === "answer") link.answer(frame);
    else order(frame, running.get(frame.task));
  };
  const order = (frame: Run | Abort, current: Attempt | undefined): void => {
    if (current?.attempt === frame.attempt) {
      if (frame.kind === "abort") current.abort(frame.error);
    } else if (!link.resend(frame)) {
      if (frame.kind === "abort")
        link.finish(failed(frame, frame.error)); // so that the host frees the slot
      else {
        current?.abort(encodeError(new RuntimeError("task/interrupted"))); // a newer attempt takes its place
        void run(frame);
      }
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
      if (running.size !== 1) return false;
      running.forEach((attempt, task) => {
        running.delete(task);
        link.finish(failed(attempt, error)); // at once: its run may never end now
        attempt.abort(error);
      });
      return true;
    },
  };
}
