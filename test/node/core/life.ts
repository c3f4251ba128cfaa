/** A random life of a runtime: agents come and go, work of all kinds is asked for, answered, repeated and cancelled. */
import type { CoreCommand } from "../../../src/core/runtime.ts";
import { endedIds } from "../../../src/core/tasks/ends.ts";
import { PRIORITIES } from "../../../src/core/tasks/priority.ts";
import { UNREGISTER_MODES } from "../../../src/core/agents/agent.ts";
import { CATCH_UPS, OVERLAPS, ScheduleSetSchema } from "../../../src/core/schedules/schedule.ts";
import { LATE_POLICIES } from "../../../src/core/timers/timer.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import * as v from "valibot";
import type { Chance } from "./chance.ts";
import { everything } from "./everything.ts";
import type { Behaviour, Host, Saying } from "./kit.ts";
import {
  answer,
  cancelTask,
  complete,
  createTask,
  fail,
  join,
  leave,
  registerAgent,
  registerWorkflow,
  startExecution,
  type TaskOptions,
} from "./things.ts";

const work = { capabilities: ["a"], retry: { maxAttempts: 3, base: 50 }, timeout: 2_000 };

/** What another workflow runs within itself. */
export const minorWorkflow: WorkflowInput = { id: "minor", nodes: [{ id: "one", type: "task", ...work }] };

const appendedTask =
  "{'id': 'own', 'type': 'task', 'capabilities': ['b'], 'input': 'index', 'compensate': {'capabilities': ['b']}}";

/** Many kinds of nodes, a branch that is not taken, failures that are handled, and an output made of several. */
export const mixedWorkflow: WorkflowInput = {
  id: "mixed",
  variables: {
    count: { type: "number", merge: "sum" },
    turns: { type: "list", merge: "append", initial: ["first"] },
    seen: { type: "list", merge: "union" },
  },
  nodes: [
    { id: "fetch", type: "task", ...work, compensate: { ...work, input: "nodes.fetch.output" } },
    { id: "split", type: "parallel" },
    { id: "route", type: "decision" },
    { id: "big", type: "task", ...work, input: "nodes.fetch.output" },
    { id: "small", type: "task", ...work, capabilities: ["b"] },
    {
      id: "each",
      type: "map",
      items: "input.items",
      concurrency: 2,
      onError: "collect",
      task: { ...work, input: "item" },
    },
    { id: "gather", type: "join" },
    { id: "ask", type: "approval", message: "Go on?", payload: "input", timeout: 3_000, onTimeout: "approve" },
    { id: "last", type: "task", ...work, input: "nodes.each.output" },
    { id: "tries", type: "parallel", onFailure: "collect" },
    {
      id: "rounds",
      type: "loop",
      until: "index == 1",
      body: {
        nodes: [{ id: "turn", type: "task", ...work, input: "input", set: { turns: "index", count: "1" } }],
        input: "{'n': index}",
      },
    },
    { id: "within", type: "subworkflow", workflow: "minor", input: "size(input.items)" },
    {
      id: "graphs",
      type: "map",
      items: "input.items",
      concurrency: 2,
      key: "string(index)",
      body: {
        nodes: [{ id: "item", type: "task", ...work, input: "item", compensate: work, set: { seen: "[item, 'x']" } }],
      },
    },
    {
      id: "planned",
      type: "dynamic",
      ...work,
      input: `index > 0 ? null : {'nodes': size(problems) == 0 ? [1] : [${appendedTask}]}`,
      allow: { capabilities: ["b"] },
      rounds: 2,
    },
    {
      id: "calm",
      type: "monitor",
      capability: "b",
      when: "metrics.ended > 0 && metrics.failureRate < 0.5",
      every: 200,
      timeout: 1_500,
      onTimeout: "continue",
    },
    { id: "risky", type: "task", ...work, retry: { maxAttempts: 1 } },
    { id: "rescue", type: "task", ...work, input: "error.code" },
    { id: "met", type: "join", mode: { when: "has(inlets.risky) && has(inlets.rescue)" } },
    { id: "again", type: "errorHandler", scope: ["rounds"], action: "retry", delay: 300, backoff: 2 },
    { id: "instead", type: "errorHandler", scope: ["within"], action: "replace", output: "error.code" },
  ],
  edges: [
    { from: "fetch", to: "split" },
    { from: "split", to: "route" },
    { from: "split", to: "each" },
    { from: "route", to: "big", when: "size(input.items) > 2" },
    { from: "route", to: "small" },
    { from: "big", to: "gather" },
    { from: "small", to: "gather" },
    { from: "each", to: "gather" },
    { from: "gather", to: "ask" },
    { from: "ask", to: "last" },
    { from: "ask", to: "tries" },
    ...["rounds", "within", "graphs", "planned", "calm", "risky"].map((to) => ({ from: "tries", to })),
    { from: "risky", to: "rescue", on: "error" },
    { from: "risky", to: "met" },
    { from: "rescue", to: "met" },
  ],
  output: "{'each': nodes.each.output, 'ask': nodes.ask.output.approved, 'last': nodes.last.output}",
};

