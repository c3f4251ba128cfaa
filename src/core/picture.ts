/**
 * What pages are shown of the state: some of its tables, first whole, then what has changed in them, field by field.
 * So a page needs no fold, and is told only of what it shows. Records never change in place, so that a change can be
 * kept as the record before and the record after until the journal has it (E2), and is spelled out only then.
 */
import type { Agent, Load } from "./agents/agent.ts";
import type { Approval } from "./approvals/approval.ts";
import type { Capability } from "./capabilities/capability.ts";
import type { JsonText } from "./json.ts";
import type { Limit, LimitState } from "./limits/limit.ts";
import type { CoreState } from "./runtime.ts";
import type { TrackedTable } from "./tables.ts";
import type { Task } from "./tasks/task.ts";
import type { Execution, NodeState } from "./workflows/execution.ts";
import type { WorkflowVersion } from "./workflows/version.ts";

/** The tables that are shown, and what stands in them. */
export interface Shown {
  readonly versions: Pick<WorkflowVersion, "id" | "nodes">;
  readonly nodes: NodeState;
  readonly tasks: Omit<Task, "checkpoint" | "effects">;
  readonly executions: Execution;
  readonly approvals: Approval;
  readonly agents: Agent;
  readonly loads: Load;
  readonly limits: Limit;
  readonly uses: LimitState;
  readonly capabilities: Capability;
}

export type TableName = keyof Shown;

/** The record of this key is gone; or it has these fields now beside those that it had, and none of the last. */
export type Change = readonly [key: string, fields?: object, gone?: readonly string[]];

/** What has ended: how its record differs from the one that was shown, and how its nodes do. */
export type End = readonly [
  kind: "task" | "execution",
  key: string,
  fields: object,
  gone: readonly string[],
  nodes: readonly Change[],
];

/** What has changed up to a number. Ends come before changes, and take what has ended out of its tables. */
export interface PicturePart {
  readonly ends?: readonly End[];
  readonly changes: { readonly [Name in TableName]?: readonly Change[] };
  /** Slots that are taken in all. */
  readonly slots: number;
}

/** A part as text, and the number that it leads to. */
export type EncodedPart = readonly [to: number, text: JsonText];

export interface Picture {
  /** All that is shown, as one part; from now on changes are noted. */
  begin(to: number): JsonText;
  /** Closes what has changed so far. */
  cut(to: number): void;
  /** What has changed up to a number, in order. */
  take(to: number): readonly EncodedPart[];
  /** Nobody looks any more. */
  end(): void;
  /** A task or a run leaves the live state. */
  finished(kind: "task" | "execution", record: object): void;
}

type Fields = Readonly<Record<string, unknown>>;

/** A change as it is kept: the record before, and the one after. */
type Step = readonly [key: string, before: Fields | undefined, after: Fields | undefined];

interface Ended {
  readonly kind: "task" | "execution";
  readonly record: Fields;
}

interface Cut {
  readonly to: number;
  readonly steps: readonly (readonly [name: TableName, steps: readonly Step[]])[];
  readonly ended: readonly Ended[];
  /** By name of the table: what stood there before. */
  readonly before: Readonly<Record<TableName, ReadonlyMap<string, Fields | undefined>>>;
  readonly slots: number;
}

const NAMES = [
  "versions",
  "nodes",
  "tasks",
  "executions",
  "approvals",
  "agents",
  "loads",
  "limits",
  "uses",
  "capabilities",
] as const;

/** Fields that no page shows, and that may be large or change with every run. */
const HIDDEN: Partial<Record<TableName, readonly string[]>> = {
  tasks: ["checkpoint", "effects"],
  nodes: ["plan"],
  versions: ["text", "runs", "registeredAt"],
};

const nothing: readonly string[] = [];
const ENDED: readonly string[] = ["output", "plan"];

