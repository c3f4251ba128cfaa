/**
 * Runs a workflow of one's own, with its agents, in virtual time: first undisturbed, then with the host killed behind
 * every event that this took. All of it is Troupe's real code; see docs/testing.md.
 */
import * as v from "valibot";
import { RuntimeError, type ErrorData } from "../../core/errors.ts";
import { defineAgent, type AgentContext, type AgentDefinition } from "../../core/plugin/definition.ts";
import type { WorkflowInput } from "../../core/workflows/definition.ts";
import type { Runtime } from "../../client/runtime.ts";
import { differenceOf } from "../claims.ts";
import { createOracle, type Oracle } from "./oracle/oracle.ts";
import { createSite, type Entries, type Site } from "./site.ts";
import { createChance } from "./chance.ts";

/** What performs a capability: a plain function, or an agent's whole definition. */
export type SimulatedAgent = ((input: never, context: AgentContext) => unknown) | AgentDefinition<never>;

export interface SimulateOptions {
  /** Who does the work: functions by the capability that they have; a definition says its own. */
  readonly agents: Readonly<Record<string, SimulatedAgent>>;
  /** The run's input. Default null. */
  readonly input?: unknown;
  /** Other workflows that this one names. */
  readonly workflows?: readonly WorkflowInput[];
  /** So many seeds are tried: each has orders and latencies of its own. From 1 to 10,000, default 3. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** every-event, the default: for each event there is a run in which the host dies behind it. A list: only behind these. */
  readonly crashAt?: "every-event" | "never" | readonly number[];
  /** What people do meanwhile, in the page that has started the run: they answer approvals, publish messages. */
  readonly play?: (runtime: Runtime, run: string) => void;
  /** Virtual milliseconds within which the run has to end. Default a day. */
  readonly within?: number;
}

/** How a run ended. */
export interface SimulatedOutcome {
  readonly status: "completed" | "failed" | "cancelled";
  /** As JSON gives it back. */
  readonly output?: unknown;
  readonly error?: Pick<ErrorData, "code" | "message">;
}

/** A run that ended otherwise, or in which a promise of Troupe was broken. */
export interface SimulatedDifference {
  readonly seed: number;
  /** The host was killed behind this event; undefined: it wasn't. */
  readonly crashAt: number | undefined;
  readonly difference: string;
}

export interface SimulationReport {
  /** Of the first run, which nothing disturbed. */
  readonly outcome: SimulatedOutcome;
  /** What other runs did otherwise; none when the workflow comes to the same whenever its host dies. */
  readonly differences: readonly SimulatedDifference[];
  readonly runs: number;
  /** Runs in which the host was killed. */
  readonly crashes: number;
  /** Events of the first run. */
  readonly events: number;
  /** Steps of all runs: messages, timers and writes. */
  readonly steps: number;
}

const whole = (least: number, most: number): v.GenericSchema<number> =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

const OptionsSchema = v.strictObject({
  agents: v.record(v.string(), v.union([v.function(), v.looseObject({ name: v.string(), run: v.function() })])),
  input: v.optional(v.unknown(), null),
  workflows: v.optional(v.array(v.looseObject({ id: v.string() })), []),
  seeds: v.optional(whole(1, 10_000), 3),
  from: v.optional(whole(0, 2 ** 31), 1),
  crashAt: v.optional(v.union([v.picklist(["every-event", "never"]), v.array(whole(1, 1e9))]), "every-event"),
  play: v.optional(v.function()),
  within: v.optional(whole(1, 366 * 86_400_000), 86_400_000),
});

type Options = Required<Omit<SimulateOptions, "play">> & Pick<SimulateOptions, "play">;

/**
 * @throws RuntimeError `command/invalid` for an option that is none, naming it, and when the run doesn't end though
 *   nothing disturbs it; `workflow/invalid` with what is wrong with the definition
 */
export async function runSimulation(
  load: () => Promise<Entries>,
  workflow: WorkflowInput,
  given: SimulateOptions,
): Promise<SimulationReport> {
  const options = read(given);
  const entries = await load();
  const differences: SimulatedDifference[] = [];
  let first: Played | undefined;
  let [runs, crashes, steps] = [0, 0, 0];
  const run = async (seed: number, crashAt: number | undefined): Promise<Played> => {
    const played = await playOnce(entries, workflow, options, { seed, crashAt });
    runs++;
    crashes += Number(played.crashed);
    steps += played.steps;
    const reference = (first ??= played).outcome;
    const text = played.violation ?? differenceOf(played.outcome, reference, "");
    if (text !== undefined) differences.push({ seed, crashAt, difference: text });
    return played;
  };
  for (let seed = options.from; seed < options.from + options.seeds; seed++) {
    const { ends } = await run(seed, undefined);
    const { crashAt } = options;
    for (const at of crashAt === "every-event" ? ends : crashAt === "never" ? [] : crashAt) await run(seed, at);
  }
  if (!first) throw new RuntimeError("command/invalid", { at: "seeds", seeds: options.seeds });
  return { outcome: first.outcome, differences, runs, crashes, events: first.ends.at(-1) ?? 0, steps };
}

function read(given: SimulateOptions): Options {
  const parsed = v.safeParse(OptionsSchema, given);
  if (parsed.success) return parsed.output as unknown as Options;
  const [issue] = parsed.issues;
  throw new RuntimeError("command/invalid", { at: v.getDotPath(issue) ?? "", reason: issue.message });
}

interface Played {
  readonly outcome: SimulatedOutcome;
  /** The last event of each batch. */
  readonly ends: readonly number[];
  readonly crashed: boolean;
  readonly steps: number;
  readonly violation: string | undefined;
}

