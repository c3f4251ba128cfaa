/** What a page does is held against what comes of it: what is acknowledged is durable, results are the journal's. */
import type { Runtime } from "../../src/client/runtime.ts";
import { RuntimeError } from "../../src/core/errors.ts";
import type { Chance } from "../../src/testing/simulation/chance.ts";
import type { Oracle } from "../../src/testing/simulation/oracle/oracle.ts";
import type { Page } from "../../src/testing/simulation/site.ts";
import type { Graph } from "./graphs.ts";

/** What is known of all pages. */
export interface Stage {
  readonly oracle: Oracle;
  readonly graphs: readonly Graph[];
  /** Promises that pages wait for, and what they are about. */
  readonly open: Map<symbol, { readonly page: Page; readonly about: string }>;
  /** Runs whose output is known beforehand. */
  readonly sure: Map<string, Record<string, number | null>>;
  /** What was acknowledged to a page: it must never be gone. */
  readonly acknowledged: Set<string>;
  /** Tasks and runs that somebody has tried to stop. */
  readonly stopped: Set<string>;
  /** Runs that were paused: by a page that may be gone before it resumes them. */
  readonly paused: Set<string>;
  readonly schedules: Set<string>;
  /** Numbers of deeds that are still to be done. */
  readonly due: Set<number>;
  readonly made: { readonly tasks: string[]; readonly runs: string[] };
  openPage(): void;
  leave(page: Page): void;
}

export interface Doing {
  readonly stage: Stage;
  readonly page: Page;
  readonly runtime: Runtime;
  readonly chance: Chance;
  readonly number: number;
}

type TaskOptions = Partial<Parameters<Runtime["createTask"]>[0]>;

export function makeTask(doing: Doing, more: TaskOptions): string {
  const { stage, runtime, chance, number } = doing;
  const id = runtime.createTask({
    capabilities: [chance.pick(["a", "b"])],
    input: { number, salt: chance.below(1_000) },
    priority: chance.pick(["low", "medium", "high", "critical"]),
    retry: { maxAttempts: chance.between(1, 5), base: 50, cap: 500 },
    timeout: chance.between(1_500, 5_000),
    ...(chance.often(0.2) && { timeouts: { idle: 1_200 } }),
    ...(chance.often(0.2) && { timeouts: { total: chance.between(1_000, 20_000) } }),
    ...(chance.often(0.2) && { startAt: Date.now() + chance.below(5_000) }),
    ...(chance.often(0.2) && { limits: [{ limit: "x", key: "k" }] }),
    ...more,
  });
  stage.made.tasks.push(id);
  expectMade(doing, "task", id, "after" in more ? ["task/dependency-unknown"] : codesOf(more.input));
  return id;
}

export function startRun(doing: Doing, workflow: string, input: unknown): string {
  const id = doing.runtime.startWorkflow(workflow, input);
  doing.stage.made.runs.push(id);
  expectMade(doing, "run", id, codesOf(input));
  return id;
}

/** A long input is stored before its task is made, and that may fail. */
function codesOf(input: unknown): readonly string[] {
  return Object.hasOwn(Object(input) as object, "bulk") ? ["journal/quota", "journal/unavailable"] : [];
}

/** What is acknowledged is durable, and stays; what is refused isn't there. Its result is what the journal says. */
export function expectMade(doing: Doing, what: "task" | "run", id: string, codes: readonly string[]): void {
  const { stage, runtime, page, number } = doing;
  const { oracle } = stage;
  const isThere = (): boolean => {
    oracle.look();
    return what === "task" ? oracle.tasks.has(id) || oracle.aliases.has(id) : oracle.runs.has(id);
  };
  expect(
    doing,
    `${what} ${id} is durable`,
    codes,
    runtime.settled(id).then(() => {
      oracle.claim(
        isThere(),
        "acknowledged",
        () => `${what} ${id} of deed ${number} is acknowledged, and isn't in the journal`,
      );
      stage.acknowledged.add(id);
    }),
  );
  const token = Symbol(id);
  stage.open.set(token, { page, about: `the result of ${what} ${id}` });
  const over = (how: string, output?: string): void => {
    stage.open.delete(token);
    oracle.look();
    const real = oracle.aliases.get(id) ?? id;
    const end = oracle.tasks.get(real) ?? oracle.runs.get(id);
    const isTrue =
      how === "ended"
        ? end === undefined || end.ended !== "completed"
        : end?.ended === "completed" && (end.output === undefined || output === oracle.payloads.whole(end.output));
    oracle.claim(
      isTrue,
      "results",
      () =>
        `${what} ${id} is told as ${how} with ${output?.slice(0, 200) ?? "nothing"}; the journal says ${end?.ended ?? "nothing"}, ${end?.output?.slice(0, 200) ?? ""}`,
    );
  };
  runtime.result(id).then(
    (output) => {
      over("completed", JSON.stringify(output));
    },
    (error: unknown) => {
      if (isClosed(error))
        stage.open.delete(token); // its page doesn't wait any more
      else over("ended", String(error));
      oracle.told(page.process.name, JSON.stringify(error) + String(error));
    },
  );
}

/** The promise has to settle, and may only be rejected with one of the codes. */
export function expect(
  { stage, page, number }: Doing,
  about: string,
  codes: readonly string[],
  promise: Promise<unknown>,
): void {
  const token = Symbol(about);
  const over = (): void => void stage.open.delete(token);
  stage.open.set(token, { page, about });
  promise.then(over, (error: unknown) => {
    over();
    const isKnown = isClosed(error) || (error instanceof RuntimeError && codes.includes(error.code));
    stage.oracle.claim(isKnown, "refused", () => `deed ${number}: ${about} was refused: ${String(error)}`);
  });
}

export const isClosed = (error: unknown): boolean => error instanceof RuntimeError && error.code === "runtime/closed";
