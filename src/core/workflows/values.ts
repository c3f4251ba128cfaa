/** Where the values of variables stand. */
import { digestOf, type JsonText } from "../json.ts";
import type { Table } from "../kernel.ts";
import type { Assignment, Execution, VariablesState } from "./execution.ts";

export interface Values {
  /** By run. */
  readonly variables: Table<VariablesState>;
  /** The elements that were added to lists, by place and in unions by what they are. */
  readonly entries: Table<{ readonly id: string; readonly value?: JsonText }>;
}

/** The run that a variable belongs to, seen from a run within it: the nearest one that has it. */
export function ownerOf(
  { variables, executions }: Values & { readonly executions: Pick<Table<Execution>, "get"> },
  run: Execution,
  name: string,
): string {
  for (let at: Execution | undefined = run; at; at = at.parent && executions.get(at.parent.execution)) {
    if (Object.hasOwn(variables.get(at.id)?.values ?? {}, name)) return at.id;
    if (!at.version.includes("#")) break; // a workflow sees nothing of the one that runs it
  }
  return run.id;
}

/** A variable as it is now: of a list how it began, and what was added. */
export function textOf({ variables, entries }: Values, owner: string, name: string): JsonText {
  const { values = {}, counts = {} } = variables.get(owner) ?? {};
  const count = counts[name] ?? 0;
  const added = Array.from({ length: count }, (_none, at) => entries.get(entryKey(owner, name, at))?.value ?? "null");
  return withElements(values[name] ?? "null", added);
}

/** All variables of a live run as they are now. */
export function variablesOf(state: Values, run: string): { readonly variables?: JsonText } {
  const known = state.variables.get(run);
  if (!known) return {};
  const texts = Object.keys(known.values).map((name) => `${JSON.stringify(name)}:${textOf(state, run, name)}`);
  return { variables: `{${texts.join(",")}}` };
}

export function withElements(list: JsonText, added: readonly JsonText[]): JsonText {
  if (added.length === 0) return list;
  return list === "[]" ? `[${added.join(",")}]` : `${list.slice(0, -1)},${added.join(",")}]`;
}

export function entryKey(owner: string, name: string, at: number | string): string {
  return `${owner}/${name}/${String(at)}`;
}

/** By what an element of a union is found. */
export function elementKey(owner: string, name: string, element: JsonText): string {
  return entryKey(owner, name, `=${digestOf(element)}`);
}

export function assign({ variables, entries }: Values, { execution, name, value, add = [], union }: Assignment): void {
  const known = variables.get(execution);
  if (!known) return;
  if (value !== undefined) {
    variables.set(execution, { ...known, values: { ...known.values, [name]: value } });
    return;
  }
  let count = known.counts[name] ?? 0;
  for (const element of add) {
    const id = entryKey(execution, name, count++);
    entries.set(id, { id, value: element });
    if (!union) continue;
    const found = elementKey(execution, name, element);
    entries.set(found, { id: found });
  }
  variables.set(execution, { ...known, counts: { ...known.counts, [name]: count } });
}

/** The variables of a run in the end, which are gone then. */
export function takeVariables(state: Values, id: string): { readonly variables?: JsonText } {
  const known = state.variables.get(id);
  if (!known) return {};
  const taken = variablesOf(state, id);
  for (const [name, count] of Object.entries(known.counts))
    for (let at = 0; at < count; at++) {
      const key = entryKey(id, name, at);
      const { value = "" } = state.entries.get(key) ?? {};
      state.entries.delete(key);
      state.entries.delete(elementKey(id, name, value));
    }
  state.variables.delete(id);
  return taken;
}
