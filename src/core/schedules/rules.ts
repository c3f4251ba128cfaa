import { encodeRefusal, RuntimeError } from "../errors.ts";
import { checkJson, decodeJson } from "../json.ts";
import type { Env, FactOf, Request, Rules } from "../kernel.ts";
import { MAX_INLINE } from "../payload/reference.ts";
import type { WorkflowEvents } from "../workflows/execution.ts";
import type { WorkflowsState } from "../workflows/fold.ts";
import type { SchedulesState } from "./fold.ts";
import { planNext, timesOf, type Times } from "./times.ts";
import {
  MAX_RUNNING,
  MAX_SCHEDULES,
  MAX_WAITING,
  runOf,
  scheduleOf,
  type Schedule,
  type ScheduleCommands,
  type ScheduleEvents,
  type ScheduleSettings,
  type SkipReason,
} from "./schedule.ts";

export interface SchedulesView {
  readonly schedules: SchedulesState;
  readonly workflows: WorkflowsState;
}

type ScheduleFact = FactOf<ScheduleEvents>;
type Heard = ScheduleEvents & WorkflowEvents;

export const schedulesRules: Rules<SchedulesView, ScheduleCommands, ScheduleEvents, Heard> = {
  decide: {
    "schedule.set": set,
    "schedule.remove": ({ schedules }, { id }) => {
      if (!schedules.schedules.has(id)) throw new RuntimeError("schedule/unknown", { id });
      return [{ type: "schedule.removed", data: { id } }];
    },
    "schedule.wake": ({ schedules }, { id }, env) => {
      const schedule = schedules.schedules.get(id);
      if (schedule?.dueAt === undefined || schedule.dueAt > env.now) return [];
      try {
        return fire(schedule, env);
      } catch (error) {
        return [{ type: "schedule.failed", data: { id, error: encodeRefusal(error) } }];
      }
    },
    "schedule.drain": ({ schedules }, { id }) => {
      const schedule = schedules.schedules.get(id);
      const [at] = schedule?.waiting ?? [];
      if (!schedule || at === undefined || schedule.running.length > 0) return [];
      return [fired(schedule, at, { waited: true })];
    },
  },
  react: {
    "schedule.fired": (_view, { execution: id, cancels, workflow, input, priority, setBy }) => [
      ...cancels.map((run): Request => {
        return { type: "execution.cancel", data: { id: run, reason: "the next run of the schedule is due" } };
      }),
      {
        type: "execution.launch",
        data: { id, workflow, input, priority, ...(setBy !== undefined && { actor: { id: setBy } }) },
      },
    ],
    "execution.refused": drain,
    "execution.completed": drain,
    "execution.failed": drain,
    "execution.cancelled": drain,
  },
};

function drain({ schedules }: SchedulesView, { id: run }: { readonly id: string }): Request[] {
  const id = scheduleOf(run);
  const waits = (schedules.schedules.get(id)?.waiting.length ?? 0) > 0;
  return waits ? [{ type: "schedule.drain", data: { id } }] : [];
}

function set(
  { schedules: { schedules }, workflows }: SchedulesView,
  { actor, ...settings }: ScheduleCommands["schedule.set"],
  env: Env,
): ScheduleFact[] {
  const { id, workflow, input, startAt = 0, endAt = Infinity } = settings;
  const known = schedules.get(id);
  if (known && !known.error && isSame(known, settings) && known.setBy === actor?.id) return [];
  if (!workflows.active.has(workflow)) throw new RuntimeError("workflow/unknown", { workflow });
  decodeJson(checkJson(input, "input", MAX_INLINE), "input");
  if (endAt <= startAt)
    throw new RuntimeError("schedule/invalid", { startAt, endAt, reason: "it ends before it starts" });
  if (!known && schedules.size >= MAX_SCHEDULES) throw new RuntimeError("runtime/limit", { schedules: MAX_SCHEDULES });
  checkJitter(settings, env);
  // A moment that was dealt with doesn't come again, also when the clock was set back.
  const next = settings.paused ? {} : planNext(settings, Math.max(env.now, known?.lastAt ?? 0), env);
  return [{ type: "schedule.set", data: { ...settings, ...next, ...(actor && { setBy: actor.id }) } }];
}

/** Also checks pattern and time zone. @throws RuntimeError `schedule/invalid` */
function checkJitter({ cron, timeZone, jitter }: ScheduleSettings, { now, calendar }: Env): void {
  let at = calendar.next(cron, timeZone, now);
  if (at === undefined) throw new RuntimeError("schedule/invalid", { cron, reason: "it never fires" });
  for (let looked = 0; jitter > 0 && looked < 10; looked++) {
    const next = calendar.next(cron, timeZone, at);
    if (next === undefined) return;
    if (next - at <= jitter)
      throw new RuntimeError("schedule/invalid", {
        jitter,
        between: next - at,
        reason: "longer than between two runs",
      });
    at = next;
  }
}

function isSame(known: Schedule, settings: ScheduleSettings): boolean {
  const { setAt, nextAt, dueAt, lastAt, running, waiting, fired: _fired, skipped, error, setBy, ...before } = known;
  const text = (value: object): string =>
    JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
  return text(before) === text(settings);
}

/** What is due of a schedule: what was missed is told, runs begin as far as the policies say, the next moment is planned. */
function fire(schedule: Schedule, env: Env): ScheduleFact[] {
  const times = timesOf(schedule, env);
  const { id } = schedule;
  const { from, to, count, more } = times.missed;
  const missed = { id, reason: "missed", from, to, count, ...(more && { more }) } as const;
  return [
    ...(count > 0 ? [{ type: "schedule.skipped", data: missed } as const] : []),
    ...begin(schedule, times),
    { type: "schedule.planned", data: { id, lastAt: times.lastAt, ...planNext(schedule, times.lastAt, env) } },
  ];
}

function begin(schedule: Schedule, { due }: Times): ScheduleFact[] {
  const { id, overlap } = schedule;
  const facts: ScheduleFact[] = [];
  const skipped: Partial<Record<SkipReason, number[]>> = {};
  let running = schedule.running;
  let waiting = schedule.waiting.length;
  for (const at of due) {
    const isFull = overlap === "allow" && running.length >= MAX_RUNNING;
    if (!isFull && (overlap === "allow" || overlap === "cancel-running" || running.length + waiting === 0)) {
      facts.push(fired(schedule, at, { cancels: overlap === "cancel-running" ? running : [] }));
      running = overlap === "cancel-running" ? [runOf(id, at)] : [...running, runOf(id, at)];
    } else if (overlap === "queue" && waiting < MAX_WAITING) {
      facts.push({ type: "schedule.queued", data: { id, at } });
      waiting++;
    } else (skipped[overlap === "skip" ? "overlap" : "full"] ??= []).push(at);
  }
  for (const [reason, list] of Object.entries(skipped) as [SkipReason, number[]][]) {
    const [from = 0, to = from] = [list[0], list.at(-1)];
    facts.push({ type: "schedule.skipped", data: { id, reason, from, to, count: list.length } });
  }
  return facts;
}

function fired(
  { id, workflow, input, priority, setBy }: Schedule,
  at: number,
  { cancels = [], waited = false }: { readonly cancels?: readonly string[]; readonly waited?: boolean },
): ScheduleFact {
  const run = { id, at, execution: runOf(id, at), cancels: [...cancels], workflow, input, priority };
  const who = setBy === undefined ? {} : { setBy };
  return { type: "schedule.fired", data: { ...run, ...(waited && { waited }), ...who } };
}
