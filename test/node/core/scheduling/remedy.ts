/** Does what `whyWaiting` says would end the wait, one obstacle after the other, until the task starts. */
import assert from "node:assert/strict";
import type { Agent, Holding } from "../../../../src/core/agents/agent.ts";
import { ManifestSchema, type Manifest } from "../../../../src/core/agents/manifest.ts";
import type { CoreCommand } from "../../../../src/core/runtime.ts";
import type { Waiting } from "../../../../src/core/scheduling/why.ts";
import { isActive } from "../../../../src/core/tasks/task.ts";
import type { Execution } from "../../../../src/core/workflows/execution.ts";
import type { Desk } from "./desk.ts";

/** So many obstacles, and tasks that go before, at most. */
const MOST_ROUNDS = 1_000;

/** started: an agent has it · ended: while its obstacles were taken away one of its times was over, or a task's before it. */
export type Outcome = "started" | "ended";

export function remedy(desk: Desk, id: string): Outcome {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const told = desk.why(id);
    if (!told) return "ended";
    if (told.reason === "running") return "started";
    act(desk, id, told);
    const then = desk.why(id);
    if (isEndedByAct(told)) assert.notEqual(then?.reason, told.reason, `it was ended, and still: ${told.text}`);
  }
  return assert.fail(`after ${String(MOST_ROUNDS)} rounds: ${JSON.stringify(desk.why(id))}`);
}

/** One act ends these; of the others somebody else may take what gets free, or more is needed. */
function isEndedByAct({ reason }: Waiting): boolean {
  return ["paused", "retry", "start-at", "draining", "capability", "offline"].includes(reason);
}

function act(desk: Desk, id: string, told: Waiting): void {
  switch (told.reason) {
    case "retry":
    case "start-at":
      waitUntil(desk, id, told, told.at);
      return;
    case "dependency":
      endOne(desk, id, told.open[0] ?? "");
      return;
    case "draining":
      reopen(desk, told.agents[0] ?? "");
      return;
    case "capability":
      equip(desk, id, told);
      return;
    case "offline":
      bringUp(desk, told.agents[0] ?? "");
      return;
    case "limit":
      makeRoom(desk, id, told);
      return;
    case "capacity":
      freeSlot(desk, new Set(told.agents.map((one) => one.id)));
      return;
    case "paused":
      resume(desk, told.execution);
      return;
    default:
      return assert.fail(told.text);
  }
}

/** The run, and those that it is a part of. */
function resume(desk: Desk, execution: string): void {
  for (let id: string | undefined = execution; id !== undefined;) {
    const run: Execution | undefined = desk.state.workflows.executions.get(id);
    if (run?.status === "paused") ask(desk, { type: "execution.resume", data: { id } });
    id = run?.parent?.execution;
  }
}

function ask(desk: Desk, command: CoreCommand): void {
  assert.equal(desk.submit(command), undefined, JSON.stringify(command));
}

/** A moment before, it still waits for that. */
function waitUntil(desk: Desk, id: string, told: Waiting, at: number): void {
  assert.ok(at > desk.now);
  desk.moveTo(at - 1);
  const just = desk.why(id);
  if (just) assert.equal(just.reason, told.reason, `${told.text}, but earlier: ${just.text}`);
  desk.moveTo(at);
}

/** One of the tasks before it ends well: one less is needed. */
function endOne(desk: Desk, id: string, before: string): void {
  if (remedy(desk, before) === "ended") return;
  const told = desk.why(id); // others may have ended on the way, and times have passed
  const { attempt = 0 } = desk.state.tasks.tasks.get(before) ?? {};
  ask(desk, { type: "task.complete", data: { id: before, attempt, output: "2" } });
  if (told?.reason !== "dependency") return;
  const after = desk.why(id);
  if (told.needs === 1) assert.ok(after && after.reason !== "dependency");
  else assert.ok(after?.reason === "dependency" && after.needs === told.needs - 1 && !after.open.includes(before));
}

function manifestOf(agent: Agent): CoreCommand {
  const fields = Object.keys(ManifestSchema.entries) as (keyof Manifest)[];
  const manifest = Object.fromEntries(fields.map((field) => [field, agent[field]]));
  return { type: "agent.register", data: { ...(manifest as unknown as Manifest), replace: true } };
}

