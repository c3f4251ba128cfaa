/** Rules of tasks: what the journal says of them, held against itself and against what agents saw. */
import { textOf, type Claim, type Data, type Rules } from "./rule.ts";

/** A task as the oracle knows it. */
export interface KnownTask {
  readonly id: string;
  readonly after: { readonly tasks: readonly string[]; readonly when?: unknown } | undefined;
  readonly parent: { readonly execution: string; readonly node: string } | undefined;
  attempt: number;
  /** The link of the active attempt. */
  link: string | undefined;
  uses: readonly string[];
  ended: "completed" | "failed" | "cancelled" | "skipped" | undefined;
  output: string | undefined;
  /** Results of effects that the journal holds. */
  readonly effects: Map<string, string>;
  /** Keys of those that the present attempt was given. */
  given: ReadonlySet<string>;
  /** The last checkpoint, as JSON, and the one that the present attempt was given. */
  checkpoint: string | undefined;
  givenCheckpoint: string | undefined;
}

/** What workers did: told by the agents themselves. */
export interface Performed {
  /** Outputs that were given, by `task#attempt`. */
  readonly outputs: Map<string, Set<string>>;
  readonly began: Set<string>;
}

export interface TaskRules {
  readonly rules: Rules;
  readonly tasks: ReadonlyMap<string, KnownTask>;
  /** Ids that stand for another task. */
  readonly aliases: ReadonlyMap<string, string>;
}

interface State {
  readonly claim: Claim;
  readonly performed: Performed;
  readonly tasks: Map<string, KnownTask>;
  readonly links: Map<string, { readonly slots: number; readonly held: Set<string> }>;
  readonly limits: Map<string, { readonly concurrency: number | undefined; readonly perKey: boolean }>;
  readonly inUse: Map<string, number>;
  /** Every attempt that there was. */
  readonly tokens: Set<string>;
}

/** `whole` puts long payloads in the places where they are named. */
export function createTaskRules(claim: Claim, performed: Performed, whole: (text: string) => string): TaskRules {
  const state: State = {
    claim,
    performed,
    tasks: new Map(),
    links: new Map(),
    limits: new Map(),
    inUse: new Map(),
    tokens: new Set(),
  };
  const aliases = new Map<string, string>();
  const { tasks } = state;
  const current = (data: Data, what: string): KnownTask | undefined => currentOf(state, data, what);
  const rules: Rules = {
    "task.created": ({ id, after, parent }) => {
      claim(!tasks.has(textOf(id)), "once", () => `task ${textOf(id)} was created twice`);
      tasks.set(textOf(id), newTask(textOf(id), after, parent));
    },
    "task.aliased": ({ id, of }) => void aliases.set(textOf(id), textOf(of)),
    "task.assigned": (data) => {
      assign(state, data);
    },
    "task.started": (data) => void current(data, "was started"),
    ...keepRules(state, whole),
    "task.completed": (data) => {
      const task = current(data, "was completed");
      if (!task) return;
      task.output = whole(textOf(data["output"]));
      checkOutput(state, task, task.output);
      end(state, task, "completed");
    },
    "task.failed": (data) => {
      const task = known(state, data);
      if (!task) return;
      if (data["link"] !== undefined) currentOf(state, data, "failed");
      release(state, task);
      if (data["retryAt"] === undefined) end(state, task, "failed");
    },
    "task.interrupted": (data) => {
      const task = current(data, "was interrupted");
      if (task) release(state, task);
    },
    "task.skipped": (data) => {
      const task = known(state, data);
      if (task) end(state, task, "skipped");
    },
    "task.cancelled": (data) => {
      const task = known(state, data);
      if (task) end(state, task, "cancelled");
    },
    ...boundRules(state),
  };
  return { rules, tasks, aliases };
}

/** What an attempt keeps for later ones. */
function keepRules(state: State, whole: (text: string) => string): Rules {
  const { claim } = state;
  return {
    "task.checkpointed": (data) => {
      const task = currentOf(state, data, "kept a checkpoint");
      if (task) task.checkpoint = whole(textOf(data["value"]));
    },
    "task.effected": (data) => {
      const task = currentOf(state, data, "kept an effect");
      const [key, value] = [textOf(data["key"]), textOf(data["value"])];
      claim(!task?.effects.has(key), "effects", () => `effect ${key} of task ${task?.id ?? ""} was recorded twice`);
      task?.effects.set(key, value);
    },
  };
}

/** What bounds how much runs at once. */
function boundRules({ links, limits }: State): Rules {
  return {
    "link.joined": ({ link, slots }) => void links.set(textOf(link), { slots: Number(slots), held: new Set() }),
    "link.left": ({ link }) => void links.delete(textOf(link)),
    "limit.set": ({ name, concurrency, perKey }) =>
      void limits.set(textOf(name), { concurrency: concurrency as number | undefined, perKey: perKey === true }),
    "limit.removed": ({ name }) => void limits.delete(textOf(name)),
  };
}

