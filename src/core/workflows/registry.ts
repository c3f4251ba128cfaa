/** The definitions that are known, and which of them new runs get. */
import { copyJson } from "../json.ts";
import type { Table } from "../kernel.ts";
import type { Execution, Undo, WorkflowEvents } from "./execution.ts";
import { KEPT_VERSIONS, type ActiveVersion, type WorkflowVersion } from "./version.ts";
import { splitVersion } from "./keys.ts";

export interface Registry {
  /** All versions, by `workflow@version`. */
  readonly versions: Table<WorkflowVersion>;
  /** The version that new runs get, by workflow. */
  readonly active: Table<ActiveVersion>;
}

export function registered(state: Registry, data: WorkflowEvents["workflow.registered"], at: number): void {
  const { workflow, version } = data;
  const id = `${workflow}@${version}`;
  const runs = state.versions.get(id)?.runs ?? 0;
  state.versions.set(id, { ...copyJson(data), id, registeredAt: at, runs });
  const { version: before = version, kept = [before], withdrawn } = state.active.get(workflow) ?? {};
  const all = [...kept.filter((one) => one !== version), version];
  activate(state, { id: workflow, version, kept: all.slice(-KEPT_VERSIONS), ...(withdrawn && { withdrawn }) });
  for (const old of new Set([before, ...all.slice(0, -KEPT_VERSIONS)])) countRuns(state, { workflow, version: old }, 0);
}

export function activated(
  state: Registry,
  { workflow, version, withdrawn }: WorkflowEvents["workflow.activated"],
): void {
  const { version: before = version, kept = [before] } = state.active.get(workflow) ?? {};
  activate(state, { id: workflow, version, kept, ...(withdrawn.length > 0 && { withdrawn: [...withdrawn] }) });
  countRuns(state, { workflow, version: before }, 0);
}

function activate({ active }: Registry, { id, version, kept, withdrawn }: ActiveVersion): void {
  active.set(id, { id, version, kept, ...(withdrawn && { withdrawn }) });
}

/** Keeps count of the runs of a version and of those that it pins; one that isn't kept is gone with its last run. */
export function countRuns(
  { versions, active }: Registry,
  { workflow, version, pins = {} }: Pick<Execution, "workflow" | "version" | "pins">,
  more: -1 | 0 | 1,
): void {
  const count = (name: string, digest: string): void => {
    const key = `${name}@${digest}`;
    const known = versions.get(key);
    if (!known) return;
    const runs = known.runs + more;
    const { version: current, kept } = active.get(name) ?? {};
    if (runs > 0 || current === digest || kept?.includes(digest)) versions.set(key, { ...known, runs });
    else versions.delete(key);
  };
  count(workflow, splitVersion(version)[0]);
  for (const [reference, digest] of Object.entries(pins)) count(reference.split("@", 1)[0] ?? "", digest);
}

/** Something that was done in an appended graph can be undone: its text is kept so long. */
export function holdGraph(
  state: Registry,
  { workflow, version }: Pick<Undo, "workflow" | "version">,
  more: -1 | 1,
): void {
  if (version.includes("@")) countRuns(state, { workflow, version }, more);
}
