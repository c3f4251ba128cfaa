/** A random life of agents, tasks and limits, in facts. */
import type { Link } from "../../../../src/core/agents/agent.ts";
import type { CoreFact } from "../../../../src/core/runtime.ts";
import { PRIORITIES } from "../../../../src/core/tasks/priority.ts";
import type { Task } from "../../../../src/core/tasks/task.ts";
import type { Chance } from "../chance.ts";
import { registerAgent } from "../things.ts";
import type { Model } from "./model.ts";
import type { Yard } from "./yard.ts";

const CAPABILITIES = ["a", "b", "c", "d"];
const WEIGHTS: Readonly<Record<string, number>> = { k0: 0.5, k1: 1, k2: 4 };

export function createLife(chance: Chance, yard: Yard, model: Model): () => void {
  let count = 0;
  const { tell } = yard;
  const some = (): string[] => chance.shuffle(CAPABILITIES).slice(0, 1 + chance.below(3));
  const agentName = (): string => `agent${String(chance.below(6))}`;
  const tasks = (...statuses: readonly Task["status"][]): Task[] =>
    [...yard.state.tasks.tasks.values()].filter(({ status }) => statuses.includes(status));
  const one = <T>(list: readonly T[], act: (item: T) => void): void => {
    if (list.length > 0) act(chance.pick(list));
  };
  const end = ({ id, attempt, link = "" }: Task): CoreFact => {
    const error = { name: "Error", message: "boom", code: "boom" };
    const key = { id, attempt, link };
    const retryAt = yard.now + 1;
    switch (chance.below(5)) {
      case 0:
        return { type: "task.failed", data: { ...key, error } };
      case 1:
        return { type: "task.failed", data: { ...key, error, retryAt, ...(chance.once(2) && { held: true }) } };
      case 2:
        return { type: "task.interrupted", data: { ...key, reason: "drawn" } };
      case 3:
        return { type: "task.cancelled", data: { id, attempt, reason: "drawn", running: true } };
      default:
        return { type: "task.completed", data: { ...key, output: "1" } };
    }
  };
  const leave = (link: Link): void => {
    const holdings = [...yard.state.agents.holdings.values()].filter((held) => held.link === link.id);
    const pairs = holdings.map(({ task, attempt }) => [task, attempt] as const);
    tell({ type: "link.left", data: { link: link.id, agent: link.agent, cause: "crashed", holdings: pairs } });
    for (const { task: id, attempt } of holdings) {
      const task = yard.state.tasks.tasks.get(id);
      if (task?.status === "assigned" && task.attempt === attempt) tell(end(task));
    }
  };
  const draws: readonly (readonly [weight: number, act: () => void])[] = [
    [30, () => yard.state.tasks.tasks.size < 25 && tell(drawTask())],
    [30, () => one(tasks("assigned"), (task) => tell(end(task)))],
    [6, () => one(tasks("retrying"), ({ id }) => tell({ type: "task.queued", data: { id } }))],
    [
      4,
      () =>
        one(tasks("queued"), ({ id, attempt }) =>
          tell({ type: "task.cancelled", data: { id, attempt, reason: "drawn", running: false } }),
        ),
    ],
    [8, () => one(over(), (held) => tell({ type: "slot.released", data: held }))],
    [5, join],
    [4, () => one([...yard.state.agents.links.values()], leave)],
    [
      2,
      () =>
        one([...yard.state.agents.links.values()], ({ id: link, agent, strained }) =>
          tell({ type: "link.strained", data: { link, agent, strained: !strained } }),
        ),
    ],
    [
      1,
      () =>
        one([...yard.state.agents.links.values()], ({ id: link, agent }) =>
          tell({ type: "link.worn", data: { link, agent } }),
        ),
    ],
    [4, register],
    [
      1,
      () =>
        one([...yard.state.agents.agents.values()], ({ id }) =>
          tell({ type: "agent.unregistered", data: { id, mode: "kill" } }),
        ),
    ],
    [3, setLimit],
    [
      1,
      () =>
        one([...yard.state.limits.limits.values()], ({ id: name }) => {
          model.changeRate(name, undefined, false);
          tell({ type: "limit.removed", data: { name } });
        }),
    ],
    [0.1, restart],
  ];

  function drawTask(): CoreFact {
    const id = `t${String(++count)}`;
    const retry = { maxAttempts: 3, base: 1, factor: 1, cap: 1, jitter: "none" } as const;
    const key = chance.pick(["k0", "k1", "k2"]);
    const limits = chance
      .shuffle(["x", "y", "z"])
      .slice(0, chance.below(3))
      .map((limit) => ({ limit, ...(chance.once(2) && { key: chance.pick(["p", "q", "r"]) }) }));
    const data = {
      id,
      capabilities: some(),
      priority: chance.pick(PRIORITIES),
      retry,
      timeout: 40_000,
      input: "1",
      ...(!chance.once(3) && { fairness: { key, weight: WEIGHTS[key] ?? 1 } }),
      ...(limits.length > 0 && { limits }),
      ...(chance.once(3) && { optional: some() }),
      ...(chance.once(4) && { agents: { maxLoad: chance.pick([0, 0.3, 0.5, 1]), exclude: [agentName()] } }),
      ...(chance.once(5) && { deadline: yard.now + chance.below(200_000) }),
    };
    return { type: "task.created", data };
  }
  function over(): { link: string; task: string; attempt: number }[] {
    return [...yard.state.agents.holdings.values()]
      .filter(({ task, attempt }) => {
        const now = yard.state.tasks.tasks.get(task);
        return now?.status !== "assigned" || now.attempt !== attempt;
      })
      .map(({ link, task, attempt }) => ({ link, task, attempt }));
  }
  function join(): void {
    const [agent, link] = [`${agentName()}@1.0.0`, `link${String(chance.below(12))}`];
    const slots = yard.state.agents.agents.get(agent)?.slots;
    if (slots !== undefined && !yard.state.agents.links.has(link))
      tell({ type: "link.joined", data: { link, agent, session: "page", slots } });
  }
  function register(): void {
    const registered = registerAgent(agentName(), { capabilities: some(), slots: 1 + chance.below(3) });
    tell({ type: "agent.registered", data: registered.data });
  }
  function setLimit(): void {
    const name = chance.pick(["x", "y", "z", "*"]);
    const perKey = name !== "*" && chance.once(2);
    const rate = chance.once(2)
      ? { count: 1 + chance.below(3), per: 100 * (1 + chance.below(20)), ...(chance.once(2) && { burst: 2 }) }
      : undefined;
    const concurrency = rate && chance.once(2) ? {} : { concurrency: chance.below(name === "*" ? 12 : 4) };
    model.changeRate(name, rate, perKey);
    tell({ type: "limit.set", data: { name, ...(perKey && { perKey }), ...(rate && { rate }), ...concurrency } });
  }
  function restart(): void {
    if (chance.once(2)) {
      yard.restart();
      model.even();
      return;
    }
    const running = tasks("assigned");
    tell({ type: "host.started", data: { epoch: 1 } });
    model.even();
    for (const { id, attempt, link = "" } of running)
      tell({ type: "task.interrupted", data: { id, attempt, link, reason: "restart" } });
  }
  const whole = draws.reduce((sum, [weight]) => sum + weight, 0);
  return () => {
    let place = chance.next() * whole;
    for (const [weight, act] of draws) {
      place -= weight;
      if (place >= 0) continue;
      act();
      return;
    }
  };
}