/** Answers in every way a worker can: well, badly, late, twice, for another attempt, with notes on the way, or never. */
export const chaotic: Behaviour = ({ task, attempt, chance }) => {
  const { id } = task;
  const after = chance.below(3_000);
  const say = (command: CoreCommand, later = 0): Saying => ({ after: after + later, command });
  const note: Saying[] = chance.once(3)
    ? [
        say({ type: "task.start", data: { id, attempt } }, -1),
        say({ type: "task.checkpoint", data: { id, attempt, value: String(chance.below(100)) } }, -1),
        say(
          { type: "task.effect", data: { id, attempt, key: chance.pick(["x", "y", "__proto__"]), value: "true" } },
          -1,
        ),
      ]
    : [];
  switch (chance.below(13)) {
    case 0:
      return [];
    case 12:
      return [...note, say({ type: "task.idle", data: { id, attempt } })];
    case 1:
    case 2:
      return [...note, say(fail(id, attempt))];
    case 3:
      return [say(complete(id, attempt)), say(complete(id, attempt, "2"), 1)];
    case 4:
      return [say(complete(id, attempt - 1)), say(fail(id, attempt + 1)), say(complete(id, attempt), 5)];
    case 5:
      return [...note, say(complete(id, attempt), 2_500)];
    default:
      return [...note, say(complete(id, attempt, task.input))];
  }
};

/** What a life happens to. */
export interface Living {
  readonly engine: Pick<Host["engine"], "state" | "head">;
  push(...commands: readonly CoreCommand[]): unknown;
}

