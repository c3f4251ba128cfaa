/**
 * Variables of runs. A node's `set` is decided on and written with the node's completion, one completion after the
 * other, so that branches that write at the same time don't lose each other's values. A body sees the variables of the
 * graphs around it, and writes them in the runs that they belong to.
 */
import { RuntimeError } from "../errors.ts";
import { kindOf } from "../expressions/values.ts";
import { decodeJson, encodeJson, type JsonText } from "../json.ts";
import type { Body, Variable } from "./definition.ts";
import type { Assignment, Execution } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { PlannedVariable, Problem } from "./graph.ts";
import { elementKey, ownerOf, textOf } from "./values.ts";

export type Variables = ReadonlyMap<string, PlannedVariable>;

/** The variables of a graph and of those around it; a name of its own hides one of these. */
export function planVariables({ variables = {} }: Body, outer: Variables, problems: Problem[]): Variables {
  const found = new Map(outer);
  for (const [name, variable] of Object.entries(variables)) {
    const flaw = flawOf(variable);
    if (flaw !== undefined) problems.push({ nodes: [], message: `the variable '${name}' ${flaw}` });
    found.set(name, { name, type: variable.type, merge: variable.merge });
  }
  return found;
}

const NEEDED: Partial<Record<Variable["merge"], Variable["type"]>> = {
  append: "list",
  union: "list",
  sum: "number",
  max: "number",
  min: "number",
};

function flawOf({ type, merge, initial = null }: Variable): string | undefined {
  const needed = NEEDED[merge];
  if (needed !== undefined && type !== needed) return `has the rule "${merge}", which is for the type "${needed}"`;
  if (!isOf(type, initial)) return `is a ${type}, and begins as a ${kindOf(initial)}`;
  return undefined;
}

/** No value is of every type. */
function isOf(type: Variable["type"], value: unknown): boolean {
  return type === "any" || value === null || kindOf(value) === type;
}

/** How the variables of a graph begin; undefined when it has none. */
export function initialValues({ variables }: Pick<Body, "variables">): Readonly<Record<string, JsonText>> | undefined {
  if (!variables) return undefined;
  const entries = Object.entries(variables).map(([name, { type, merge, initial }]) => {
    const empty = merge === "sum" ? 0 : type === "list" ? [] : null;
    return [name, encodeJson(initial ?? empty, name)] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * What a value makes of a variable.
 * @throws RuntimeError `workflow/variable-type`
 */
export function assignmentOf(
  state: WorkflowsState,
  run: Execution,
  variable: PlannedVariable,
  value: unknown,
): Assignment {
  const { name, type, merge } = variable;
  const owner = ownerOf(state, run, name);
  const at = { execution: owner, name };
  if (merge === "append") return { ...at, add: [encodeJson(value, name)] };
  if (!isOf(type, value) || (merge !== "last" && value === null))
    throw new RuntimeError("workflow/variable-type", { variable: name, expected: type, found: kindOf(value) });
  if (merge === "union")
    return { ...at, add: newElements(state, owner, name, value as readonly unknown[]), union: true };
  if (merge === "last") return { ...at, value: encodeJson(value, name) };
  const before = decodeJson(textOf(state, owner, name), name) as number | null;
  return { ...at, value: encodeJson(merged(merge, before, value as number), name) };
}

function merged(merge: "sum" | "max" | "min", before: number | null, value: number): number {
  if (before === null) return value;
  return merge === "sum" ? before + value : merge === "max" ? Math.max(before, value) : Math.min(before, value);
}

/** Those that the list doesn't have yet, each once. Two elements are the same when their texts are. */
function newElements(state: WorkflowsState, owner: string, name: string, elements: readonly unknown[]): JsonText[] {
  const initial = decodeJson(state.variables.get(owner)?.values[name] ?? "[]", name) as readonly unknown[];
  const seen = new Set(initial.map((element) => encodeJson(element, name)));
  const texts = elements.map((element) => encodeJson(element, name));
  return texts.filter((text) => {
    const isNew = !seen.has(text) && !state.entries.has(elementKey(owner, name, text));
    seen.add(text);
    return isNew;
  });
}
