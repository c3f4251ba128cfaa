/** By what runs, nodes, their work and graphs within graphs are known. */
import type { TaskParent } from "../tasks/task.ts";

/** Where the text of the graph stands that a run is on, and the path to it from there, if it is the body of a node. */
export function splitVersion(version: string): readonly [text: string, path: string | undefined] {
  const at = version.lastIndexOf("@");
  const end = version.indexOf(at === -1 ? "#" : "/", at);
  return end === -1 ? [version, undefined] : [version.slice(0, end), version.slice(end + 1)];
}

/** The version of what stands in a node of the graph. */
export function versionWithin(version: string, node: string): string {
  return `${version}${version.includes("#") ? "/" : "#"}${node}`;
}

/** The timer after which a node is begun anew. */
export function delayKey(work: string): string {
  return `${work}.delay`;
}

/** The task that is asked for a graph; `id`: the run of that graph. */
export function planKey(id: string, refused = 0): string {
  return `${id}.plan${refused === 0 ? "" : String(refused + 1)}`;
}

/** The outermost run that it belongs to. */
export function rootOf(execution: string): string {
  return execution.split("/", 1)[0] ?? execution;
}

/** What a node's task, approval or run is known by. */
export function workKey({ execution, node, round }: TaskParent): string {
  return nodeKey(execution, node) + (round === undefined ? "" : `.${String(round)}`);
}

export function nodeKey(execution: string, node: string): string {
  return `${execution}/${node}`;
}

export function itemKey(execution: string, node: string, index: number): string {
  return `${execution}/${node}/${String(index)}`;
}

export function undoKey(execution: string, undo: number): string {
  return `${execution}#${String(undo)}`;
}

/** The task that undoes what a node has done. One that is begun anew is another: attempts of it are counted from 1. */
export function undoId(at: TaskParent, turn = 1): string {
  return `${workKey(at)}.undo${turn > 1 ? turn : ""}`;
}
