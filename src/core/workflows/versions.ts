/** The versions of a workflow: which are known, and which one new runs get. */
import { RuntimeError } from "../errors.ts";
import type { JsonText } from "../json.ts";
import type { WorkflowFact } from "./edges.ts";
import type { WorkflowCommands } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";

/** A version as it is told. */
export interface VersionRecord {
  readonly version: string;
  /** New runs get it. */
  readonly active: boolean;
  /** It was rolled back: registering it again doesn't make it active. */
  readonly withdrawn: boolean;
  readonly registeredAt: number;
  /** Live runs that stand on it. */
  readonly runs: number;
  /** The definition as JSON. */
  readonly text: JsonText;
}

/** The versions that are known, the newest first. @throws RuntimeError `workflow/unknown` */
export function versionsOf({ versions, active }: WorkflowsState, workflow: string): VersionRecord[] {
  const current = active.get(workflow);
  if (!current) throw new RuntimeError("workflow/unknown", { workflow });
  const found: VersionRecord[] = [];
  for (const { workflow: name, version, registeredAt, runs, text } of versions.values()) {
    if (name !== workflow || version.includes("#")) continue; // an appended graph is no version
    const withdrawn = current.withdrawn?.includes(version) ?? false;
    found.push({ version, active: version === current.version, withdrawn, registeredAt, runs, text });
  }
  return found.sort((a, b) => b.registeredAt - a.registeredAt);
}

/** Those that were registered after the version are withdrawn, so that pages that still have them don't undo it. */
export function rollback(
  { versions, active }: WorkflowsState,
  { workflow, version }: WorkflowCommands["workflow.rollback"],
): WorkflowFact[] {
  const current = active.get(workflow);
  if (!current || !versions.has(`${workflow}@${version}`))
    throw new RuntimeError("workflow/unknown", { workflow, version });
  if (current.version === version) return [];
  const { kept = [current.version], withdrawn = [] } = current;
  const later = kept.slice(kept.indexOf(version) + 1); // all of them when it is older than those that are kept
  const both = new Set([...withdrawn.filter((one) => kept.includes(one)), ...later]);
  both.delete(version);
  return [{ type: "workflow.activated", data: { workflow, version, withdrawn: [...both] } }];
}
