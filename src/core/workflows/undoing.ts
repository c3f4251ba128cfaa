/** What runs have done and can undo, as it is folded. */
import type { JsonText } from "../json.ts";
import type { Table } from "../kernel.ts";
import { holdGraph, type Registry } from "./registry.ts";
import { undoKey, type Execution, type NodeState, type Outcome, type Undo } from "./execution.ts";

interface Undoing extends Registry {
  readonly executions: Table<Execution>;
  readonly undos: Table<Undo>;
}

export function beginUndoing({ executions }: Undoing, id: string, outcome: Outcome): void {
  const run = executions.get(id);
  if (run) executions.set(id, { ...run, status: "compensating", outcome });
}

/** It is begun, perhaps anew. */
export function turnUndo({ undos }: Undoing, id: string, undo: number): void {
  const entry = undos.get(undoKey(id, undo));
  if (entry) undos.set(entry.id, { ...entry, turn: (entry.turn ?? 0) + 1 });
}

/** It is undone, or couldn't be. */
export function undone(state: Undoing, id: string, undo: number, hasFailed: boolean): void {
  const { executions, undos } = state;
  const run = executions.get(id);
  const entry = undos.get(undoKey(id, undo));
  if (entry) holdGraph(state, entry, -1);
  if (!run) return;
  undos.delete(undoKey(id, undo));
  executions.set(id, { ...run, undos: undo, ...(hasFailed && { undoFailed: true }) });
}

/** How a run is said to have ended that undid what it had done. */
export function endingOf({ executions }: Undoing, id: string, plain: "failed" | "cancelled"): Execution["status"] {
  const { status, undoFailed, undos = 0 } = executions.get(id) ?? {};
  if (status !== "compensating" || undos > 0) return plain; // it was stopped before it had undone all
  return undoFailed ? "compensation-failed" : "compensated";
}

/** The node is done, and can be undone. */
export function addUndo(state: Undoing, { execution, node, round }: NodeState, input: JsonText): void {
  const run = state.executions.get(execution);
  if (!run) return;
  const { workflow, version, undos = 0 } = run;
  const id = undoKey(execution, undos);
  const at = { execution, node, ...(round !== undefined && { round }) };
  state.undos.set(id, { id, at, workflow, version, input });
  holdGraph(state, run, 1);
  state.executions.set(execution, { ...run, undos: undos + 1 });
}

/** What an ended run has done is for the nearest one around it to undo. */
export function handUp(state: Undoing, { id, undos: count = 0 }: Execution): void {
  const { executions, undos } = state;
  let above = id;
  while (count > 0 && above.includes("/") && !executions.has(above)) above = above.slice(0, above.lastIndexOf("/"));
  const owner = executions.get(above);
  let next = owner?.undos ?? 0;
  for (let undo = 0; undo < count; undo++) {
    const entry = undos.get(undoKey(id, undo));
    undos.delete(undoKey(id, undo));
    if (!owner && entry) holdGraph(state, entry, -1);
    if (!owner || !entry) continue;
    const key = undoKey(above, next++);
    undos.set(key, { ...entry, id: key });
  }
  if (owner && count > 0) executions.set(above, { ...owner, undos: next });
}

/** What a run that goes on with another version can undo: what its own nodes have done, as the new version says. */
export function movedUndo(undo: Undo, { workflow, version: from }: Execution, version: string): Undo {
  const [digest, path] = undo.version.split("#");
  if (undo.workflow !== workflow || digest !== from || path?.includes("@")) return undo; // what was appended stays what it is
  return { ...undo, version: path === undefined ? version : `${version}#${path}` };
}

export function moveUndos({ undos }: Undoing, run: Execution, version: string): void {
  for (let undo = 0; undo < (run.undos ?? 0); undo++) {
    const key = undoKey(run.id, undo);
    const entry = undos.get(key);
    if (entry) undos.set(key, movedUndo(entry, run, version));
  }
}
