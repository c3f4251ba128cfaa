/** The rules and the scheduler without a journal: commands are decided and folded at once, and a desk can be copied. */
import { calendar } from "../../../../src/calendar/cron.ts";
import type { Link } from "../../../../src/core/agents/agent.ts";
import type { ErrorData } from "../../../../src/core/errors.ts";
import type { Env } from "../../../../src/core/kernel.ts";
import { applyEvent, restoreState, saveState, type CoreCommand, type CoreFact } from "../../../../src/core/runtime.ts";
import { createScheduler } from "../../../../src/core/scheduling/scheduler.ts";
import { whyWaiting, type Waiting } from "../../../../src/core/scheduling/why.ts";
import { createStage } from "../../../../src/core/stage.ts";
import type { Task } from "../../../../src/core/tasks/task.ts";
import { createTurn } from "../../../../src/core/turn.ts";
import { createChance, type Chance } from "../chance.ts";
import { START } from "../kit.ts";
import type { Yard } from "./yard.ts";

export interface Desk extends Yard {
  /** Gives why it was refused, if it was. */
  submit(command: CoreCommand): ErrorData | undefined;
  /** Goes on to a moment, and does what is due on the way at its time. */
  moveTo(moment: number): void;
  /** Another one of the same state, with a scheduler that was built anew. */
  copy(): Desk;
  why(id: string): Waiting | undefined;
  readonly tasks: readonly Task[];
  readonly links: readonly Link[];
}

export interface DeskOptions {
  readonly chance: Chance;
  /** Told of each fact before it is folded. */
  readonly onFact?: (fact: CoreFact) => void;
  readonly saved?: string;
  readonly now?: number;
}

/** What is due, in the order of the stage's queues. */

export function createDesk({ chance, onFact, saved, now = START }: DeskOptions): Desk {
  const stage = createStage();
  const { state, due } = stage;
  if (saved !== undefined) restoreState(state, saved);
  const scheduler = createScheduler(state);
  const turn = createTurn(state, scheduler);
  let ids = 0;
  const record = (fact: unknown, at: number): void => {
    onFact?.(fact as CoreFact);
    applyEvent(state, { ...(fact as CoreFact), at });
    stage.finished.length = 0;
  };
  const desk: Desk = {
    state,
    scheduler,
    now,
    get tasks() {
      return [...state.tasks.tasks.values()];
    },
    get links() {
      return [...state.agents.links.values()];
    },
    submit(command) {
      const env: Env = { now: desk.now, random: chance.next, id: () => `id${String(++ids)}`, calendar };
      return turn(command, env, record);
    },
    moveTo(moment) {
      for (let next = nextDue(); next !== undefined && next <= moment; next = nextDue()) {
        desk.now = Math.max(desk.now, next);
        wake();
      }
      desk.now = Math.max(desk.now, moment);
    },
    copy() {
      const copied = createDesk({ chance: createChance(1), saved: saveState(state), now: desk.now });
      copied.submit({ type: "limit.wake", data: { id: "" } }); // the first command, as a host's `host.start` is
      return copied;
    },
    why: (id) => whyWaiting(state, scheduler.index, id, desk.now),
    tell() {
      throw new Error("it decides for itself");
    },
    restart() {
      throw new Error("copy it");
    },
  };
  const nextDue = (): number | undefined => {
    const times = [...due.values(), { next: scheduler.nextDue }].flatMap((queue) => queue.next() ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  };
  const wake = (): void => {
    for (const [type, queue] of due)
      for (const id of queue.take(desk.now)) desk.submit({ type, data: { id } } as CoreCommand);
    if ((scheduler.nextDue() ?? Infinity) <= desk.now) desk.submit({ type: "limit.wake", data: { id: "" } });
  };
  return desk;
}