/** An outcome is one that the attempt's agent gave. */
function checkOutput({ claim, performed }: State, { id, attempt }: KnownTask, output: string): void {
  const given = performed.outputs.get(`${id}#${attempt}`) ?? new Set();
  const text = (): string =>
    `task ${id} was completed with ${output.slice(0, 200)}, attempt ${attempt} gave ${[...given].join(", ").slice(0, 200)}`;
  claim(given.has(output), "answers", text);
}

function newTask(id: string, after: unknown, parent: unknown): KnownTask {
  return {
    id,
    after: after as KnownTask["after"],
    parent: parent as KnownTask["parent"],
    attempt: 0,
    link: undefined,
    uses: [],
    ended: undefined,
    output: undefined,
    effects: new Map(),
    given: new Set(),
    checkpoint: undefined,
    givenCheckpoint: undefined,
  };
}

/** The task, which must live. */
function known({ claim, tasks }: State, data: Data): KnownTask | undefined {
  const task = tasks.get(textOf(data["id"]));
  claim(task !== undefined, "once", () => `task ${textOf(data["id"])} was never created`);
  claim(task?.ended === undefined, "one end", () => `task ${task?.id ?? ""} had ended already (${task?.ended ?? ""})`);
  return task;
}

/** The task, whose present and active attempt it must be. */
function currentOf(state: State, data: Data, what: string): KnownTask | undefined {
  const task = known(state, data);
  const attempt = Number(data["attempt"]);
  state.claim(
    task === undefined || (task.attempt === attempt && task.link !== undefined),
    "fence",
    () =>
      `task ${task?.id ?? ""} ${what} as attempt ${attempt}, while ${task?.link ?? "no"} attempt ${task?.attempt ?? 0} ran`,
  );
  return task;
}

function assign(state: State, data: Data): void {
  const task = known(state, data);
  if (!task) return;
  const { claim, links, limits, inUse } = state;
  const attempt = Number(data["attempt"]);
  claim(task.link === undefined, "fence", () => `task ${task.id} was given away while attempt ${task.attempt} ran`);
  claim(attempt === task.attempt + 1, "fence", () => `task ${task.id}: attempt ${attempt} follows ${task.attempt}`);
  claim(areReady(state, task), "order", () => `task ${task.id} began before the tasks that come before it`);
  const link = textOf(data["link"]);
  const worker = links.get(link);
  claim(worker !== undefined, "fence", () => `task ${task.id} was given to ${link}, which is gone`);
  worker?.held.add(task.id);
  claim(!worker || worker.held.size <= worker.slots, "limits", () => `${link} has ${worker?.held.size ?? 0} attempts`);
  const token = `${task.id}#${attempt}`;
  claim(
    !state.tokens.has(token),
    "fence",
    () => `attempt ${attempt} of ${task.id} was there already, for a task before it`,
  );
  state.tokens.add(token);
  task.attempt = attempt;
  task.given = new Set(task.effects.keys());
  task.givenCheckpoint = task.checkpoint;
  task.link = link;
  const uses = (data["limits"] ?? []) as readonly { readonly limit: string; readonly key?: string }[];
  task.uses = uses.map(({ limit, key = "" }) => (limits.get(limit)?.perKey ? `${limit} ${key}` : limit));
  for (const [place, use] of task.uses.entries()) {
    const count = (inUse.get(use) ?? 0) + 1;
    inUse.set(use, count);
    const most = limits.get(uses[place]?.limit ?? "")?.concurrency ?? Infinity;
    claim(count <= most, "limits", () => `${count} tasks run under ${use}, which lets ${most}`);
  }
}

function areReady({ tasks }: State, { after }: KnownTask): boolean {
  if (!after) return true;
  const before = after.tasks.map((id) => tasks.get(id)?.ended);
  const good = before.filter((end) => end === "completed").length;
  const { when = "all" } = after;
  if (when === "done") return before.every((end) => end !== undefined);
  return good >= (when === "any" ? 1 : when === "all" ? before.length : Number(when));
}

function release({ links, inUse }: State, task: KnownTask): void {
  if (task.link === undefined) return;
  links.get(task.link)?.held.delete(task.id);
  for (const use of task.uses) inUse.set(use, (inUse.get(use) ?? 1) - 1);
  task.link = undefined;
  task.uses = [];
}

function end(state: State, task: KnownTask, how: NonNullable<KnownTask["ended"]>): void {
  release(state, task);
  task.ended = how;
}