/** Draws the next commands and hands them over; gives how many milliseconds should pass then. `waits`: timers, messages and all types of nodes too. */
export function createLife(
  chance: Chance,
  prefix = "",
  now = (): number => 0,
  waits = false,
): (host: Living) => number {
  let count = 0;
  const some = (): string[] => chance.shuffle(["a", "b", "c"]).slice(0, 1 + chance.below(2));
  const agent = (): string => `agent${String(chance.below(4))}`;
  const one = <T>(values: Iterable<T>): T[] => {
    const list = [...values];
    return list.length > 0 ? [chance.pick(list)] : [];
  };
  const draws: readonly ((host: Living) => CoreCommand | readonly CoreCommand[])[] = [
    () => [
      registerAgent(agent(), {
        capabilities: some(),
        slots: 1 + chance.below(3),
        replace: !chance.once(4),
        ...(chance.once(3) && { timeout: 500 + chance.below(2_000), retry: { base: 10 + chance.below(50) } }),
        ...(chance.once(3) && { maxConcurrentTasks: 1 + chance.below(3) }),
        ...(chance.once(3) && { recycleAfter: 1 + chance.below(20) }),
      }),
    ],
    ({ engine }) => one(engine.state.agents.agents.values()).map(({ id }) => join(`${prefix}l${String(++count)}`, id)),
    ({ engine }) => one(engine.state.agents.agents.values()).map(({ id }) => join(`${prefix}l${String(++count)}`, id)),
    ({ engine }) =>
      one(engine.state.agents.links.values()).map(({ id }) =>
        leave(id, chance.pick(["crashed", "killed", "page-gone"])),
      ),
    ({ engine }) =>
      chance.once(4)
        ? one(engine.state.agents.agents.values()).map(({ id }) => ({
            type: "agent.unregister",
            data: { id, mode: chance.pick(UNREGISTER_MODES) },
          }))
        : [],
    (host) => Array.from({ length: chance.below(8) }, () => drawTask(host, `${prefix}t${String(++count)}`)),
    (host) => Array.from({ length: chance.below(3) }, () => drawTask(host, `${prefix}t${String(++count)}`)),
    ({ engine }) =>
      one(engine.state.tasks.tasks.values()).map(({ id }) => ({
        type: "task.reprioritize",
        data: { id, priority: chance.pick(PRIORITIES) },
      })),
    ({ engine }) => one(engine.state.tasks.tasks.values()).map(({ id }) => cancelTask(id)),
    () => [registerWorkflow(minorWorkflow), registerWorkflow(mixedWorkflow), drawStart()],
    drawStart,
    drawStart,
    ({ engine }) =>
      chance.once(3)
        ? one(engine.state.workflows.executions.values()).map(({ id }) => ({ type: "execution.cancel", data: { id } }))
        : [],
    ({ engine }) =>
      one(engine.state.workflows.executions.values()).map(({ id, status }) =>
        status === "paused" || chance.once(2)
          ? { type: "execution.resume", data: { id } }
          : { type: "execution.pause", data: { id, interrupt: chance.once(2) } },
      ),
    ({ engine }) => one(engine.state.approvals.approvals.values()).map(({ id }) => answer(id, !chance.once(5))),
    ({ engine }) => [
      {
        type: "session.advance",
        data: { session: `s${String(chance.below(3))}`, mark: engine.head, acknowledged: chance.below(9), refused: [] },
      },
    ],
    ({ engine }) =>
      one(engine.state.agents.agents.values()).map(({ id }) => ({
        type: "agent.switch",
        data: { id, offline: chance.once(5) },
      })),
    ({ engine }) =>
      one(engine.state.agents.links.values()).map(({ id, silent }) => ({
        type: silent || !chance.once(3) ? "link.hear" : "link.silence",
        data: { link: id },
      })),
    ({ engine }) =>
      one(engine.state.agents.links.values()).map(({ id: link, strained }) =>
        chance.once(8)
          ? { type: "link.wear", data: { link } }
          : { type: "link.strain", data: { link, strained: !strained && chance.once(3) } },
      ),
    () => [
      {
        type: "page.offer",
        data: {
          session: `s${String(chance.below(3))}`,
          agents: Array.from({ length: chance.below(4) }, () => `${agent()}@1.0.0`),
        },
      },
    ],
    () => {
      const name = chance.pick(["x", "y", "*"]);
      if (chance.once(4)) return [{ type: "limit.remove", data: { name } }];
      const rate = chance.once(2) ? { rate: { count: 1 + chance.below(4), per: 500 } } : {};
      const perKey = name !== "*" && chance.once(2);
      return [{ type: "limit.set", data: { name, concurrency: 1 + chance.below(6), ...rate, perKey } }];
    },
    () => [drawCapability()],
    () => [
      {
        type: "agent.fault",
        data: { id: `${agent()}@1.0.0`, error: { name: "Error", message: "404", code: "agent/load-failed" } },
      },
    ],
  ];

  function drawSchedule(): CoreCommand {
    const [overlap, catchUp] = [chance.pick(OVERLAPS), chance.pick(CATCH_UPS)];
    const jitter = chance.pick([0, 500]);
    const given = {
      id: `s${String(chance.below(3))}`,
      workflow: "mixed",
      cron: "*/2 * * * * *",
      input: '{"items":[1]}',
    };
    const more = { overlap, catchUp, jitter, paused: chance.once(5), endAt: now() + chance.below(20_000) };
    return { type: "schedule.set", data: v.parse(ScheduleSetSchema, { ...given, ...more }) };
  }

  /** Timers, messages and waits that stand alone: set, published, opened or cancelled; and runs of everything. */
  function drawWaits({ engine }: Living): readonly CoreCommand[] {
    const { timers, messages } = engine.state;
    const id = `${prefix}w${String(++count)}`;
    const [name, reason] = [chance.pick(["x", "y"]), "enough"];
    const spans = { lookBack: chance.below(2_000), timeout: 1 + chance.below(4_000) };
    switch (chance.below(9)) {
      case 8:
        return [...everything.map(registerWorkflow), startExecution(id, "everything", { items: [1, 2] })];
      case 7:
        return [drawSchedule()];
      case 6:
        return one(engine.state.schedules.schedules.values()).map((schedule) => ({
          type: "schedule.remove",
          data: { id: schedule.id },
        }));
      case 0: {
        const [late, tolerance] = [chance.pick(LATE_POLICIES), chance.below(400)];
        return [{ type: "timer.set", data: { id, for: chance.below(9_000), late, tolerance } }];
      }
      case 1:
        return one(timers.timers.values()).map((timer) => ({ type: "timer.cancel", data: { id: timer.id, reason } }));
      case 2:
        return one(messages.waits.values()).map((wait) => ({ type: "wait.cancel", data: { id: wait.id, reason } }));
      case 3:
        return [
          {
            type: "wait.open",
            data: { id, name, key: "", consume: chance.pick(["one", "broadcast"]), ...(chance.once(2) && spans) },
          },
        ];
      default:
        return [
          {
            type: "message.publish",
            data: {
              name,
              payload: JSON.stringify({ at: count }),
              ttl: chance.below(3_000),
              ...(chance.once(3) && { id }),
            },
          },
        ];
    }
  }

  function drawCapability(): CoreCommand {
    const name = chance.pick(["a", "b"]);
    const version = chance.once(3) ? { version: `1.${String(chance.below(2))}.0` } : {};
    if (chance.once(3)) return { type: "capability.unregister", data: { name, ...version } };
    const input = chance.pick(["{}", '{"type":"object"}', '{"required":["items"]}']);
    const output = chance.pick(["{}", '{"type":["object","integer"]}', '{"anyOf":[{"minimum":2},{"type":"null"}]}']);
    const defaults = {
      timeout: 1_000 + chance.below(3_000),
      retry: { maxAttempts: 2 },
      priority: chance.pick(PRIORITIES),
    };
    const data = { name, ...version, input, ...(chance.once(3) && { output }), ...(chance.once(2) && { defaults }) };
    return { type: "capability.register", data: { ...data, replace: !chance.once(3) } };
  }

  function drawTask(host: Living, id: string): CoreCommand {
    const retry = { maxAttempts: 1 + chance.below(4), base: 100, cap: 1_000 };
    return createTask(id, {
      capabilities: some(),
      priority: chance.pick(PRIORITIES),
      ...(!chance.once(3) && { retry, timeout: 1_000 + chance.below(4_000) }),
      ...(chance.once(3) && { fairness: { key: chance.pick(["k", "l"]), weight: 2 } }),
      ...(chance.once(4) && { limits: [{ limit: chance.pick(["x", "y"]), key: chance.pick(["p", "q"]) }] }),
      input: JSON.stringify({ at: count, text: 'ä\u2028"' }),
      ...drawTimes(),
      ...drawAfter(host),
    });
  }
  function drawTimes(): TaskOptions {
    const soon = (): number => now() + chance.below(6_000);
    const onDeadline = chance.pick(["continue", "fail", "escalate"] as const);
    return {
      ...(chance.once(4) && { startAt: now() + chance.below(30_000) }),
      ...(chance.once(5) && { deadline: soon(), onDeadline }),
      ...(chance.once(4) && {
        timeouts: { queue: 1 + chance.below(4_000), total: 1 + chance.below(9_000), idle: 900 },
      }),
      ...(chance.once(6) && { idempotency: { key: chance.pick(["k", "l"]), window: 1 + chance.below(3_000) } }),
    };
  }
  function drawAfter({ engine }: Living): TaskOptions {
    if (!chance.once(3)) return {};
    const { tasks, ends } = engine.state.tasks;
    const live = [...tasks.values()].filter(({ parent }) => !parent).map(({ id }) => id);
    const known = chance.once(3) || live.length === 0 ? [...endedIds(ends), "nobody"] : live;
    const before = chance.shuffle(known).slice(0, 1 + chance.below(3));
    const when = chance.pick(["all", "any", "done", 1, 2] as const);
    return { after: { tasks: before, when, otherwise: chance.pick(["fail", "skip"] as const) } };
  }
  function drawStart(): CoreCommand {
    const items = Array.from({ length: chance.below(6) }, (_none, place) => place);
    return startExecution(`${prefix}e${String(++count)}`, "mixed", { items });
  }
  return (host) => {
    host.push(...[waits && chance.once(10) ? drawWaits(host) : chance.pick(draws)(host)].flat());
    return chance.once(3) ? chance.below(1_500) : 0;
  };
}
