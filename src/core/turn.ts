import { agentsRules } from "./agents/rules.ts";
import { approvalsRules } from "./approvals/rules.ts";
import { capabilitiesRules } from "./capabilities/rules.ts";
import { encodeRefusal, RuntimeError, type ErrorData } from "./errors.ts";
import { hostingRules } from "./hosting/rules.ts";
import { checkLimits, limitsRules } from "./limits/rules.ts";
import type { TaskCreate } from "./tasks/task.ts";
import { RecordedRefusal, type Env, type Fact, type Request, type Rules } from "./kernel.ts";
import type { CoreState } from "./runtime.ts";
import { mailRules } from "./mail/rules.ts";
import { messagesRules } from "./messages/rules.ts";
import { schedulesRules } from "./schedules/rules.ts";
import type { Scheduler } from "./scheduling/scheduler.ts";
import { tasksRules } from "./tasks/rules.ts";
import { timersRules } from "./timers/rules.ts";
import { deadlinesRules } from "./workflows/deadlines.ts";
import { createWorkflowRules } from "./workflows/rules.ts";

/** A turn must end; a chain of reactions longer than this is a fault of the rules, and stops the engine. */
const MAX_REACTIONS = 10_000_000;

type AnyRules = Rules<CoreState, Record<string, unknown>, Record<string, unknown>>;

type Recorder = (fact: Fact, now: number) => void;

const none: readonly never[] = [];

/** One step (E1): decides a command and all that follows from it. Returns why the command was refused, if it was. */
export function createTurn(
  state: CoreState,
  scheduler: Scheduler,
): (command: Request, env: Env, record: Recorder) => ErrorData | undefined {
  const rules = [
    hostingRules,
    tasksRules,
    approvalsRules,
    agentsRules,
    limitsRules,
    timersRules,
    messagesRules,
    mailRules,
    createWorkflowRules(),
    deadlinesRules,
    schedulesRules,
    capabilitiesRules,
  ] as unknown as readonly AnyRules[];
  const decide = Object.assign({}, ...rules.map((one) => one.decide)) as AnyRules["decide"];
  const reactions = new Map<string, NonNullable<NonNullable<AnyRules["react"]>[string]>[]>();
  for (const { react } of rules)
    for (const [type, reaction] of Object.entries(react ?? {}))
      if (reaction) reactions.set(type, [...(reactions.get(type) ?? []), reaction]);

  const run = (facts: readonly Fact[], { now }: Env, record: Recorder, queue: Request[]): void => {
    for (const fact of facts) {
      record(fact, now);
      scheduler.follow(fact.type, fact.data);
      for (const reaction of reactions.get(fact.type) ?? none)
        for (const request of reaction(state, fact.data)) queue.push(request);
    }
  };
  return (command, env, record) => {
    const { facts, refusal } = decideOutside(decide, state, command, env);
    if (refusal && facts.length === 0) return refusal;
    const queue: Request[] = [];
    run(facts, env, record, queue);
    let at = 0;
    for (let reactions = 1; ; reactions++) {
      const next = at < queue.length ? queue[at++] : scheduler.next(env.now); // of what starts something may follow, too
      if (!next) return refusal;
      if (reactions > MAX_REACTIONS) throw new RuntimeError("runtime/limit", { reactions });
      run(decide[next.type]?.(state, next.data, env) ?? none, env, record, queue);
    }
  };
}

interface Decided {
  readonly facts: readonly Fact[];
  readonly refusal?: ErrorData;
}

function decideOutside(decide: AnyRules["decide"], state: CoreState, { type, data }: Request, env: Env): Decided {
  try {
    const rule = Object.hasOwn(decide, type) ? decide[type] : undefined;
    if (!rule) throw new RuntimeError("command/unknown", { type });
    if (type === "task.create") checkLimits(state.limits, (data as TaskCreate).limits);
    return { facts: rule(state, data, env) };
  } catch (error) {
    if (error instanceof RecordedRefusal) return { facts: error.facts, refusal: encodeRefusal(error.cause) };
    return { facts: none, refusal: encodeRefusal(error) };
  }
}