function reopen(desk: Desk, id: string): void {
  const agent = desk.state.agents.agents.get(id);
  assert.ok(agent);
  ask(desk, manifestOf(agent));
  ask(desk, { type: "agent.switch", data: { id, offline: false } });
}

/** The nearest agent gets what it lacks; where there is none that could, a new one comes. */
function equip(desk: Desk, id: string, { nearest }: Waiting & { readonly reason: "capability" }): void {
  const known = nearest.find(({ lacks }) => lacks.every(({ kind }) => kind !== "constraint"));
  const agent = known && desk.state.agents.agents.get(known.agent);
  const task = desk.state.tasks.tasks.get(id);
  assert.ok(task);
  if (!agent) {
    const data = { name: "new", version: "1.0.0", url: "/new.js", trusted: false, network: [], workers: 1, slots: 1 };
    ask(desk, { type: "agent.register", data: { ...data, capabilities: task.capabilities.slice(), replace: true } });
    return;
  }
  const more = known.lacks.flatMap((lack) => (lack.kind === "capability" ? [lack.name] : []));
  ask(desk, manifestOf({ ...agent, capabilities: [...agent.capabilities, ...more] }));
  ask(desk, { type: "agent.switch", data: { id: agent.id, offline: false } });
}

let links = 0;

function bringUp(desk: Desk, agent: string): void {
  const silent = desk.links.find((link) => link.agent === agent && link.silent);
  if (silent) ask(desk, { type: "link.hear", data: { link: silent.id } });
  else ask(desk, { type: "link.join", data: { link: `brought${String(++links)}`, agent, session: "page" } });
}

/** Of a bucket: the moment when it has a token, and not one before. Else an attempt that counts ends. */
function makeRoom(desk: Desk, id: string, told: Waiting & { readonly reason: "limit" }): void {
  const { limit, key, freesAt } = told;
  if (freesAt !== undefined) {
    waitUntil(desk, id, told, freesAt);
    return;
  }
  const { limits, holdings, agents } = { ...desk.state.limits, agents: desk.state.agents };
  const isPerKey = limits.get(limit)?.perKey ?? false;
  const counts = ({ id: holding }: Holding): boolean =>
    limit === "*" ||
    (holdings.get(holding)?.limits ?? []).some((use) => use.limit === limit && (!isPerKey || (use.key ?? "") === key));
  const held = [...agents.holdings.values()].find(counts);
  assert.ok(held, `nothing holds ${limit}`);
  giveBack(desk, held);
}

function giveBack(desk: Desk, { task: id, attempt, link }: Holding): void {
  const task = desk.state.tasks.tasks.get(id);
  if (task?.attempt === attempt && isActive(task))
    ask(desk, { type: "task.complete", data: { id, attempt, output: "2" } });
  else ask(desk, { type: "slot.release", data: { link, task: id, attempt } });
}

/** An attempt ends; a worker that is silent or strained isn't any more, one that is spent is replaced. */
function freeSlot(desk: Desk, agents: ReadonlySet<string>): void {
  const own = desk.links.filter(({ agent }) => agents.has(agent));
  const silent = own.find((link) => link.silent);
  if (silent) {
    ask(desk, { type: "link.hear", data: { link: silent.id } });
    return;
  }
  const strained = own.find((link) => link.strained);
  if (strained) {
    ask(desk, { type: "link.strain", data: { link: strained.id, strained: false } });
    return;
  }
  const spent = own.find(
    ({ agent, given = 0, worn }) => worn ?? given >= (desk.state.agents.agents.get(agent)?.recycleAfter ?? Infinity),
  );
  if (spent) {
    // Its attempts end before it is replaced: interrupted ones would come first again, and spend the next one.
    const last = [...desk.state.agents.holdings.values()].find(({ link }) => link === spent.id);
    if (last) {
      giveBack(desk, last);
      return;
    }
    ask(desk, { type: "link.leave", data: { link: spent.id, cause: "closed" } });
    bringUp(desk, spent.agent);
    return;
  }
  const ids = own.map(({ id }) => id);
  const held = [...desk.state.agents.holdings.values()].find(({ link }) => ids.includes(link));
  assert.ok(held, "no slot is taken");
  giveBack(desk, held);
}
