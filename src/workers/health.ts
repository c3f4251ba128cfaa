/** Agents that look after themselves: an own check beside their work, and a new worker for one that fails it. */
import type { AgentContext } from "../core/plugin/definition.ts";
import { encodeError, RuntimeError } from "../core/errors.ts";

export interface HealthOptions<I, O> {
  /** Throws, or rejects, when the worker can't do its work any more: a model that is gone, a connection that hangs. */
  health(): void | Promise<void>;
  /** The check runs before an attempt that begins alone, and so often while any runs, in milliseconds. Default 5,000. */
  readonly every?: number;
  /** A check that takes longer has failed, in milliseconds. Default 5,000. */
  readonly patience?: number;
  run(input: I, context: AgentContext): O | Promise<O>;
  /** The agent's own, see `AgentDefinition.reset`. */
  reset?(): void | Promise<void>;
}

/** What goes into an agent's definition. */
export interface Checked<I, O> {
  run(input: I, context: AgentContext): Promise<O>;
  reset(): Promise<void>;
}

/**
 * Makes an agent's `run` and `reset` of those that are checked: `defineAgent({ name, …, ...checked({ health, run }) })`.
 * When the check fails, the worker is ended as crashed: what it ran fails with `agent/crashed`, whose cause is
 * `agent/unhealthy` with the check's own words, is tried again as its `retry` says, and gets a new worker.
 * @throws RuntimeError `agent/manifest-invalid` for a time that is none, naming it.
 */
export function checked<I, O>({
  health,
  every = 5_000,
  patience = 5_000,
  ...agent
}: HealthOptions<I, O>): Checked<I, O> {
  assertTime("every", every);
  assertTime("patience", patience);
  const running = new Set<(error: RuntimeError) => void>();
  let timer: number | undefined;
  let checking: Promise<void> | undefined;
  let sick: RuntimeError | undefined;

  const look = async (): Promise<void> => {
    try {
      await within(patience, async () => health());
    } catch (cause) {
      sick = new RuntimeError("agent/unhealthy", { reason: encodeError(cause).message }, { cause });
      for (const fail of running) fail(sick);
    }
  };
  const check = (): Promise<void> => (checking ??= look().finally(() => (checking = undefined)));
  const watch = (): void => {
    timer = setTimeout(() => {
      void check().then(() => {
        if (running.size > 0 && !sick) watch();
      });
    }, every);
  };
  return {
    async run(input, context) {
      if (running.size === 0) await check();
      if (sick) throw sick;
      let fail: (error: RuntimeError) => void = () => undefined;
      const failing = new Promise<never>((_resolve, reject) => (fail = reject));
      running.add(fail);
      if (running.size === 1) watch();
      try {
        return await Promise.race([agent.run(input, context), failing]);
      } finally {
        running.delete(fail);
        if (running.size === 0) clearTimeout(timer);
      }
    },
    async reset() {
      if (sick) throw sick; // nobody is to get this worker again
      await agent.reset?.();
    },
  };
}

async function within(milliseconds: number, job: () => Promise<void>): Promise<void> {
  let timer: number | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(reject, milliseconds, new Error(`its check took longer than ${milliseconds} ms`));
  });
  try {
    await Promise.race([job(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function assertTime(field: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= 3_600_000) return;
  const expected = "a whole number of milliseconds from 1 to 3,600,000";
  throw new RuntimeError("agent/manifest-invalid", { field: `health.${field}`, value, expected });
}
