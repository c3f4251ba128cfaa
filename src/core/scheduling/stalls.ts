/**
 * Which runs stand still, and why. An outermost run is looked at when nothing of it has happened for its `stallAfter`:
 * it is stalled when something of it can't go on without help, and nothing of it is on its way. Waiting for people, for
 * messages or for a time is no stall. As the scheduler it is an index that follows from the state; it costs an event one
 * look-up, and a run that moves is moved in the queue only when it is looked at.
 */
import { requirementKey } from "../agents/matching.ts";
import type { Request } from "../kernel.ts";
import type { Task } from "../tasks/task.ts";
import { createDueQueue, type DueQueue } from "../timers/due-queue.ts";
import type { Execution } from "../workflows/execution.ts";
import { openWork } from "../workflows/open-work.ts";
import type { PausingView } from "../workflows/pausing.ts";
import { runOf } from "../workflows/moves.ts";
import { STALL_AFTER, type StallCause } from "../workflows/stall.ts";
import { waitingSince } from "./queue.ts";
import type { Scheduler, SchedulerView } from "./scheduler.ts";
import { whyWaiting, type Waiting } from "./why.ts";

type View = SchedulerView & PausingView;

/** Causes that are told, at most. */
const MOST = 10;

/** A host that has just begun waits so long, in milliseconds, for pages and workers to come before it looks at runs. */
const ARRIVAL = 60_000;

interface State {
  readonly view: View;
  readonly scheduler: Scheduler;
  readonly due: DueQueue;
  /** The runs that are in it. */
  readonly watched: Set<string>;
  /** Those that are due, while a turn comes to them; the first one last. */
  readonly found: string[];
  /** Since when the host has been there; undefined: it begins with this turn. */
  from: number | undefined;
}

/** The scheduler, which also finds runs that stand still. */
export function watchStalls(view: View, scheduler: Scheduler): Scheduler {
  const state: State = { view, scheduler, due: createDueQueue(), watched: new Set(), found: [], from: undefined };
  return {
    ...scheduler,
    follow(type, data) {
      scheduler.follow(type, data);
      if (type === "host.started") state.from = undefined;
      const run = runOf(type, data as Parameters<typeof runOf>[1]);
      if (run !== undefined && type !== "execution.stalled") watch(state, run);
    },
    next(now) {
      if (state.from === undefined) begin(state, now);
      return scheduler.next(now) ?? next(state, now);
    },
    nextDue() {
      const [own = Infinity, other = Infinity] = [state.due.next(), scheduler.nextDue()];
      return Math.min(own, other) === Infinity ? undefined : Math.min(own, other);
    },
  };
}

/** Work that runs is queued again after a restart, before any worker is there: that is no stall yet. */
function begin(state: State, now: number): void {
  state.from = now;
  for (const { id } of state.view.workflows.executions.values()) watch(state, id);
}

/** Sees that the run is looked at, if it is one to look at. */
function watch({ view, due, watched, from = 0 }: State, id: string): void {
  const run = view.workflows.executions.get(id);
  if (!run) {
    if (watched.delete(id)) due.delete(id);
  } else if (!watched.has(id) && isWatched(run)) {
    const after = stallAfter(view, run);
    if (after === 0) return;
    watched.add(id);
    due.set(id, Math.max(movedAt(view, run) + after, from + Math.min(after, ARRIVAL)));
  }
}

function isWatched({ parent, status, stalled }: Execution): boolean {
  return !parent && status !== "paused" && !stalled;
}

function stallAfter({ workflows: { versions } }: View, { workflow, version }: Execution): number {
  return versions.get(`${workflow}@${version}`)?.stallAfter ?? STALL_AFTER;
}

function movedAt({ workflows }: View, { id, startedAt }: Execution): number {
  return workflows.moves.get(id)?.at ?? startedAt;
}

/** The next run that is found to stand still. */
function next(state: State, now: number): Request | undefined {
  const { due, found, watched } = state;
  for (;;) {
    if (found.length === 0 && (due.next() ?? Infinity) <= now) found.push(...due.take(now).reverse());
    const id = found.pop();
    if (id === undefined) return undefined;
    watched.delete(id);
    const stall = check(state, id, now);
    if (stall) return stall;
  }
}

