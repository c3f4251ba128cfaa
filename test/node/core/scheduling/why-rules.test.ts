/** `whyWaiting` over the whole life of tasks, decided by the rules: dependencies, times, retries, pools that drain. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreCommand, CoreFact } from "../../../../src/core/runtime.ts";
import { isActive } from "../../../../src/core/tasks/task.ts";
import { createChance, roundsOf, seedOf, type Chance } from "../chance.ts";
import { createLife } from "../life.ts";
import { complete, fail } from "../things.ts";
import { createDesk, type Desk } from "./desk.ts";
import { remedy } from "./remedy.ts";
import { createModel } from "./model.ts";
import { checkTrue, type History } from "./truth.ts";

const STEPS = roundsOf(100_000);
const MOST_TASKS = 25;
const MOST_LINKS = 15;
const seed = seedOf(9_001);

interface Watched {
  readonly desk: Desk;
  readonly history: History;
}

/** A desk whose facts are written down, for the brute force. */
function watched(chance: Chance): Watched {
  const ends = new Map<string, boolean>();
  const onFact = ({ type, data }: CoreFact): void => {
    if (type === "task.assigned") {
      const task = desk.state.tasks.tasks.get(data.id);
      assert.ok(task);
      model.started(task, data.attempt);
    } else if (type === "limit.set") model.changeRate(data.name, data.rate, data.perKey ?? false);
    else if (type === "limit.removed") model.changeRate(data.name, undefined, false);
    else if (type === "limit.refilled")
      model.ledger.buckets.delete(data.id.replace("\n", "|")); // full: all of a new rate
    else if (type === "task.completed") ends.set(data.id, true);
    else if (type === "task.cancelled" || type === "task.skipped") ends.set(data.id, false);
    else if (type === "task.failed" && data.retryAt === undefined) ends.set(data.id, false);
  };
  const desk = createDesk({ chance, onFact });
  const model = createModel(desk);
  return {
    desk,
    history: {
      get ledger() {
        model.settle();
        return model.ledger;
      },
      ends,
    },
  };
}

/** What workers say, sooner or later. */
function answerSome(desk: Desk, chance: Chance): void {
  for (const { id, attempt } of desk.tasks.filter(isActive)) {
    if (chance.once(6)) desk.submit(chance.once(3) ? fail(id, attempt) : complete(id, attempt));
    else if (chance.once(12)) desk.submit({ type: "task.start", data: { id, attempt } });
  }
  for (const { link, task, attempt } of [...desk.state.agents.holdings.values()])
    if (chance.once(6)) desk.submit({ type: "slot.release", data: { link, task, attempt } });
}

/** The life's commands, with demands on agents that it doesn't draw, and no more tasks and workers than a check can look at. */
function place(desk: Desk, chance: Chance, command: CoreCommand): void {
  if (command.type === "execution.start" && desk.tasks.length >= MOST_TASKS) return;
  if (command.type === "link.join" && desk.links.length >= MOST_LINKS) return;
  if (command.type !== "task.create") {
    desk.submit(command);
    return;
  }
  if (desk.tasks.length >= MOST_TASKS) return;
  const maxLoad = chance.pick([0, 0.5, 1]);
  const agents = { ...(chance.once(2) && { maxLoad }), ...(chance.once(2) && { exclude: ["agent0"] }) };
  const more = { ...(chance.once(5) && { agents }), ...(chance.once(6) && { optional: ["c"] }) };
  desk.submit({ ...command, data: { ...command.data, ...more } });
}

describe(`whyWaiting and the rules (seed ${String(seed)})`, () => {
  it("names the first obstacle with its data, and whoever ends one after the other has the task started", () => {
    const chance = createChance(seed);
    const { desk, history } = watched(chance);
    const life = createLife(chance, "", () => desk.now);
    const living = {
      engine: { state: desk.state, head: 0 },
      push(...commands: readonly CoreCommand[]) {
        for (const command of commands) place(desk, chance, command);
      },
    };
    const counts = new Map<string, number>();
    const count = (what: string): Map<string, number> => counts.set(what, (counts.get(what) ?? 0) + 1);
    for (let step = 0; step < STEPS; step++) {
      const pause = life(living);
      answerSome(desk, chance);
      if (chance.once(2_000)) desk.submit({ type: "host.start", data: { epoch: 2 } });
      desk.moveTo(desk.now + (chance.once(200) ? 40_000 : pause >> 1));
      if (step % 40 > 0) continue;
      desk.submit({ type: "limit.wake", data: { id: "" } }); // ranks are those of this moment
      for (const task of desk.tasks) {
        const told = desk.why(task.id);
        assert.ok(told && told.task === task.id && told.text.length > 0);
        checkTrue(desk, history, task, told);
        count(told.reason);
        if (told.reason !== "running" && chance.once(120)) count(remedy(desk.copy(), task.id));
      }
    }
    const reasons = ["running", "paused", "retry", "start-at", "dependency", "capability", "draining", "offline"];
    for (const reason of [...reasons, "limit", "capacity", "started"])
      assert.ok((counts.get(reason) ?? 0) > STEPS / 1_000, `${reason}: ${JSON.stringify([...counts])}`);
  });
});