export function createPicture(state: CoreState): Picture {
  const { tasks, workflows, approvals, agents, limits, capabilities } = state;
  const tables = {
    versions: workflows.versions,
    nodes: workflows.nodes,
    tasks: tasks.tasks,
    executions: workflows.executions,
    approvals: approvals.approvals,
    agents: agents.agents,
    loads: agents.loads,
    limits: limits.limits,
    uses: limits.uses,
    capabilities: capabilities.known,
  } as unknown as Record<TableName, TrackedTable<Fields>>; // a stage's kit makes no others
  let isWatched = false;
  let ended: Ended[] = [];
  let cuts: Cut[] = [];
  const restart = (): Cut["before"] => {
    const before = {} as Record<TableName, ReadonlyMap<string, Fields | undefined>>;
    for (const name of NAMES) {
      before[name] = tables[name].before ?? new Map<string, undefined>();
      tables[name].before = isWatched ? new Map() : undefined;
    }
    return before;
  };
  const cut = (to: number): void => {
    if (!isWatched) return;
    const before = restart();
    const steps = NAMES.map((name) => [name, stepsOf(tables[name], before[name])] as const);
    cuts.push({ to, steps, ended, before, slots: agents.holdings.size });
    ended = [];
  };
  return {
    begin(to) {
      if (isWatched) cut(to);
      isWatched = true;
      restart();
      const all = NAMES.map((name) => {
        const steps = [...tables[name]].map(([key, record]): Step => [key, undefined, record]);
        return [name, steps] as const;
      });
      return JSON.stringify({ changes: changesOf(all, new Set()), slots: agents.holdings.size });
    },
    cut,
    take(to) {
      const parts = cuts.filter((one) => one.to <= to);
      cuts = cuts.slice(parts.length);
      return parts.map((part) => [part.to, JSON.stringify(encode(part))]);
    },
    end() {
      isWatched = false;
      restart();
      cuts = [];
      ended = [];
    },
    finished(kind, record) {
      if (isWatched) ended.push({ kind, record: record as Fields });
    },
  };
}

function stepsOf(table: TrackedTable<Fields>, before: ReadonlyMap<string, Fields | undefined>): Step[] {
  return [...before].map(([key, record]) => [key, record, table.get(key)]);
}

function encode({ steps, ended, before, slots }: Cut): PicturePart {
  const ids = new Set<unknown>();
  const ends = ended.map(({ kind, record }): End => {
    const { nodes, ...fields } = record as Fields & Pick<Execution, "id" | "nodes">;
    const { id } = fields;
    ids.add(id);
    const [differing, gone] = differenceOf(before[`${kind}s`].get(id), fields, HIDDEN[`${kind}s`]);
    return [kind, id, differing, gone, (nodes ?? []).map((node) => endOf(node, before.nodes))];
  });
  return { ...(ends.length > 0 && { ends }), changes: changesOf(steps, ids), slots };
}

/** How a node of an ended run differs from the one that is shown; an output that isn't told again is in other rows. */
function endOf({ output, ...node }: NodeState, before: ReadonlyMap<string, Fields | undefined>): Change {
  const [fields, gone] = before.has(node.id) ? differenceOf(before.get(node.id), node, ENDED) : [{}, nothing];
  return [node.id, output === undefined ? fields : { ...fields, output }, gone];
}

/** Without what has ended, which is told of already: its own records, and those of its nodes. */
function changesOf(steps: Cut["steps"], ended: ReadonlySet<unknown>): PicturePart["changes"] {
  const changes: Record<string, Change[]> = {};
  for (const [name, list] of steps) {
    const own: Change[] = [];
    for (const [key, before, after] of list) {
      if (after) {
        const [fields, gone] = differenceOf(before, after, HIDDEN[name]);
        if (gone.length > 0) own.push([key, fields, gone]);
        else if (!before || Object.keys(fields).length > 0) own.push([key, fields]);
      } else if (before && !ended.has(name === "nodes" ? before["execution"] : key)) own.push([key]);
    }
    if (own.length > 0) changes[name] = own;
  }
  return changes;
}

/** The fields that are another one, and the names of those that are gone. */
function differenceOf(
  before: Fields | undefined,
  after: Fields,
  hidden = nothing,
): readonly [fields: Record<string, unknown>, gone: readonly string[]] {
  const fields: Record<string, unknown> = {};
  const gone: string[] = [];
  // Records are plain objects, of which `for in` makes no list: this runs for every change.
  for (const name in after) {
    const value = after[name];
    if (value === before?.[name] || hidden.includes(name)) continue;
    if (value === undefined) gone.push(name);
    else fields[name] = value;
  }
  for (const name in before)
    if (!(name in after) && before[name] !== undefined && !hidden.includes(name)) gone.push(name);
  return [fields, gone];
}