/** Tells of a run that stands still; any other is looked at again later, or when it moves. */
function check(state: State, id: string, now: number): Request | undefined {
  const { view, due, watched } = state;
  const run = view.workflows.executions.get(id);
  if (!run || !isWatched(run)) return undefined;
  const after = stallAfter(view, run);
  let since = movedAt(view, run);
  if (since + after <= now) {
    const seen = look(state, run, now);
    since = Math.max(since, seen.since);
    const isOver = since + after <= now;
    const cause = [...seen.needs, ...seen.waits].slice(0, MOST);
    if (isOver && !seen.moves && seen.needs.length > 0) return { type: "execution.stall", data: { id, since, cause } };
    if (isOver && !seen.hasTasks) return undefined; // what it waits for ends with an event of the run
  }
  watched.add(id);
  due.set(id, since + after > now ? since + after : now + after);
  return undefined;
}

/** What the open work of a run waits for. */
interface Seen {
  /** Something of it runs, or will as soon as others make room. */
  moves: boolean;
  hasTasks: boolean;
  /** When the latest of its tasks began to wait. */
  since: number;
  readonly needs: StallCause[];
  readonly waits: StallCause[];
}

const HELPLESS: ReadonlySet<string> = new Set<Waiting["reason"]>(["capability", "draining", "offline"]);
const TIMED: ReadonlySet<string> = new Set<Waiting["reason"]>(["retry", "start-at"]);

function look({ view, scheduler: { index } }: State, root: Execution, now: number): Seen {
  const seen: Seen = { moves: false, hasTasks: false, since: 0, needs: [], waits: [] };
  const known = new Map<string, Waiting>(); // what holds for all tasks that need the same
  const add = (list: StallCause[], at: string, code: string, message: string, task?: string): void => {
    if (list.length < MOST) list.push({ node: at.slice(root.id.length + 1), ...(task && { task }), code, message });
  };
  const lose = (id: string): void => {
    add(seen.needs, id, "lost", "nobody has its work; resumeWorkflow begins it again");
  };
  const lookAt = (task: Task): void => {
    const { execution = "", node = "" } = task.parent ?? {};
    const key = requirementKey(task);
    const why = known.get(key) ?? whyWaiting(view, index, task.id, now);
    seen.hasTasks = true;
    seen.since = Math.max(seen.since, waitingSince(task));
    if (!why || why.reason === "paused") return; // told once, of the run
    const { reason, text } = why;
    const isHelpless = HELPLESS.has(reason);
    if (isHelpless) known.set(key, why);
    if (isHelpless || isShut(view, why)) add(seen.needs, `${execution}/${node}`, reason, text, task.id);
    else if (TIMED.has(reason)) add(seen.waits, `${execution}/${node}`, reason, text, task.id);
    else seen.moves = true;
  };
  const visit = (run: Execution): void => {
    if (run.status === "paused") add(seen.needs, run.id, "paused", "this run within it is paused");
    const { tasks, approvals, children = [], timers = [], waits = [] } = openWork(view.workflows, run);
    for (const id of tasks) {
      if (seen.moves) return;
      const task = view.tasks.tasks.get(id);
      if (task) lookAt(task);
      else lose(id);
    }
    const { watchers } = view.tasks.meters;
    const isMonitor = (id: string): boolean => watchers.has(id);
    const others = [
      ["approval", approvals, view.approvals.approvals],
      ["timer", timers.filter((id) => !isMonitor(id)), view.timers.timers], // a monitor may have no timeout
      ["monitor", waits.filter(isMonitor), watchers],
      ["event", waits.filter((id) => !isMonitor(id)), view.messages.waits],
    ] as const;
    for (const [code, ids, open] of others)
      for (const id of ids)
        if (open.has(id)) add(seen.waits, id, code, `it waits for its ${code}`);
        else lose(id);
    if ([tasks, approvals, children, timers, waits].every(({ length }) => length === 0))
      add(seen.needs, run.id, "stuck", "nothing of it runs; resumeWorkflow looks at every node again");
    for (const id of children) {
      const child = view.workflows.executions.get(id);
      if (child && !seen.moves) visit(child);
    }
  };
  visit(root);
  return seen;
}

/** A limit that lets nothing run at all. */
function isShut({ limits }: View, why: Waiting): boolean {
  return why.reason === "limit" && limits.limits.get(why.limit)?.concurrency === 0;
}