interface Moment {
  readonly seed: number;
  readonly crashAt: number | undefined;
}

/** A host dies up to so many steps behind the event: while its answer is under way, or with something else. */
const AFTER = 6;

async function playOnce(
  entries: Entries,
  workflow: WorkflowInput,
  options: Options,
  { seed, crashAt }: Moment,
): Promise<Played> {
  const state: { oracle?: Oracle; ended?: SimulatedOutcome; failed?: unknown } = {};
  const agents = definitionsOf(options.agents, () => state.oracle);
  const chance = createChance(seed).fork(crashAt ?? 0);
  const speed = { message: 0.2, disk: 2, lock: 1, start: 10, spread: chance.between(1, 5), echoes: 0 };
  const site = createSite({ seed, entries, agents, speed });
  try {
    const oracle = (state.oracle = createOracle(site));
    site.openPage("page", ["shared"], ({ runtime }) => {
      if (!runtime) return;
      begin(runtime, workflow, options, [...agents.keys()]).then(
        (outcome) => (state.ended = outcome),
        (error: unknown) => (state.failed = error),
      );
    });
    const crash = crashBehind(site, crashAt, chance.below(AFTER));
    site.world.onStep(() => {
      oracle.look();
      crash.look();
    });
    const isOver = (): boolean => state.ended !== undefined || state.failed !== undefined;
    await site.world.run(() => isOver() || oracle.violations.length > 0 || site.world.now() > options.within);
    const { ended, failed } = state;
    if (failed !== undefined) throw failed as Error;
    const [broken] = oracle.violations;
    const violation = broken && `${broken.rule}: ${broken.text}`;
    if (!ended && crashAt === undefined && !violation) throw unending(oracle, options.within);
    const nothing = `the run hasn't ended within ${options.within} ms`;
    return {
      outcome: ended ?? { status: "failed", error: { code: "host/unreachable", message: nothing } },
      ends: site.disk.history.map(({ batch }) => batch.to),
      crashed: crash.happened(),
      steps: site.world.steps,
      violation: violation ?? (ended ? undefined : nothing),
    };
  } finally {
    site.close();
  }
}

/** Kills the host that has written the event, so many steps later. */
function crashBehind(
  { world, disk, living }: Site,
  event: number | undefined,
  after: number,
): { look(): void; happened(): boolean } {
  let [left, happened] = [after, false];
  return {
    happened: () => happened,
    look() {
      if (event === undefined || happened || (disk.history.at(-1)?.batch.to ?? 0) < event || left-- > 0) return;
      for (const host of living("host")) {
        world.kill(host, `it is killed behind event ${event}`);
        happened = true;
      }
    },
  };
}

async function begin(
  runtime: Runtime,
  workflow: WorkflowInput,
  { workflows, input, play }: Options,
  urls: readonly string[],
): Promise<SimulatedOutcome> {
  for (const one of [...workflows, workflow]) await runtime.settled(runtime.registerWorkflow(one));
  for (const url of urls) void offer(runtime, url);
  const run = runtime.startWorkflow(workflow.id, input, { id: "simulated" }); // the same in every run: keys are made of it
  play?.(runtime, run);
  try {
    const output: unknown = JSON.parse(JSON.stringify((await runtime.result(run)) ?? null));
    return { status: "completed", output };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const { code, message } = error;
    return { status: code === "execution/cancelled" ? "cancelled" : "failed", error: { code, message } };
  }
}

/** The worker that is looked at first may go with a host. */
async function offer(runtime: Runtime, url: string): Promise<void> {
  for (;;)
    try {
      await runtime.registerAgent({ url, trusted: true, workers: 2 });
      return;
    } catch (error) {
      if (error instanceof RuntimeError && !error.code.startsWith("agent/")) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
}

function unending(oracle: Oracle, within: number): RuntimeError {
  const open = [...oracle.tasks.values()].filter(({ ended }) => !ended).map(({ id }) => id);
  const approvals = [...oracle.approvals.keys()];
  const reason = `the run hasn't ended within ${within} ms, though nothing has disturbed it`;
  return new RuntimeError("command/invalid", { reason, tasks: open.slice(0, 10), approvals: approvals.slice(0, 10) });
}

const anything = {
  "~standard": { version: 1, vendor: "troupe", validate: (value: unknown) => ({ value }) },
} as const;

/** Agents by the path of their script, each watched by the oracle. */
function definitionsOf(
  agents: SimulateOptions["agents"],
  oracle: () => Oracle | undefined,
): Map<string, AgentDefinition<never>> {
  const made = Object.entries(agents).map(([capability, agent], place) => {
    const definition =
      typeof agent === "function"
        ? {
            name: `simulated-${place + 1}`,
            version: "1.0.0",
            capabilities: [capability],
            slots: 4,
            input: anything,
            output: anything,
            run: agent,
          }
        : agent;
    return [`/${place}.js`, watched(definition as AgentDefinition<never>, oracle)] as const;
  });
  return new Map(made);
}

function watched(definition: AgentDefinition<never>, oracle: () => Oracle | undefined): AgentDefinition<never> {
  return defineAgent({
    ...definition,
    async run(input, context) {
      const { id, attempt } = context.task;
      oracle()?.began(id, attempt);
      const output = await definition.run(input, context);
      const checked = await definition.output["~standard"].validate(output);
      if (!checked.issues) oracle()?.gave(id, attempt, JSON.stringify(checked.value ?? null));
      return output;
    },
  });
}
